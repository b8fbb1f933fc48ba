#include "kernel.h"

#include <algorithm>

namespace sekisho::engine {

namespace {

// What ends is taken out whether or not it is still there; of the rest one must be.
template <class Map, class Entries>
void change(Map& map, const Entries& removed, const Entries& added, bool removed_must_be_there) {
  for (const auto& [key, value] : removed) {
    if (map.erase(key) == 0 && removed_must_be_there) throw Refused("an element is not there");
  }
  for (const auto& [key, value] : added) {
    if (!map.emplace(key, value).second) throw Refused("an element is there already");
  }
}

void set_back(std::optional<Time>& end, Time::duration ahead) {
  if (end) *end -= ahead;
}

}  // namespace

void Kernel::install(const Desired& desired, const Steps& steps) {
  const Peers actual = peers;
  const auto wanted_tables = desired.tables();
  for (const Peer& peer : actual) {
    const bool stays = std::ranges::all_of(peer.addresses, [&](const IpAddress& address) {
      const bool own = std::ranges::any_of(desired.peers(), [&](const Peer& wanted) {
        return wanted.public_key == peer.public_key &&
               std::ranges::count(wanted.addresses, address) > 0;
      });
      return own || !wanted_tables->cohorts.contains(address);
    });
    if (!stays) steps([&] { remove_peer(peer.public_key); });
  }
  steps([&] {
    tables = *desired.tables();
    for (auto& [address, entry] : tables.cohorts) set_back(entry.until, ahead);
    for (auto& [key, until] : tables.grants) set_back(until, ahead);
  });
  remark(desired.space(), steps);
}

void Kernel::open_tunnel(const Desired& desired, const Steps& steps) {
  const Peers wanted = desired.peers();
  const Peers actual = peers;
  for (const Peer& peer : actual) {
    const bool stays = std::ranges::count(wanted, peer.public_key, &Peer::public_key) > 0;
    if (!stays) steps([&] { remove_peer(peer.public_key); });
  }
  for (const Peer& peer : wanted) {
    if (std::ranges::count(actual, peer) == 0) steps([&] { set_peer(peer); });
  }
}

void Kernel::change_tables(const TablesDiff& diff, const Steps& steps) {
  Tables after = tables;
  auto cohorts = diff.add_cohorts;
  auto grants = diff.add_grants;
  for (auto& [address, entry] : cohorts) set_back(entry.until, ahead);
  for (auto& [key, until] : grants) set_back(until, ahead);
  if (diff.empties_cohorts) after.cohorts.clear();
  change(after.cohorts, diff.remove_cohorts, cohorts, false);
  change(after.atoms, diff.remove_atoms, diff.add_atoms, true);
  change(after.grants, diff.remove_grants, grants, false);
  if (in_two) {
    steps([&] {
      for (const auto& [key, value] : diff.remove_cohorts) tables.cohorts.erase(key);
      for (const auto& [key, value] : diff.remove_atoms) tables.atoms.erase(key);
      for (const auto& [key, value] : diff.remove_grants) tables.grants.erase(key);
    });
  }
  steps([&] { tables = after; });
}

void Kernel::confirm_tables(const TablesDiff& held, const Steps& steps) {
  for (const auto& [address, entry] : held.add_cohorts) {
    const auto found = tables.cohorts.find(address);
    if (found == tables.cohorts.end() || found->second.cohort != entry.cohort)
      throw Refused("an element is missing");
  }
  const bool extra = std::ranges::any_of(
                         held.remove_cohorts,
                         [&](const auto& entry) { return tables.cohorts.contains(entry.first); }) ||
                     std::ranges::any_of(held.remove_grants, [&](const auto& row) {
                       return tables.grants.contains(row.first);
                     });
  if (extra) throw Refused("an element is there still");
  steps([] {});
}

std::size_t Kernel::touched(const TablesDiff& diff) {
  const auto places = [](const auto& removed, const auto& added) {
    return added.size() +
           static_cast<std::size_t>(std::ranges::count_if(removed, [&](const auto& gone) {
             return std::ranges::none_of(
                 added, [&](const auto& come) { return come.first == gone.first; });
           }));
  };
  return places(diff.remove_cohorts, diff.add_cohorts) + places(diff.remove_atoms, diff.add_atoms) +
         places(diff.remove_grants, diff.add_grants);
}

void Kernel::remark(const AtomSpace& space, const Steps& steps) {
  for (model::LiveFlow& flow : live) {
    model::LiveFlow after = flow;
    model::remark(space, after);
    if (after.ct_mark != flow.ct_mark) steps([&] { flow = after; });
  }
}

// A flow that the kernel forgot has no mark any more, and none begins in its middle.
std::size_t Kernel::purge(const PurgeFlows& purge, const Steps& steps) {
  std::size_t purged = 0;
  for (model::LiveFlow& flow : live) {
    const AtomMark atom = AtomMark::from_mark(flow.ct_mark);
    if (!atom || purge.keep.contains(atom)) continue;
    if (!purge.all && !purge.atoms.contains(atom) && !purge.addresses.contains(flow.flow.source))
      continue;
    steps([&] { flow.ct_mark = 0; });
    ++purged;
  }
  return purged;
}

void Kernel::change_peers(const ChangePeers& change, const Steps& steps) {
  for (const PublicKey& key : change.remove) steps([&] { remove_peer(key); });
  for (const Peer& peer : change.set) steps([&] { set_peer(peer); });
}

void Kernel::remove_peer(const PublicKey& key) {
  std::erase_if(peers, [&](const Peer& peer) { return peer.public_key == key; });
}

void Kernel::set_peer(const Peer& peer) {
  remove_peer(peer.public_key);
  for (Peer& other : peers) {
    std::erase_if(other.addresses, [&](const IpAddress& address) {
      return std::ranges::count(peer.addresses, address) > 0;
    });
  }
  peers.push_back(peer);
  std::ranges::sort(peers, {}, &Peer::device);
}

}  // namespace sekisho::engine

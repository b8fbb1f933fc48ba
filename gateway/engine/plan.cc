#include "gateway/engine/plan.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "policy/compile/atoms.h"
#include "policy/compile/transition.h"

namespace sekisho::engine {

namespace {

void change_tables(TablesDiff diff, std::vector<Effect>& plan) {
  if (!diff.empty()) plan.emplace_back(ChangeTables{std::move(diff)});
}

void load_tables(PlanInput& input, const std::vector<AtomMark>& gone, std::vector<Effect>& plan) {
  if (input.recut_from == nullptr || gone.empty()) {
    return change_tables(std::move(input.diff), plan);
  }
  const Tables& from = input.recut_from->tables;
  const Tables between = transition(from, input.to.tables, gone);
  change_tables(diff(from, between), plan);
  plan.emplace_back(Remark{input.to.space});
  change_tables(diff(between, input.to.tables), plan);
}

void change_peers(ChangePeers change, std::vector<Effect>& plan) {
  if (!change.remove.empty() || !change.set.empty()) plan.emplace_back(std::move(change));
}

// `from` without the addresses that in `to` are another key's.
Peers without_passed_on(Peers from, const Peers& to) {
  std::unordered_map<IpAddress, const PublicKey*> holders;
  for (const Peer& peer : to) {
    for (const IpAddress& address : peer.addresses) holders.emplace(address, &peer.public_key);
  }
  for (Peer& peer : from) {
    std::erase_if(peer.addresses, [&](const IpAddress& address) {
      const auto holder = holders.find(address);
      return holder != holders.end() && *holder->second != peer.public_key;
    });
  }
  return from;
}

}  // namespace

std::vector<Effect> make_plan(PlanInput input) {
  ChangePeers passing_on;
  ChangePeers peers;
  // Most changes touch no tunnel, and looking through all of them costs more than the rest.
  if (&input.peers_from != &input.peers_to) {
    const Peers between = without_passed_on(input.peers_from, input.peers_to);
    passing_on = peers_change(input.peers_from, between);
    peers = peers_change(between, input.peers_to);
  }
  std::vector<AtomMark> gone;
  if (input.recut_from != nullptr) gone = retired(input.recut_from->space, input.to.space);
  const bool only_tightens = gone.empty() && input.diff.only_tightens() && peers.set.empty();
  std::vector<Effect> plan;
  if (only_tightens) load_tables(input, gone, plan);
  if (input.unfinished) plan.emplace_back(Abandon{*std::move(input.unfinished)});
  plan.emplace_back(std::move(input.store));
  change_peers(std::move(passing_on), plan);
  if (!only_tightens) load_tables(input, gone, plan);
  plan.emplace_back(std::move(input.activate));
  change_peers(std::move(peers), plan);
  return plan;
}

ChangePeers peers_change(const Peers& from, const Peers& to) {
  ChangePeers change;
  auto before = from.begin();
  auto after = to.begin();
  while (before != from.end() || after != to.end()) {
    const bool gone = after == to.end() || (before != from.end() && before->device < after->device);
    const bool came = before == from.end() || (after != to.end() && after->device < before->device);
    if (gone || (!came && before->public_key != after->public_key)) {
      change.remove.push_back(before->public_key);
    }
    if (!gone && (came || *before != *after)) change.set.push_back(*after);
    if (!came) ++before;
    if (!gone) ++after;
  }
  return change;
}

DeviceChange device_change(const PolicyEdit& edit, const PolicyEdit& undo,
                           const std::optional<DeviceId>& key_made_here) {
  DeviceChange change;
  for (const auto& [id, after] : edit.devices) {
    const Boxed<Device>& before = undo.devices.at(id);
    if (before && after && before->public_key == after->public_key &&
        before->addresses == after->addresses) {
      continue;
    }
    if (before) change.remove.push_back(id);
    if (after) change.add.push_back({id, after->public_key, after->addresses, key_made_here == id});
  }
  return change;
}

}  // namespace sekisho::engine

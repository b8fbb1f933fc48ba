#include "disk.h"

#include <algorithm>
#include <utility>

#include "kernel.h"
#include "policy/model/document.h"

namespace sekisho::engine {

RevisionNumber Disk::add_pending(const StorePending& store, Time now) {
  if (pending) throw Refused("a revision is not finished yet");
  if (store.base != active) throw Refused("another base is active");
  const RevisionNumber number(revisions.size() + 1);
  atoms_[number] = store.space ? store.space->atoms : atoms_.at(active);
  if (store.space) {
    if (store.space->next < next_atom_) throw Refused("numbers were given before");
    next_atom_ = store.space->next;
  }
  const std::string document = store.base ? revisions.at(store.base).document : std::string();
  const Policy policy = read_edited(document, {store.edit}, "revision").value();
  if (!(policy == *store.policy)) throw Refused("the edit is not all");
  revisions[number] = {.number = number,
                       .document = write_policy(policy, Syntax::toml),
                       .edits = {},
                       .author = store.author,
                       .reason = store.reason,
                       .time = now,
                       .digest = {},
                       .state = "pending"};
  pending = number;
  return number;
}

void Disk::activate(const Activate& activate) {
  if (!pending) throw Refused("nothing is pending");
  for (const Registration& each : activate.devices.add) {
    for (const IpAddress& address : each.addresses) {
      if (given_.emplace(address, each.device).first->second != each.device)
        throw Refused("an address was given to another device");
    }
  }
  if (active) revisions[active].state = "superseded";
  active = *std::exchange(pending, std::nullopt);
  revisions[active].state = "active";
  ledger.push_back(activate.devices);
  record.push_back(activate.entry);
  provisional = activate.provisional;
}

void Disk::confirm(const Confirm& confirm) {
  provisional.reset();
  record.push_back(confirm.entry);
}

void Disk::abandon(const Abandon& abandon) {
  if (!pending) return;
  revisions[*std::exchange(pending, std::nullopt)].state = "abandoned";
  record.push_back(abandon.entry);
}

std::vector<IpAddress> Disk::free_addresses(const std::vector<Prefix>& pools,
                                            const std::vector<IpAddress>& taken) const {
  std::vector<IpAddress> addresses;
  for (const Prefix& pool : pools) {
    IpAddress address = *pool.range().first.next();
    while (given_.contains(address) || std::ranges::count(taken, address) > 0)
      address = *address.next();
    addresses.push_back(address);
  }
  return addresses;
}

void Disk::put_quarantine(const StoreQuarantine& store) {
  const auto same = std::ranges::find(quarantines, store.quarantine.target, &Quarantine::target);
  if (same == quarantines.end()) {
    quarantines.push_back(store.quarantine);
  } else {
    *same = store.quarantine;
  }
  record.push_back(store.entry);
}

void Disk::release(const StoreRelease& release) {
  const auto found = std::ranges::find(quarantines, release.target, &Quarantine::target);
  if (found == quarantines.end()) throw Refused("is not quarantined");
  released.push_back(*found);
  quarantines.erase(found);
  record.push_back(release.entry);
}

FlagNumber Disk::add_flag(const StoreFlag& store) {
  flags.push_back(store.flag);
  flags.back().number = FlagNumber(flags.size());
  record.push_back(store.entry);
  return flags.back().number;
}

void Disk::set_flag(const SetFlag& set) {
  Flag& flag = flags.at(set.number.value() - 1);
  flag.state = set.state;
  flag.outcome = set.outcome;
  record.push_back(set.entry);
}

Started Disk::found() const {
  Started found;
  found.space.next = next_atom_;
  found.quarantines = quarantines;
  for (const auto* all : {&quarantines, &released}) {
    for (const Quarantine& each : *all) {
      if (each.automatic) found.automatic.push_back({each.since, each.devices});
    }
  }
  for (const Flag& flag : flags) found.flags_asking += flag.state == FlagState::asking;
  if (!active) return found;
  found.space.atoms = atoms_.at(active);
  found.active = revisions.at(active);
  found.provisional = provisional;
  return found;
}

}  // namespace sekisho::engine

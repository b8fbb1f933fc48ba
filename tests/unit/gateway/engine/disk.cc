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

Started Disk::found() const {
  AtomSpace space{.atoms = {}, .next = next_atom_};
  if (!active) return {.active = {}, .space = space, .provisional = {}};
  space.atoms = atoms_.at(active);
  return {.active = revisions.at(active), .space = space, .provisional = provisional};
}

}  // namespace sekisho::engine

#include "policy/compile/holds.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "policy/compile/destination_space.h"

namespace sekisho {

namespace {

using Cohorts = std::vector<std::pair<IpAddress, CohortEntry>>;
using Grants = std::vector<std::pair<GrantKey, std::optional<Time>>>;

Cohorts seen(const Cohorts& entries, const Holds& holds) {
  Cohorts seen;
  for (const auto& [address, entry] : entries) {
    if (const auto there = holds.entry(address, entry)) seen.emplace_back(address, *there);
  }
  return seen;
}

Grants seen(const Grants& rows, const Holds& holds) {
  Grants seen;
  std::ranges::copy_if(rows, std::back_inserter(seen),
                       [&](const auto& row) { return !holds.atoms.contains(row.first.atom); });
  return seen;
}

// Entries that stand in both lists are no change.
template <class Entries>
void drop_common(Entries& removed, Entries& added) {
  std::ranges::sort(removed);
  std::ranges::sort(added);
  Entries both;
  std::ranges::set_intersection(removed, added, std::back_inserter(both));
  if (both.empty()) return;
  const auto common = [&](const auto& entry) { return std::ranges::binary_search(both, entry); };
  std::erase_if(removed, common);
  std::erase_if(added, common);
}

// Addresses whose hold is another one now, and which the policy's own change does not touch.
std::set<IpAddress> moved(const TablesDiff& diff, const Tables& tables, const Holds& before,
                          const Holds& after) {
  std::set<IpAddress> moved;
  if (before.everyone != after.everyone) {
    for (const auto& [address, entry] : tables.cohorts) moved.insert(moved.end(), address);
  }
  for (const Holds* holds : {&before, &after}) {
    for (const auto& [address, hold] : holds->addresses) moved.insert(address);
  }
  std::erase_if(moved,
                [&](const IpAddress& address) { return before.on(address) == after.on(address); });
  for (const Cohorts* entries : {&diff.remove_cohorts, &diff.add_cohorts}) {
    for (const auto& [address, entry] : *entries) moved.erase(address);
  }
  return moved;
}

// Grants of destinations that were closed or opened, but for those that the policy's own change
// puts in.
void move_atoms(const TablesDiff& diff, const Tables& tables, const Holds& before,
                const Holds& after, TablesDiff& held) {
  if (before.atoms == after.atoms) return;
  std::set<GrantKey> fresh;
  for (const auto& [key, until] : diff.add_grants) fresh.insert(key);
  for (const auto& row : tables.grants) {
    const bool was_closed = before.atoms.contains(row.first.atom);
    const bool is_closed = after.atoms.contains(row.first.atom);
    if (was_closed == is_closed || fresh.contains(row.first)) continue;
    (is_closed ? held.remove_grants : held.add_grants).emplace_back(row);
  }
}

bool is_no_weaker(const Holds& holds, const Holds& than) {
  return holds.everyone >= than.everyone && std::ranges::includes(holds.atoms, than.atoms) &&
         std::ranges::all_of(than.addresses,
                             [&](const auto& each) { return holds.on(each.first) >= each.second; });
}

}  // namespace

Hold Holds::on(const IpAddress& address) const {
  const auto found = addresses.find(address);
  return found == addresses.end() ? everyone : std::max(everyone, found->second);
}

std::optional<CohortEntry> Holds::entry(const IpAddress& address, const CohortEntry& entry) const {
  switch (on(address)) {
    case Hold::none:
      return entry;
    case Hold::isolate:
      return CohortEntry{kIsolatedCohort, entry.until};
    case Hold::cut:
      return std::nullopt;
  }
  return std::nullopt;
}

Holds holds_of(const Policy& policy, const Quarantined& quarantined, const AtomSpace& space) {
  if (quarantined.empty()) return {};
  Holds holds{.everyone = quarantined.everyone, .addresses = {}, .atoms = {}};
  const bool devices =
      !quarantined.people.empty() || !quarantined.devices.empty() || !quarantined.keys.empty();
  if (devices) {
    for (const auto& [id, device] : policy.devices) {
      const Hold hold = quarantined.on(id, device);
      if (hold <= holds.everyone) continue;
      for (const IpAddress& address : device.addresses) holds.addresses.emplace(address, hold);
    }
  }
  holds.atoms = closed_atoms(quarantined.places, space);
  return holds;
}

std::set<AtomMark> closed_atoms(const std::vector<Destinations>& places, const AtomSpace& space) {
  std::set<AtomMark> closed;
  if (places.empty()) return closed;
  for (const Atom& atom : space.atoms) {
    if (atom.opened_by.empty()) continue;  // the gateway's own services are no resource's
    const bool is_closed = std::ranges::any_of(atom.where, [&](const Destinations& box) {
      return std::ranges::any_of(places,
                                 [&](const Destinations& place) { return place.overlaps(box); });
    });
    if (is_closed) closed.insert(atom.mark);
  }
  return closed;
}

void catch_places(Quarantine& quarantine, const ValidPolicy& valid, const AtomSpace& space) {
  const Policy& policy = valid.policy();
  const auto* id = std::get_if<ResourceId>(&quarantine.target);
  if (id == nullptr) return;
  auto& places = quarantine.places;
  const auto take = [&](const Destinations& box) {
    const bool known =
        std::ranges::any_of(places, [&](const Destinations& place) { return place.contains(box); });
    if (!known) places.push_back(box);
  };
  // Of a network whatever it may come to offer.
  const auto resource = policy.resources.find(*id);
  if (resource != policy.resources.end()) {
    for (const AddressRange& addresses : addresses_of(resource->second, valid.network())) {
      for (const Protocol protocol : {Protocol::tcp, Protocol::udp})
        take({addresses, protocol, {Port(1), Port(65535)}});
    }
  }
  for (const Atom& atom : space.atoms) {
    if (!atom.covered_by.contains(*id) && !atom.opened_by.contains(*id)) continue;
    std::ranges::for_each(atom.where, take);
  }
  std::ranges::sort(places);
}

Tables held(const Tables& tables, const Holds& holds) {
  Tables held{.cohorts = {}, .atoms = tables.atoms, .grants = {}};
  for (const auto& [address, entry] : tables.cohorts) {
    if (const auto there = holds.entry(address, entry)) {
      held.cohorts.emplace_hint(held.cohorts.end(), address, *there);
    }
  }
  for (const auto& row : tables.grants) {
    if (!holds.atoms.contains(row.first.atom)) held.grants.insert(held.grants.end(), row);
  }
  return held;
}

TablesDiff held(const TablesDiff& diff, const Tables& tables, const Holds& before,
                const Holds& after) {
  if (before.empty() && after.empty()) return diff;
  TablesDiff held = diff;
  held.remove_cohorts = seen(diff.remove_cohorts, before);
  held.add_cohorts = seen(diff.add_cohorts, after);
  held.remove_grants = seen(diff.remove_grants, before);
  held.add_grants = seen(diff.add_grants, after);
  const auto is_isolated_now = [&](const auto& entry) {
    return after.on(entry.first) == Hold::isolate && before.on(entry.first) != Hold::isolate;
  };
  bool isolates = std::ranges::any_of(diff.add_cohorts, is_isolated_now);
  for (const IpAddress& address : moved(diff, tables, before, after)) {
    isolates |= after.on(address) == Hold::isolate;
    const auto found = tables.cohorts.find(address);
    if (found == tables.cohorts.end()) continue;
    if (const auto was = before.entry(address, found->second)) {
      held.remove_cohorts.emplace_back(address, *was);
    }
    if (const auto is = after.entry(address, found->second)) {
      held.add_cohorts.emplace_back(address, *is);
    }
  }
  move_atoms(diff, tables, before, after, held);
  drop_common(held.remove_cohorts, held.add_cohorts);
  drop_common(held.remove_grants, held.add_grants);
  held.may_refuse_more = (!diff.empty() && diff.may_refuse_more) || !is_no_weaker(before, after);
  const auto of_isolated = [](const auto& row) { return row.first.cohort == kIsolatedCohort; };
  held.may_refuse_more |= std::ranges::any_of(held.remove_grants, of_isolated);
  // Isolation opens remediation to who may have had no grant on it.
  held.may_pass_more = (!diff.empty() && diff.may_pass_more) || isolates ||
                       !is_no_weaker(after, before) ||
                       std::ranges::any_of(held.add_grants, of_isolated);
  return held;
}

TablesDiff stop_everyone() {
  TablesDiff diff;
  diff.empties_cohorts = true;
  diff.may_pass_more = false;
  return diff;
}

TablesDiff let_in(const Tables& tables, const Holds& holds) {
  TablesDiff diff;
  diff.may_refuse_more = false;
  for (const auto& [address, entry] : tables.cohorts) {
    if (const auto there = holds.entry(address, entry)) {
      diff.add_cohorts.emplace_back(address, *there);
    }
  }
  return diff;
}

}  // namespace sekisho

#pragma once

#include <map>
#include <optional>
#include <set>

#include "policy/compile/atoms.h"
#include "policy/compile/diff.h"
#include "policy/compile/tables.h"
#include "policy/model/hold.h"
#include "policy/model/quarantine.h"
#include "policy/model/validate.h"

// Quarantine in the tables: what the kernel holds is what the policy comes to, seen through these.
// Grants and cohorts of the policy are compiled as if nobody were held, so a hold is a change of
// the held addresses alone, and its release gives back just what is granted by then.
namespace sekisho {

struct Holds {
  Hold everyone = Hold::none;
  std::map<IpAddress, Hold> addresses;  // tunnel addresses of held devices
  std::set<AtomMark> atoms;             // destinations that nobody reaches

  bool empty() const { return everyone == Hold::none && addresses.empty() && atoms.empty(); }
  Hold on(const IpAddress& address) const;
  // What the kernel has in the place of the policy's entry; nothing where it has none.
  std::optional<CohortEntry> entry(const IpAddress& address, const CohortEntry& entry) const;
  bool operator==(const Holds&) const = default;
};

// Where the held devices and resources are by this policy and its atoms.
Holds holds_of(const Policy& policy, const Quarantined& quarantined, const AtomSpace& space);

// Atoms that lie in these places, wholly where `space` was cut along them (see cut()).
std::set<AtomMark> closed_atoms(const std::vector<Destinations>& places, const AtomSpace& space);
// Notes in it the places of the resource that it is about, besides those that it caught before.
void catch_places(Quarantine& quarantine, const ValidPolicy& policy, const AtomSpace& space);

// The policy's tables as the kernel shall hold them.
Tables held(const Tables& tables, const Holds& holds);

// What a change means in the kernel: the policy's tables became `tables` by `diff`, which may be
// empty, and the holds went from `before` to `after`. Costs what the holds change, but for grants:
// where destinations are closed or opened, all of them are looked through.
TablesDiff held(const TablesDiff& diff, const Tables& tables, const Holds& before,
                const Holds& after);

// For holds on everyone, where one element a device would take too long: what empties the maps of
// cohorts at once, and what then puts in whom the holds leave something.
TablesDiff stop_everyone();
TablesDiff let_in(const Tables& tables, const Holds& holds);

}  // namespace sekisho

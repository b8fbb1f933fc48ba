#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "policy/compile/tables.h"
#include "policy/model/validate.h"

namespace sekisho {

// The destination space cut into atoms: the coarsest pieces such that no grant and no quarantine of
// a resource tells two addresses or ports of one piece apart (Yang and Lam, "Real-time verification
// of network properties using atomic predicates", 2013). An atom may be many disjoint boxes.
struct Atom {
  AtomMark mark;
  // Who opens it: a grant on any of these resources (all of the strictest classification here).
  std::set<ResourceId> opened_by;
  // Whose networks it lies in, of any classification; what is on the internet has none.
  std::set<ResourceId> covered_by = {};
  std::vector<Destinations> where;  // sorted, disjoint
  bool operator==(const Atom&) const = default;
};

struct AtomSpace {
  std::vector<Atom> atoms;                    // sorted by mark
  std::uint32_t next = AtomMark::kFirstAtom;  // first number never yet given
  bool operator==(const AtomSpace&) const = default;
};

// Cuts the destinations of all resources, of `internet` and of the gateway's own DNS (open to every
// device with a cohort; it is opened_by nobody).
// A number of `before` is kept only for an atom that is just what the number stood for, with the
// same check; so it means the same in every space, and a change that is taken back leaves no flow
// with a number that then means something else. All else gets
// numbers never used before. With an empty `before` numbering begins at kFirstAtom. Of `before`
// only the marks, their regions and `next` count, so what is read back from a kernel will do. Also
// cut along the places `held`, so that they can be closed exactly. Fails (ErrorCode::invalid) only
// where the atom numbers are used up.
Result<AtomSpace> cut(const ValidPolicy& policy, const AtomSpace& before,
                      const std::vector<Destinations>& held = {});

// Numbers of `before` that `after` no longer has: flows that carry one must be re-marked or
// refused.
std::vector<AtomMark> retired(const AtomSpace& before, const AtomSpace& after);

// The mark that a flow to this destination begins with; none where no atom covers it.
AtomMark find_atom(const AtomSpace& space, const IpAddress& address, Protocol protocol, Port port);

}  // namespace sekisho

#pragma once

#include <cstdint>

#include "policy/compile/atoms.h"
#include "policy/explain/evaluate.h"

namespace sekisho::model {

// A flow of which both sides are proven, as conntrack holds it.
struct LiveFlow {
  Flow flow;  // `opening` says nothing any more
  std::uint32_t ct_mark = 0;
  Check proven = Check::none;
};

// What the policy says of a flow that lives: it may go on where its destination is still granted,
// under the check that it has passed, or under none. Another check it has never passed.
bool may_go_on(const ValidPolicy& policy, const LiveFlow& live, Time now,
               const Quarantined& quarantined = {});

// What the daemon does to conntrack where destinations are cut anew: a flow whose atom is not in
// `space` gets that of its destination, and has to prove itself again where the check is another.
void remark(const AtomSpace& space, LiveFlow& live);

}  // namespace sekisho::model

#include "tests/model/live_flow.h"

#include <algorithm>

namespace sekisho::model {

bool may_go_on(const ValidPolicy& policy, const LiveFlow& live, Time now,
               const Quarantined& quarantined) {
  const Decision decision = evaluate(policy, live.flow, now, quarantined);
  return decision.verdict == Verdict::permit &&
         (decision.check == live.proven || decision.check == Check::none);
}

void remark(const AtomSpace& space, LiveFlow& live) {
  const AtomMark old = AtomMark::from_mark(live.ct_mark);
  if (std::ranges::binary_search(space.atoms, old, {}, &Atom::mark)) return;
  const Flow& flow = live.flow;
  const AtomMark found = find_atom(space, flow.destination, flow.protocol, flow.port);
  if (!found) return;
  constexpr std::uint32_t kProofs = AtomMark::kClientProven | AtomMark::kServerProven;
  const std::uint32_t kept = found.check() == old.check() ? live.ct_mark & kProofs : 0;
  live.ct_mark = found.opening() | kept;
}

}  // namespace sekisho::model

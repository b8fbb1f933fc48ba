#include "policy/explain/live_flows.h"

#include <algorithm>

namespace sekisho {
namespace {

bool has_cohort(const Tables& tables, const IpAddress& address) {
  return tables.cohorts.contains(address);
}

bool passes(const Compiled& compiled, const LiveFlow& flow, AtomMark atom) {
  const auto cohort = compiled.tables.cohorts.find(flow.source);
  return cohort != compiled.tables.cohorts.end() &&
         compiled.tables.grants.contains({cohort->second.cohort, atom});
}

}  // namespace

std::vector<std::size_t> ended(const Compiled& before, const Compiled& after,
                               std::span<const LiveFlow> flows) {
  const std::vector<AtomMark> gone = retired(before.space, after.space);
  std::vector<std::size_t> ended;
  for (std::size_t index = 0; index < flows.size(); ++index) {
    const LiveFlow& flow = flows[index];
    const AtomMark atom = AtomMark::from_mark(flow.mark);
    if (!passes(before, flow, atom)) continue;
    const AtomMark heir = std::ranges::binary_search(gone, atom)
                              ? find_atom(after.space, flow.destination, flow.protocol, flow.port)
                              : atom;
    // Between two devices both must be somebody's.
    const bool target_left =
        has_cohort(before.tables, flow.destination) && !has_cohort(after.tables, flow.destination);
    // Another check asks for first bytes, and those of this flow are long gone.
    const bool must_prove_anew = heir.check() != atom.check() && heir.check() != Check::none;
    if (target_left || must_prove_anew || !passes(after, flow, heir)) ended.push_back(index);
  }
  return ended;
}

}  // namespace sekisho

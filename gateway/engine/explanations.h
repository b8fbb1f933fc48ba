#pragma once

#include <vector>

#include "gateway/control/message.h"
#include "gateway/engine/command.h"
#include "policy/explain/access.h"
#include "policy/explain/live_flows.h"
#include "policy/model/validate.h"

// What a policy means, as the values that replies carry.
namespace sekisho::engine {

// policy.can and policy.explain: `who` is a person or a device ("person:ID", "device:ID" where both
// have the name); `destination` an address and a port, "/udp" for UDP. `in_kernel`: what the
// kernel holds of this policy at `at`; null where it is another policy or another time.
Checked<Node> can(const ValidPolicy& policy, const Quarantined& quarantined,
                  const control::Request& request, Time at);
Checked<Node> explain_flow(const ValidPolicy& policy, const Quarantined& quarantined,
                           const control::Request& request, Time at, const Tables* in_kernel);

// policy.matrix: a row for each person and resource asked for, all where none is. More than
// kMostCells are refused. `compiled` is of this policy, at whatever time; null: it is compiled.
inline constexpr std::size_t kMostCells = 20'000;
Checked<Node> show_matrix(const ValidPolicy& policy, const Compiled* compiled,
                          const control::Request& request, Time at);

// policy.review.
Node show_review(Version version, Time now);

// policy.diff: what is edited, what that means to people, and which of `flows` end.
struct Comparison {
  ValidPolicy after;
  PolicyEdit edit;
  Compiled compiled;
};
Node show_changes(const ValidPolicy& before, const Compiled& compiled, const Comparison& to,
                  const std::vector<LiveFlow>& flows, Time now);

}  // namespace sekisho::engine

#pragma once

#include <string>
#include <vector>

#include "policy/explain/evaluate.h"

namespace sekisho {

// What counted for a decision, each as a sentence, in the order in which it is looked at: the
// device and its person, the resources that cover the destination (the strictest decide), the
// person's grants on them.
struct Step {
  std::string object;   // "device.laptop", "resource.wiki", "grant.read"
  std::string finding;  // "is tanaka's, active"
};
std::vector<Step> reasoning(const ValidPolicy& policy, const Flow& flow, Time at);

}  // namespace sekisho

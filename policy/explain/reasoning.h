#pragma once

#include <string>
#include <vector>

#include "policy/explain/evaluate.h"

namespace sekisho {

// What counted for a decision, each as a sentence, in the order in which it is looked at: the
// device, its person and what holds them, the resources that cover the destination (the strictest
// decide), the person's grants on them.
struct Step {
  std::string object;   // "device.laptop", "resource.wiki", "grant.read"
  std::string finding;  // "is tanaka's, active"
};
std::vector<Step> reasoning(const ValidPolicy& policy, const Flow& flow, Time at,
                            const Quarantined& quarantined = {});

// The elements of maps and sets that decide it in the kernel, with the values of `nft list table`:
// "cohort4: 10.66.0.2 : 0x00000002".
std::vector<std::string> elements_of(const Tables& tables, const Flow& flow);

}  // namespace sekisho

#pragma once

#include "policy/explain/evaluate.h"
#include "tests/model/random.h"

namespace sekisho::model {

// A flow aimed where the policy has something to say: mostly from a device of its own, mostly at
// what its person was granted, at the edges of prefixes and port ranges more often than inside.
Flow random_flow(Random& random, const ValidPolicy& policy);

// "10.66.0.2 -> 10.20.30.7 tcp 443 tls"
std::string to_string(const Flow& flow);

}  // namespace sekisho::model

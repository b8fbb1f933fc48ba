#pragma once

#include <vector>

#include "policy/compile/ruleset.h"

// The chains of the ruleset by what they do. Only make_ruleset calls these.
namespace sekisho {

// Where packets come in and go out: the base chains, and what they need of the gateway's network.
std::vector<nft::Chain> edge_chains(const Network& network);
// May this device, or not: the lookups.
std::vector<nft::Chain> flow_chains();
// Is it the protocol that was granted: the first bytes of both sides.
std::vector<nft::Chain> check_chains();
// How "no" is said and recorded.
std::vector<nft::Chain> refusal_chains();

}  // namespace sekisho

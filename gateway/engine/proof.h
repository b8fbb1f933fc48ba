#pragma once

#include <cstddef>

#include "gateway/engine/command.h"
#include "policy/model/node.h"

namespace sekisho::engine {

// That something is off the network: what was done for it and when.
struct Proof {
  Moment began;              // the request had come in
  Moment cut_at;             // the kernel had answered for the rules and they were read back
  std::size_t elements = 0;  // of maps and sets, each read back
  std::size_t peers = 0;     // removed
  std::size_t flows = 0;     // that the kernel forgot
};

// Adds what this effect, which was done at `at`, contributes.
void note(Proof& proof, const Effect& done, const Outcome::value_type& outcome, Moment at);

// In half a sentence, for who is told of what failed as well.
std::string tell(const Proof& proof);

// As replies carry it. No packet passed after "last_packet_before": from then on every lookup
// refuses. "milliseconds" are from the request to there, "milliseconds_in_all" to `now`.
Node show_proof(const Proof& proof, Moment now);

}  // namespace sekisho::engine

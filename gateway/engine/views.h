#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gateway/control/message.h"
#include "gateway/engine/command.h"
#include "policy/model/validate.h"

// What the engine knows, as the values that replies carry. A table's member "answer" is the yes or
// no of an operation that is a question. Peers are sorted by key everywhere.
namespace sekisho::engine {

// How many rows a list shows at most.
inline constexpr std::size_t kMostListed = 1000;

// person.list and its like: one row an object. `peers` are the tunnels as they are now.
Node list_objects(const Policy& policy, control::OperationId operation,
                  const std::vector<PeerStatus>& peers);
Result<Node> show_object(const Policy& policy, control::OperationId operation,
                         const std::string& id, const std::vector<PeerStatus>& peers);

Node show_quota(const Policy& policy);
Node show_response(const Policy& policy);
// service-catalogue: those of `only`, or all.
Result<Node> show_catalogue(const std::vector<std::string>& only);

// One row for each object that was added, removed or changed, with it before and after.
Node show_difference(const Policy& from, const Policy& to);

// What of a policy on trial is to be known: "confirm_by", "returns_to".
Node::Table show_provisional(const Provisional& provisional);

// How many rows a request asks for: 1 to kMostListed.
Checked<std::size_t> limit_of(const control::Request& request);

Node show_history(const std::vector<Revision>& revisions);
Node show_findings(const std::vector<Finding>& findings);

// How many of `policy`'s devices had a handshake in the last three minutes (a WireGuard session's
// life).
int online(const Policy& policy, const std::vector<PeerStatus>& peers, Time now);

}  // namespace sekisho::engine

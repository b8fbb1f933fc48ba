#pragma once

#include <vector>

#include "gateway/control/message.h"
#include "gateway/engine/command.h"
#include "policy/model/validate.h"

// What the engine knows, as the values that replies carry. A table's member "answer" is the yes or
// no of an operation that is a question.
namespace sekisho::engine {

// person.list and its like: one row an object. `peers` are the tunnels as they are now.
Node list_objects(const Policy& policy, control::OperationId operation,
                  const std::vector<PeerStatus>& peers);
Result<Node> show_object(const Policy& policy, control::OperationId operation,
                         const std::string& id, const std::vector<PeerStatus>& peers);

// One row for each object that was added, removed or changed, with it before and after.
Node show_difference(const Policy& from, const Policy& to);

// policy.can: `who` is a person or a device; `destination` an address and a port, "/udp" for UDP.
Checked<Node> can(const ValidPolicy& policy, const std::string& who, const std::string& destination,
                  Time now);

Node show_history(const std::vector<Revision>& revisions);
Node show_findings(const std::vector<Finding>& findings);

// How many of `policy`'s devices had a handshake in the last three minutes (a WireGuard session's
// life).
int online(const Policy& policy, const std::vector<PeerStatus>& peers, Time now);

}  // namespace sekisho::engine

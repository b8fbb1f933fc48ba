#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/route/step.h"
#include "gateway/kernel/route/tunnel.h"

namespace sekisho::kernel {

// What is not as it should be, one text each.
struct RoutingState {
  std::vector<std::string> differences;  // ensure() ends these
  std::vector<std::string> foreign;      // other people's rules before ours: told, never touched
  bool interface_present = false;
};

// The tunnel's link, addresses, routes and policy rules. Desired state in, differences inside.
// Not for use by two threads at once.
class Routing {
 public:
  static Result<Routing> open(Tunnel tunnel);

  // From now on for this tunnel; what was there for another goes at the next ensure().
  void use(Tunnel tunnel) { tunnel_ = std::move(tunnel); }

  // Changes nothing.
  Result<RoutingState> observe();

  // Ends every difference and returns what they were. Rules come first: they hold without the
  // interface. Without it (ErrorCode::not_found is not returned; look at interface_present) only
  // the rules and the unreachable routes are put right; call again when it is there.
  Result<RoutingState> ensure();

  // Puts back what was before: `lookup local` at 0, our rules and routes gone. For a stop that is
  // meant (uninstall): from then on nothing holds tunnel traffic back but the ruleset.
  Result<void> remove();

 private:
  Routing(Tunnel tunnel, Socket socket);
  struct Plan {
    RoutingState state;
    std::vector<Step> steps;
  };
  Result<Plan> plan();

  Tunnel tunnel_;
  Socket socket_;
};

}  // namespace sekisho::kernel

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/route/step.h"
#include "gateway/kernel/route/tunnel.h"

// The tunnel interface itself and what is routed to it. See rtnetlink(7).
namespace sekisho::kernel {

struct Link {
  std::uint32_t index = 0;
  bool up = false;
  std::uint32_t mtu = 0;
};

// Nothing where there is no such interface.
Result<std::optional<Link>> read_link(Socket& socket, const std::string& interface);

// Up, with the right MTU.
std::vector<Step> link_steps(const Link& link, const Tunnel& tunnel);

// The gateway's addresses as /32 and /128, and no other address of global scope. The pool is not
// the address's own network: a route says so (below), because a route of ours can be told apart and
// put back, and because 10.66.255.255 is then a client and not a broadcast address.
Result<std::vector<Step>> address_steps(Socket& socket, const Link& link, const Tunnel& tunnel);

// Each pool to the interface, and behind that (by metric) "unreachable": when the interface is
// gone, packets for its clients must not follow the default route out in the clear. `link` is
// nothing while there is no interface; only the second kind is wanted then. Routes known as ours
// that are not wanted go.
Result<std::vector<Step>> route_steps(Socket& socket, const std::optional<Link>& link,
                                      const Tunnel& tunnel);

}  // namespace sekisho::kernel

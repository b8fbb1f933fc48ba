#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gateway/kernel/netlink/listener.h"
#include "gateway/kernel/route/tunnel.h"
#include "policy/base/result.h"

namespace sekisho::kernel {

// Hears when something that Routing keeps is changed, by whomever. Non-blocking: wait on fd().
class RouteWatcher {
 public:
  static Result<RouteWatcher> open(Tunnel tunnel);

  int fd() const { return listener_.fd(); }
  // From now on for other pools or addresses; the interface stays.
  void use(Tunnel tunnel) { tunnel_ = std::move(tunnel); }

  // True when the interface, its global addresses, our routes, routes into the pools or rules that
  // count have changed since the last call, or when the kernel dropped notifications: observe()
  // then tells what. Other people's routes and links do not count.
  Result<bool> read();

 private:
  RouteWatcher(Tunnel tunnel, Listener listener, std::uint32_t link);
  bool concerns(const nlmsghdr& message);

  Tunnel tunnel_;
  Listener listener_;
  std::uint32_t link_;  // index of the interface, 0 while there is none
};

}  // namespace sekisho::kernel

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policy/base/ip.h"

namespace sekisho::kernel {

// How the tunnel interface is to stand in the network.
struct Tunnel {
  std::string interface;                  // "wg0"
  std::uint32_t mtu = 1420;               // bytes
  std::vector<IpAddress> addresses = {};  // the gateway's own, one of each pool
  std::vector<Prefix> pools = {};         // the clients' addresses
};

// What our ruleset puts on packets of the tunnel before they are routed, and the bits it looks at.
inline constexpr std::uint32_t kSeenMark = 0x5e0000;
inline constexpr std::uint32_t kSeenMask = 0xff0000;

// Marks our rules and routes as ours (FRA_PROTOCOL, RTA protocol): `ip rule` shows "proto 94".
// Unassigned in linux/rtnetlink.h and in iproute2's rt_protos.
inline constexpr std::uint8_t kRouteProtocol = 94;

}  // namespace sekisho::kernel

#pragma once

#include <array>
#include <string>
#include <vector>

#include "policy/base/ip.h"
#include "policy/base/keys.h"
#include "policy/base/ports.h"

namespace sekisho {

// What the gateway itself offers at its tunnel addresses to every device in good standing and to
// isolated ones: name service, and the page that says what became of a device.
struct GatewayService {
  Protocol protocol;
  Port port;
};
inline constexpr Port kNameService{53}, kNoticePage{80};
inline constexpr std::array kGatewayServices{GatewayService{Protocol::tcp, kNameService},
                                             GatewayService{Protocol::udp, kNameService},
                                             GatewayService{Protocol::tcp, kNoticePage}};

// The gateway's own network, as policy needs to know it; comes from sekisho.toml and the gateway's
// key, not from the policy.
struct Network {
  std::string interface = "wg0";  // 1 to 15 characters (IFNAMSIZ), letters, digits, '_', '-', '.'
  Port listen_port = Port(51820);
  int mtu = 1420;
  std::vector<Prefix> pools;                 // tunnel addresses: at most one of each family
  std::vector<Prefix> public_prefixes = {};  // special-use prefixes that count as public here
  PublicKey gateway_key = {};                // which no device may have; all zero: not known

  // The gateway's tunnel address in a pool: its first host address.
  std::vector<IpAddress> gateway_addresses() const;
  bool operator==(const Network&) const = default;
};

}  // namespace sekisho

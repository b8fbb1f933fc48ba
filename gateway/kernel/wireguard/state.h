#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/base/ip.h"
#include "policy/base/keys.h"
#include "policy/base/ports.h"
#include "policy/base/time.h"

namespace sekisho::kernel {

// A peer as it is to be. Everything named here is set; endpoint and keepalive are the client's
// affair and left as they are.
struct PeerConfig {
  PublicKey key;
  std::optional<PresharedKey> preshared_key = {};
  std::vector<Prefix> allowed_ips = {};
};

// A peer as it is.
struct PeerState {
  PublicKey key;
  std::optional<PresharedKey> preshared_key = {};
  std::vector<Prefix> allowed_ips = {};
  std::string endpoint = {};                // "192.0.2.1:51820", "[2001:db8::1]:51820", or empty
  std::optional<Time> last_handshake = {};  // none yet
  std::uint64_t received_bytes = 0;         // from the peer, encrypted, since it was added
  std::uint64_t sent_bytes = 0;
  std::uint16_t keepalive_s = 0;  // 0 is off
};

// Two settings of a peer's keepalive, in this order: one of them turns it on, at which WireGuard
// sends a packet at once, and it ends as it was.
inline std::array<std::uint16_t, 2> calling_keepalives(const PeerState& peer) {
  return {static_cast<std::uint16_t>(peer.keepalive_s == 0 ? 1 : 0), peer.keepalive_s};
}

struct DeviceState {
  std::string interface;
  PublicKey key;     // all zero: no private key is set
  Port listen_port;  // 0: none
  std::uint32_t fwmark = 0;
  std::vector<PeerState> peers = {};
};

}  // namespace sekisho::kernel

#pragma once

#include <memory>
#include <span>
#include <string>

#include "gateway/kernel/wireguard/state.h"
#include "policy/base/result.h"

namespace sekisho::kernel {

// One WireGuard interface that exists already. Two backends: the kernel's own WireGuard, and the
// userspace implementation wireguard-go. Not for use by two threads at once.
class WireGuard {
 public:
  virtual ~WireGuard() = default;

  // Sets the gateway's key and port. What is already so is left alone, because setting it anew
  // would re-open the socket (wireguard-go) and end sessions. After a change of the port each peer
  // that was heard of is sent a packet from the new one: a client follows the port that last spoke
  // to it, and would go on sending to the old one for as long as nobody calls it.
  virtual Result<void> configure(const PrivateKey& key, Port listen_port) = 0;

  virtual Result<DeviceState> read() = 0;

  // Removes the peers in `remove` (none is an error), then adds or updates those in `update`:
  // allowed addresses and preshared key become exactly what is given. No other peer is touched, and
  // no handshake or counter is reset. Not atomic: when it fails, part of it may have happened;
  // read() and peers_diff() say what is left to do.
  virtual Result<void> change(std::span<const PublicKey> remove,
                              std::span<const PeerConfig* const> update) = 0;
};

// The backend follows from what the interface is: kind "wireguard" is the kernel's, anything else
// must be answered for at /var/run/wireguard/<interface>.sock. ErrorCode::not_found without the
// interface.
Result<std::unique_ptr<WireGuard>> open_wireguard(const std::string& interface);

}  // namespace sekisho::kernel

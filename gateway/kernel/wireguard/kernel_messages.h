#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/message.h"
#include "gateway/kernel/wireguard/state.h"
#include "policy/base/result.h"

// The messages of WireGuard's generic netlink family, after linux/wireguard.h. Pure.
namespace sekisho::kernel {

// WG_CMD_GET_DEVICE, to be sent as a dump. `family` is the number the kernel gave the family.
Message wg_get_device(std::uint16_t family, const std::string& interface);

// WG_CMD_SET_DEVICE for the device alone.
Message wg_set_key(std::uint16_t family, const std::string& interface, const PrivateKey& key);
Message wg_set_port(std::uint16_t family, const std::string& interface, Port listen_port);

// WG_CMD_SET_DEVICE for peers: removals first, then updates. As few messages as the 16-bit length
// of the list of peers allows; a peer whose addresses do not fit goes on in the next message,
// without the flag that would replace what the first one set.
std::vector<Message> wg_set_peers(std::uint16_t family, const std::string& interface,
                                  std::span<const PublicKey> remove,
                                  std::span<const PeerConfig* const> update);

// Sends each peer that has an endpoint a keepalive at once: WireGuard does when the persistent
// keepalive is turned on. It is left as it was.
std::vector<Message> wg_call_peers(std::uint16_t family, const std::string& interface,
                                   std::span<const PeerState> peers);

// Puts together the messages of a dump: the kernel splits between peers and in the middle of one.
class DeviceReader {
 public:
  // Forgets what was taken.
  void restart() { device_ = {}; }
  // Fails where an attribute is not what linux/wireguard.h says.
  Result<void> take(const nlmsghdr& message);
  DeviceState finish() { return std::move(device_); }

 private:
  DeviceState device_;
};

}  // namespace sekisho::kernel

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "gateway/kernel/netlink/unique_fd.h"
#include "tests/netns/support/namespace.h"

namespace sekisho::netns {

// A gateway in a namespace, between two ends that are in our hands: `wg0`, as WireGuard's interface
// gives and takes the devices' packets, and `up0`, behind which lies every other address. Both are
// tun interfaces: once a packet is written, it has come through or was refused. A plain router of
// 10.66.0.1, fd66::1 (wg0), 192.0.2.1 and 2001:db8:1::1 (up0), without any rules.
class Wire {
 public:
  enum End : std::size_t { wg0, up0 };
  struct Arrival {
    End at;
    std::string bytes;
  };

  Wire();

  // False where the interface would not take it.
  bool put(End end, const std::string& bytes);
  // The next packet that came out, of either end. What the gateway tells all its neighbours
  // (multicast) is left out.
  std::optional<Arrival> take();
  // A socket of the gateway's own: SOCK_STREAM listens, SOCK_DGRAM receives, on all addresses.
  kernel::UniqueFd listen(std::uint16_t port, int type) const;
  // As when the program behind wg0 ends: the interface is gone.
  void lose_tunnel() { tunnels_[wg0] = {}; }

  const Namespace& space() const { return gateway_; }

 private:
  Namespace gateway_;
  std::array<kernel::UniqueFd, 2> tunnels_;
};

}  // namespace sekisho::netns

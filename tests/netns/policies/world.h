#pragma once

#include <map>
#include <optional>
#include <string>

#include "gateway/kernel/netlink/unique_fd.h"
#include "policy/explain/evaluate.h"
#include "tests/netns/gateway/packet.h"
#include "tests/netns/gateway/wire.h"

namespace sekisho::policies {

using netns::Wire;

// A wire (wire.h) on whose gateway something listens too, so that nothing but the rules refuses.
class World {
 public:
  World();

  // Opens the flow as its device, answers as its destination, and says whether it was let: with an
  // opening, whether the first bytes of both sides arrived; without one, whether it could begin.
  // What UDP begins with is its payload: without an opening, one that satisfies `check`.
  Verdict send(const Flow& flow, Check check);

  // A flow that lives: the next packet of either side.
  struct Live {
    netns::Packet client, server;
    Wire::End far = Wire::up0;
  };
  // Opens it with the first bytes of both sides; nothing where it is not let.
  std::optional<Live> open(const Flow& flow, Check check);
  // Whether what either side says next arrives.
  struct Passed {
    bool client = false, server = false;
  };
  Passed talk(Live& live);

  const netns::Namespace& space() const { return wire_.space(); }
  // Packets of TCP, UDP or an echo that nobody expected: there should be none.
  int strays() const { return strays_; }

 private:
  struct Arrival {
    Wire::End at;
    netns::Packet packet;
  };
  // Writes the packet, and looks for it where it comes out: on its way to `destination`, which is
  // another than its own where masquerade is undone. A reset is a refusal, and so is nothing.
  std::optional<Arrival> through(Wire::End end, const netns::Packet& packet,
                                 const IpAddress& destination);
  std::optional<Arrival> come_out();
  bool tcp_opens(const netns::Packet& syn, const Arrival& far, const std::string& client_says,
                 const std::string& server_says);
  netns::Packet first_packet(const Flow& flow, Check check);
  Verdict ask_gateway(const netns::Packet& first);

  Wire wire_;
  std::map<std::uint16_t, kernel::UniqueFd> tcp_listeners_, udp_listeners_;
  std::uint16_t next_port_ = 20000;
  int strays_ = 0;
};

}  // namespace sekisho::policies

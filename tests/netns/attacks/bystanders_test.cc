// What is not the tunnel's is not touched; what is fits the way.
#include <algorithm>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class Bystanders : public Attack {};
SEKISHO_BOTH_FAMILIES(Bystanders);

// Traffic of others that this machine routes too (containers, say), as it is.
bool others_are_routed(Scene scene) {
  const Packet first = scene.syn(scene.stranger(), scene.server(), 80);
  return std::ranges::any_of(scene.send(Wire::up0, first), [&](const Wire::Arrival& arrival) {
    const auto packet = netns::parse(arrival.bytes);
    return packet && packet->tcp_flags == kSyn && packet->source == scene.stranger();
  });
}

TEST_P(Bystanders, OthersAreRoutedAsBefore) {
  EXPECT_TRUE(others_are_routed(Scene(GetParam())));
  EXPECT_FALSE(others_are_routed(Scene(GetParam(), {first_of_all("forward", {nft::Drop{}})})));
  const Weakening masquerade_all = first_of_all("postrouting", {nft::Masquerade{}});
  EXPECT_FALSE(others_are_routed(Scene(GetParam(), {masquerade_all})));
}

// Another table's drop is final, and a repair of ours leaves it there.
bool passes_beside(Scene scene, const std::string& verdict) {
  scene.rules.at_gateway(
      "nft 'add table inet docker; add chain inet docker f"
      " { type filter hook forward priority 10; }; add rule inet docker f counter " +
      verdict + "'");
  const std::string before = scene.rules.output_of("nft -s -a list table inet docker");
  scene.rules.at_gateway("nft flush chain inet sekisho from_tunnel");
  scene.rules.repair();
  EXPECT_EQ(scene.rules.output_of("nft -s -a list table inet docker"), before);
  return scene.leaves(scene.syn(scene.laptop(), scene.server(), 443));
}

TEST_P(Bystanders, OtherTablesStayAndTheirDropIsFinal) {
  EXPECT_FALSE(passes_beside(Scene(GetParam()), "drop"));
  EXPECT_TRUE(passes_beside(Scene(GetParam()), "accept"));
}

// The maximum segment size that a SYN from the laptop, and the answer to it, arrive with: both as
// the narrower of the two ways allows.
std::uint16_t segment_size(const std::vector<Wire::Arrival>& arrivals, Wire::End at) {
  for (const auto& arrival : arrivals) {
    const auto packet = netns::parse(arrival.bytes);
    if (arrival.at != at || !packet || packet->tcp_options.size() != 4) continue;
    return static_cast<std::uint16_t>(static_cast<std::uint8_t>(packet->tcp_options[2]) << 8 |
                                      static_cast<std::uint8_t>(packet->tcp_options[3]));
  }
  return 0;
}

struct Sizes {
  std::uint16_t out = 0, back = 0;
  bool operator==(const Sizes&) const = default;
};

Sizes sizes(Scene scene) {
  scene.rules.at_gateway("ip link set wg0 mtu 1420 && ip link set up0 mtu 1400");
  const std::string ethernet("\x02\x04\x05\xb4", 4);  // 1460
  Packet syn = scene.syn(scene.laptop(), scene.server(), 443);
  syn.tcp_options = ethernet;
  const auto there = scene.send(Wire::wg0, syn);
  EXPECT_EQ(there.size(), 1U);
  Packet answer = netns::parse(there.at(0).bytes)->back();
  answer.tcp_flags = kSyn | kAck;
  answer.sequence = 1;
  answer.acknowledged = syn.sequence + 1;
  answer.tcp_options = ethernet;
  return {segment_size(there, Wire::up0), segment_size(scene.send(Wire::up0, answer), Wire::wg0)};
}

TEST_P(Bystanders, SegmentsFitBothWays) {
  const std::uint16_t fit = GetParam() == Family::v4 ? 1360 : 1340;
  EXPECT_EQ(sizes(Scene(GetParam())), (Sizes{fit, fit}));
  EXPECT_EQ(sizes(Scene(GetParam(), {without("from_tunnel_syn", "segments must fit")})),
            (Sizes{1460, fit}));
  EXPECT_EQ(sizes(Scene(GetParam(), {without("to_tunnel", "segments must fit")})),
            (Sizes{fit, 1460}));
}

}  // namespace
}  // namespace sekisho::attacks

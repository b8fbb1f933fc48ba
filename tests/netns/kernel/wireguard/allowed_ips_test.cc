// Allowed addresses: what a device may send from and is sent, however many there are.
#include <gmock/gmock.h>

#include "gateway/kernel/wireguard/peers_diff.h"
#include "gateway/keys/keys.h"
#include "tests/netns/kernel/wireguard/lab.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;

class AllowedIps : public WireGuardTest {
 protected:
  void allow(const std::vector<Prefix>& networks) {
    gateway_.in([&] {
      update(*gateway_wg_, {.key = public_key_of(client_key_), .allowed_ips = networks});
    });
  }

  // How many of three packets come out of the tunnel at the other side, whatever is answered.
  static int arrive(const netns::Namespace& from, const std::string& source,
                    const netns::Namespace& to, const std::string& destination) {
    const std::string family = source.find(':') == std::string::npos ? "ip" : "ip6";
    to.in([&] {
      must(
          "nft 'table inet seen { chain c { type filter hook prerouting priority 0; iifname "
          "\"wg*\" " +
          family + " saddr " + source + " " + family + " daddr " + destination + " counter; }; }'");
    });
    from.in([&] {
      netns::run("ping -q -c 3 -i 0.2 -W 1 -I " + source + " " + destination + " >/dev/null 2>&1");
    });
    std::string counted;
    to.in([&] {
      counted =
          output_of("nft list table inet seen | sed -n 's/.*counter packets \\([0-9]*\\).*/\\1/p'");
      must("nft delete table inet seen");
    });
    return counted.empty() ? -1 : std::stoi(counted);
  }
};

TEST_P(AllowedIps, FilterWhatComesAndWhatGoes) {
  connect();
  client_.in([&] {
    must("ip address add 10.66.0.77/32 dev wgc && ip address add fd66::77/128 dev wgc nodad");
    must("ip -6 route add fd66::/64 dev wgc");
    PeerConfig gateway = gateway_peer();
    gateway.allowed_ips.push_back(prefix("fd66::/64"));
    update(*client_wg_, gateway);
  });
  gateway_.in([] {
    must("ip address add fd66::1/128 dev wgs nodad && ip -6 route add fd66::/64 dev wgs");
  });
  const Prefix own = prefix("10.66.0.2/32");
  const auto look = [&](const std::vector<Prefix>& allowed, int packets) {
    allow(allowed);
    for (const auto& [device, gateway] :
         {std::pair("10.66.0.77", "10.66.0.1"), std::pair("fd66::77", "fd66::1")}) {
      EXPECT_EQ(arrive(client_, device, gateway_, gateway), packets) << "from " << device;
      EXPECT_EQ(arrive(gateway_, gateway, client_, device), packets) << "to " << device;
    }
    EXPECT_EQ(arrive(client_, "10.66.0.2", gateway_, "10.66.0.1"), 3) << "its own address";
  };
  look({own}, 0);
  look({own, prefix("10.66.0.77/32"), prefix("fd66::77/128")}, 3);  // the control
  look({own, prefix("10.66.0.76/32"), prefix("fd66::78/127")}, 0);
}

// One peer's addresses fill several messages in both directions.
TEST_P(AllowedIps, AreReadAndWrittenWholeHoweverMany) {
  connect();
  client_.in(
      [] { must("ip address add 10.70.0.0/32 dev wgc && ip address add 10.70.15.9/32 dev wgc"); });
  gateway_.in([] { must("ip route add 10.70.0.0/16 dev wgs"); });
  std::vector<PeerConfig> peers;
  for (const int many : {300, 0, 300}) {
    PeerConfig& peer =
        peers.emplace_back(PeerConfig{.key = public_key_of(make_private_key(random_bytes()))});
    for (int i = 0; i < many; ++i) {
      const std::string host = std::to_string(peers.size()) + ":" + std::to_string(i);
      peer.allowed_ips.push_back(prefix("fd66::" + host + "/128"));
    }
  }
  PeerConfig& client = peers[1];
  client = client_peer();
  for (int i = 0; i < 16 * 256; ++i) {
    const std::string third = std::to_string(i / 256), fourth = std::to_string(i % 256);
    client.allowed_ips.push_back(prefix("10.70." + third + "." + fourth + "/32"));
    client.allowed_ips.push_back(prefix("fd66:70::" + third + ":" + fourth + "/128"));
  }
  std::vector<const PeerConfig*> list;
  for (const PeerConfig& peer : peers) list.push_back(&peer);
  const auto before = client_state();
  gateway_.in([&] { check(gateway_wg_->change({}, list)); });

  EXPECT_EQ(gateway_state().peers.size(), 3u);
  EXPECT_EQ(client_state().allowed_ips.size(), client.allowed_ips.size());
  EXPECT_TRUE(peers_diff(gateway_state().peers, peers).empty());
  EXPECT_EQ(client_state().last_handshake, before.last_handshake);
  EXPECT_TRUE(ping("10.70.0.0"));
  EXPECT_TRUE(ping("10.70.15.9"));

  // One of the thousands goes.
  std::erase(client.allowed_ips, prefix("10.70.15.9/32"));
  EXPECT_EQ(peers_diff(gateway_state().peers, peers).update.size(), 1u);
  gateway_.in([&] { update(*gateway_wg_, client); });
  EXPECT_TRUE(peers_diff(gateway_state().peers, peers).empty());
  EXPECT_TRUE(ping("10.70.0.0"));
  EXPECT_FALSE(ping("10.70.15.9"));
}

INSTANTIATE_TEST_SUITE_P(On, AllowedIps, ::testing::Values("wireguard_go", "kernel"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace sekisho::kernel

// Keys: a session belongs to the keys it was made with, and to no key that everybody knows.
#include <gmock/gmock.h>

#include <array>

#include "gateway/keys/keys.h"
#include "tests/netns/kernel/wireguard/lab.h"

namespace sekisho::kernel {
namespace {

using netns::must;

class Key : public WireGuardTest {
 protected:
  // A client that has just failed waits some seconds before its next handshake.
  bool ping_at_last() {
    return netns::wait_until([&] { return ping(); }, 20);
  }
};

TEST_P(Key, OfADeviceChangesAndTheOldOneReachesNothing) {
  connect();
  const PublicKey old_key = public_key_of(client_key_);
  PrivateKey new_key = make_private_key(random_bytes());
  gateway_.in([&] {
    const PeerConfig peer{.key = public_key_of(new_key), .allowed_ips = client_peer().allowed_ips};
    const PeerConfig* const list[] = {&peer};
    check(gateway_wg_->change({&old_key, 1}, list));
  });
  EXPECT_EQ(state_of(old_key).key, PublicKey());
  EXPECT_FALSE(ping()) << "the session of the old key";
  EXPECT_FALSE(state_of(public_key_of(new_key)).last_handshake);

  client_.in([&] { check(client_wg_->configure(new_key, Port(40000))); });
  EXPECT_TRUE(ping_at_last());
  EXPECT_TRUE(state_of(public_key_of(new_key)).last_handshake);
}

TEST_P(Key, OfTheGatewayChangesAndPeersStay) {
  connect();
  const PublicKey old_key = public_key_of(gateway_key_);
  gateway_key_ = make_private_key(random_bytes());
  gateway_.in([&] { check(gateway_wg_->configure(gateway_key_, Port(51820))); });
  EXPECT_EQ(gateway_state().key, public_key_of(gateway_key_));
  EXPECT_THAT(client_state().allowed_ips, ::testing::ElementsAre(prefix("10.66.0.2/32")));
  EXPECT_FALSE(ping()) << "to the old key";

  client_.in([&] {
    const PeerConfig peer = gateway_peer();
    const PeerConfig* const list[] = {&peer};
    check(client_wg_->change({&old_key, 1}, list));
  });
  point_client();
  EXPECT_TRUE(ping_at_last());
}

TEST_P(Key, PresharedMustBeTheSameOnBothSides) {
  const KeyBytes secret = random_bytes();
  const auto introduce = [](WireGuard& wireguard, PeerConfig peer, const KeyBytes& preshared) {
    peer.preshared_key.emplace(preshared);
    update(wireguard, peer);
  };
  gateway_.in([&] { introduce(*gateway_wg_, client_peer(), secret); });
  client_.in([&] { introduce(*client_wg_, gateway_peer(), random_bytes()); });
  point_client();
  EXPECT_FALSE(ping());
  EXPECT_FALSE(client_state().last_handshake);

  client_.in([&] { introduce(*client_wg_, gateway_peer(), secret); });
  EXPECT_TRUE(ping_at_last());
  EXPECT_TRUE(client_state().last_handshake);
}

// The points of order 1, 2, 4 and 8, and what is the same point (keys.cc). A secret agreed on with
// one of them is known to everybody.
std::vector<KeyBytes> low_order_points() {
  KeyBytes one{1};
  KeyBytes p_minus_1;
  p_minus_1.fill(0xff);
  p_minus_1.front() = 0xec;
  p_minus_1.back() = 0x7f;
  KeyBytes p = p_minus_1, p_plus_1 = p_minus_1;
  p.front() = 0xed;
  p_plus_1.front() = 0xee;
  std::vector<KeyBytes> points{
      KeyBytes{},
      one,
      {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
       0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
       0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
      {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
       0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
       0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
      p_minus_1,
      p,
      p_plus_1,
  };
  for (std::size_t i = 0, known = points.size(); i < known; ++i) {
    points.push_back(points[i]);
    points.back().back() |= 0x80;
  }
  return points;
}

// The policy refuses such keys (policy/base); should one come this far, no session arises.
TEST_P(Key, OfLowOrderIsNeverSpokenTo) {
  std::vector<KeyBytes> keys = low_order_points();
  keys.push_back(random_bytes());  // the control
  std::vector<std::string> addresses;
  gateway_.in([&] {
    for (const KeyBytes& bytes : keys) {
      addresses.push_back("10.66.0." + std::to_string(10 + addresses.size()));
      const PeerConfig peer{.key = PublicKey(bytes),
                            .allowed_ips = {prefix(addresses.back() + "/32")}};
      const PeerConfig* const list[] = {&peer};
      const auto added = gateway_wg_->change({}, list);
      if (!added) continue;  // refused is as good
      netns::run("wg set wgs peer " + peer.key.to_string() + " endpoint 192.0.2.2:40000");
    }
    std::string all;
    for (const std::string& address : addresses) all += "ping -q -c 1 -W 2 " + address + " & ";
    netns::run("{ " + all + "wait; } >/dev/null 2>&1");
  });
  for (const KeyBytes& bytes : keys) {
    const PeerState peer = state_of(PublicKey(bytes));
    const bool control = bytes == keys.back();
    EXPECT_EQ(peer.sent_bytes, control ? 148u : 0u) << PublicKey(bytes).to_string();
    EXPECT_FALSE(peer.last_handshake) << PublicKey(bytes).to_string();
  }
  // The others' sessions are made as ever.
  connect();
}

INSTANTIATE_TEST_SUITE_P(On, Key, ::testing::Values("wireguard_go", "kernel"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace sekisho::kernel

#include "gateway/kernel/wireguard/peers_diff.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

namespace sekisho::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PublicKey key(std::uint8_t value) {
  KeyBytes bytes;
  bytes.fill(value);
  return PublicKey(bytes);
}

std::optional<PresharedKey> secret(std::uint8_t value) {
  if (value == 0) return std::nullopt;
  return PresharedKey(key(value).bytes());
}

Prefix host(std::uint8_t last) {
  const std::uint8_t bytes[] = {10, 66, 0, last};
  return Prefix::host(IpAddress::from_bytes(bytes));
}

TEST(PeersDiff, NothingToDoIsNothing) {
  std::vector<PeerState> actual;
  actual.push_back({.key = key(1), .preshared_key = secret(9), .allowed_ips = {host(1), host(2)}});
  std::vector<PeerConfig> desired;
  desired.push_back({.key = key(1), .preshared_key = secret(9), .allowed_ips = {host(2), host(1)}});
  EXPECT_TRUE(peers_diff(actual, desired).empty());
}

TEST(PeersDiff, NamesOnlyWhatDiffers) {
  std::vector<PeerState> actual;
  actual.push_back({.key = key(1), .allowed_ips = {host(1)}});                              // same
  actual.push_back({.key = key(2), .allowed_ips = {host(2)}});                              // gone
  actual.push_back({.key = key(3), .allowed_ips = {host(30)}});                             // moved
  actual.push_back({.key = key(4), .preshared_key = secret(8), .allowed_ips = {host(4)}});  // psk
  actual.push_back({.key = key(5), .preshared_key = secret(8), .allowed_ips = {host(5)}});  // none
  std::vector<PeerConfig> desired;
  desired.push_back({.key = key(1), .allowed_ips = {host(1)}});
  desired.push_back({.key = key(3), .allowed_ips = {host(3)}});
  desired.push_back({.key = key(4), .preshared_key = secret(9), .allowed_ips = {host(4)}});
  desired.push_back({.key = key(5), .allowed_ips = {host(5)}});
  desired.push_back({.key = key(6), .allowed_ips = {host(6)}});
  const PeersDiff diff = peers_diff(actual, desired);
  EXPECT_THAT(diff.remove, ElementsAre(key(2)));
  EXPECT_THAT(diff.update, ElementsAre(&desired[1], &desired[2], &desired[3], &desired[4]));
}

TEST(PeersDiff, EmptyDesiredRemovesAll) {
  std::vector<PeerState> actual;
  actual.push_back({.key = key(1)});
  EXPECT_THAT(peers_diff(actual, {}).remove, ElementsAre(key(1)));
  EXPECT_THAT(peers_diff({}, {}).remove, IsEmpty());
}

// Applied to a model of WireGuard, in which an allowed address belongs to one peer and goes to
// whoever names it last, the difference leads from any state to any other.
TEST(PeersDiff, LeadsFromAnyStateToAnyOther) {
  std::mt19937 random(20260722);
  const auto draw = [&](unsigned limit) { return static_cast<std::uint8_t>(random() % limit); };
  for (int round = 0; round < 2'000; ++round) {
    std::map<PublicKey, std::pair<std::uint8_t, std::vector<Prefix>>> model;
    std::map<PublicKey, std::pair<std::uint8_t, std::vector<Prefix>>> wanted;
    for (auto* side : {&model, &wanted}) {
      std::uint8_t address = 1;
      for (int count = draw(6); count > 0; --count) {
        auto& peer = (*side)[key(static_cast<std::uint8_t>(1 + draw(8)))];
        peer.first = draw(3);
        peer.second.push_back(host(address));
        address = static_cast<std::uint8_t>(address + 1 + draw(2));
      }
    }
    std::vector<PeerState> actual;
    for (const auto& [name, peer] : model) {
      actual.push_back(
          {.key = name, .preshared_key = secret(peer.first), .allowed_ips = peer.second});
    }
    std::vector<PeerConfig> desired;
    for (const auto& [name, peer] : wanted) {
      desired.push_back(
          {.key = name, .preshared_key = secret(peer.first), .allowed_ips = peer.second});
    }
    const PeersDiff diff = peers_diff(actual, desired);
    for (const PublicKey& name : diff.remove) model.erase(name);
    for (const PeerConfig* peer : diff.update) {
      for (auto& [name, other] : model) {
        std::erase_if(other.second, [&](const Prefix& each) {
          return std::ranges::find(peer->allowed_ips, each) != peer->allowed_ips.end();
        });
      }
      const std::uint8_t value = peer->preshared_key ? peer->preshared_key->reveal()[0] : 0;
      model[peer->key] = {value, peer->allowed_ips};
    }
    ASSERT_EQ(model, wanted) << "round " << round;
  }
}

}  // namespace
}  // namespace sekisho::kernel

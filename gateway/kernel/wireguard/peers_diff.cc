#include "gateway/kernel/wireguard/peers_diff.h"

#include <algorithm>
#include <unordered_map>

namespace sekisho::kernel {
namespace {

bool same_key(const std::optional<PresharedKey>& a, const std::optional<PresharedKey>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->reveal() == b->reveal();
}

bool same_prefixes(std::vector<Prefix> a, std::vector<Prefix> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

bool is_as_desired(const PeerState& actual, const PeerConfig& desired) {
  return same_key(actual.preshared_key, desired.preshared_key) &&
         same_prefixes(actual.allowed_ips, desired.allowed_ips);
}

}  // namespace

PeersDiff peers_diff(std::span<const PeerState> actual, std::span<const PeerConfig> desired) {
  std::unordered_map<PublicKey, const PeerConfig*> wanted;
  for (const PeerConfig& peer : desired) wanted.emplace(peer.key, &peer);
  std::unordered_map<PublicKey, const PeerState*> present;
  for (const PeerState& peer : actual) present.emplace(peer.key, &peer);

  PeersDiff diff;
  for (const PeerState& peer : actual) {
    if (!wanted.contains(peer.key)) diff.remove.push_back(peer.key);
  }
  for (const PeerConfig& peer : desired) {
    const auto found = present.find(peer.key);
    if (found == present.end() || !is_as_desired(*found->second, peer)) {
      diff.update.push_back(&peer);
    }
  }
  return diff;
}

}  // namespace sekisho::kernel

#pragma once

#include <span>
#include <vector>

#include "gateway/kernel/wireguard/state.h"

namespace sekisho::kernel {

// What to change so that `actual` becomes `desired`, and nothing more: a peer that is as it should
// be is not named, so its tunnel is not touched.
struct PeersDiff {
  std::vector<PublicKey> remove;
  std::vector<const PeerConfig*> update;  // into `desired`, in its order
  bool empty() const { return remove.empty() && update.empty(); }
};

// `desired` names each key once, and each allowed address once.
PeersDiff peers_diff(std::span<const PeerState> actual, std::span<const PeerConfig> desired);

}  // namespace sekisho::kernel

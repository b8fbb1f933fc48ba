#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/daemon/config.h"
#include "gateway/engine/command.h"
#include "gateway/kernel/conntrack/conntrack.h"
#include "gateway/kernel/nftables/nftables.h"
#include "gateway/kernel/route/routing.h"
#include "gateway/kernel/route/sysctl.h"
#include "gateway/kernel/route/watcher.h"
#include "gateway/kernel/wireguard/wireguard.h"

namespace sekisho::daemon {

// The box that the gateway runs on: everything in the kernel that is ours, behind one door. Desired
// state in; what differs is found and changed inside. One thread.
class Box {
 public:
  using PresharedKeyOf = std::function<Result<PresharedKey>(const DeviceId&, const PublicKey&)>;

  // The tunnel interface must exist. `own_key` is the gateway's; `preshared_key` is asked once for
  // each peer.
  static Result<std::unique_ptr<Box>> open(const Config& config, PrivateKey own_key,
                                           PresharedKeyOf preshared_key);

  // The same box seen through sockets of its own, for a copy of the process: `original` is that
  // process's, and nothing of it may be used any more, nor destroyed.
  static Result<std::unique_ptr<Box>> beside(Box&& original);

  // Makes the kernel be `desired`, whatever it is now. What is right already is not touched. Peers
  // with addresses whose rights are another's go, then rules, then flows; then, by the second call,
  // peers and routes, and last forwarding, which is turned on.
  Result<void> install(const engine::Desired& desired);
  Result<void> open_tunnel(const engine::Desired& desired);
  // How many elements were read back.
  Result<std::size_t> change_tables(const TablesDiff& diff);
  Result<std::size_t> confirm_tables(const TablesDiff& held);
  Result<void> remark(const AtomSpace& space);
  Result<void> change_peers(const engine::ChangePeers& change);
  // How many connections went.
  Result<std::size_t> purge(const engine::PurgeFlows& purge);

  // Reads the store for what a look at these peers needs, so that beside() need not.
  Result<void> know(const engine::Peers& peers);
  // How the kernel differs from `desired`: one line each, none where all is right.
  Result<std::vector<std::string>> differences(const engine::Desired& desired);
  Result<std::vector<std::string>> rule_differences(const engine::Desired& desired);
  // The same for all but rules and tables, which a notification tells of: cheap enough for a timer.
  Result<std::vector<std::string>> quick_differences(const engine::Peers& peers);
  Result<std::vector<std::string>> peer_differences(const engine::Peers& peers);

  // What other firewalls on the box may do to the tunnel's traffic.
  Result<std::vector<kernel::ForeignRisk>> foreign_risks();

  Result<std::vector<engine::PeerStatus>> peers();
  // The connections of devices that have not ended.
  Result<std::vector<LiveFlow>> flows();
  const PublicKey& public_key() const { return public_key_; }

  // After the configuration's network changed: rules and routes follow at the next install().
  void use_network();

  // Readable when somebody else may have changed something.
  int nftables_fd() { return parts_.nftables.watcher().fd(); }
  int route_fd() { return parts_.route_watcher.fd(); }
  // Who changed what since the last call; empty where it does not concern us. "nft (pid 7)".
  Result<std::vector<std::string>> foreign_changes();

 private:
  struct Parts {
    kernel::Nftables nftables;
    std::unique_ptr<kernel::WireGuard> wireguard;
    kernel::Routing routing;
    kernel::RouteWatcher route_watcher;
    kernel::Conntrack conntrack;
  };
  Box(const Config& config, PrivateKey own_key, PresharedKeyOf preshared_key, Parts parts);

  Result<kernel::PeerConfig> wanted(const engine::Peer& peer);
  Result<std::span<const kernel::PeerConfig>> wanted(const engine::Peers& peers);
  // Peers with an address that is another's by `peers` and has rights by `tables`.
  Result<void> remove_strangers(const engine::Peers& peers, const Tables& tables);
  Result<void> set_peers(const engine::Peers& peers);
  std::vector<kernel::Setting> settings() const;

  const Config& config_;
  Ruleset ruleset_;
  PrivateKey own_key_;
  PublicKey public_key_;
  PresharedKeyOf preshared_key_;
  Parts parts_;
  engine::Peers wanted_for_;
  std::vector<kernel::PeerConfig> wanted_;  // of wanted_for_
};

}  // namespace sekisho::daemon

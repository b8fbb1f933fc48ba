#include "gateway/daemon/box.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <unordered_map>
#include <utility>

#include "gateway/kernel/wireguard/peers_diff.h"
#include "gateway/keys/keys.h"

namespace sekisho::daemon {

namespace {

kernel::Tunnel tunnel_of(const Network& network) {
  return {.interface = network.interface,
          .mtu = static_cast<std::uint32_t>(network.mtu),
          .addresses = network.gateway_addresses(),
          .pools = network.pools};
}

// For the record: which keys differ, never what the keys that shall be secret are.
std::vector<std::string> told(const kernel::PeersDiff& diff) {
  std::vector<std::string> lines;
  for (const PublicKey& key : diff.remove)
    lines.push_back("peer " + key.to_string() + " is not ours");
  for (const kernel::PeerConfig* peer : diff.update) {
    lines.push_back("peer " + peer->key.to_string() + " is missing or not as it should be");
  }
  return lines;
}

// Ends are counted from here: a whole second would let a right live up to a second too long.
kernel::Instant instant() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  std::ranges::move(more, std::back_inserter(to));
}

}  // namespace

Box::Box(const Config& config, PrivateKey own_key, PresharedKeyOf preshared_key, Parts parts)
    : config_(config),
      ruleset_(make_ruleset(config.network)),
      own_key_(std::move(own_key)),
      public_key_(public_key_of(own_key_)),
      preshared_key_(std::move(preshared_key)),
      parts_(std::move(parts)) {}

Result<std::unique_ptr<Box>> Box::open(const Config& config, PrivateKey own_key,
                                       PresharedKeyOf preshared_key) {
  auto wireguard = kernel::open_wireguard(config.network.interface);
  if (!wireguard) return std::unexpected(std::move(wireguard.error()));
  const auto ownership = config.own_table ? kernel::Ownership::owned : kernel::Ownership::shared;
  auto nftables = kernel::Nftables::open(ownership);
  if (!nftables) return std::unexpected(std::move(nftables.error()));
  auto routing = kernel::Routing::open(tunnel_of(config.network));
  if (!routing) return std::unexpected(std::move(routing.error()));
  auto route_watcher = kernel::RouteWatcher::open(tunnel_of(config.network));
  if (!route_watcher) return std::unexpected(std::move(route_watcher.error()));
  auto conntrack = kernel::Conntrack::open();
  if (!conntrack) return std::unexpected(std::move(conntrack.error()));
  return std::unique_ptr<Box>(
      new Box(config, std::move(own_key), std::move(preshared_key),
              {*std::move(nftables), *std::move(wireguard), *std::move(routing),
               *std::move(route_watcher), *std::move(conntrack)}));
}

Result<std::unique_ptr<Box>> Box::beside(Box&& original) {
  auto box = open(original.config_, std::move(original.own_key_), original.preshared_key_);
  if (!box) return box;
  (*box)->wanted_for_ = std::move(original.wanted_for_);
  (*box)->wanted_ = std::move(original.wanted_);
  return box;
}

Result<void> Box::install(const engine::Desired& desired) {
  // Counting and strictness of conntrack before anything is forwarded: the rules rely on them.
  if (auto done = kernel::ensure_conntrack_settings(); !done)
    return std::unexpected(std::move(done.error()));
  const auto tables = desired.tables();
  if (auto done = remove_strangers(desired.peers(), *tables); !done) return done;
  if (auto done = parts_.nftables.install(ruleset_, *tables, instant()); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return remark(desired.space());
}

Result<void> Box::open_tunnel(const engine::Desired& desired) {
  if (auto done = parts_.wireguard->configure(own_key_, config_.network.listen_port); !done)
    return done;
  if (auto done = parts_.routing.ensure(); !done) return std::unexpected(std::move(done.error()));
  if (auto done = set_peers(desired.peers()); !done) return done;
  if (auto done = kernel::ensure_settings(kernel::interface_settings(config_.network.interface));
      !done) {
    return std::unexpected(std::move(done.error()));
  }
  if (auto done = kernel::ensure_forwarding(); !done)
    return std::unexpected(std::move(done.error()));
  return {};
}

Result<std::size_t> Box::change_tables(const TablesDiff& diff) {
  return parts_.nftables.apply(diff, instant());
}

Result<std::size_t> Box::confirm_tables(const TablesDiff& held) {
  return parts_.nftables.confirm(held, instant());
}

// A flow whose number is not in `space` gets the number of its destination there, or none.
Result<void> Box::remark(const AtomSpace& space) {
  std::set<AtomMark> known;
  for (const Atom& atom : space.atoms) known.insert(atom.mark);
  auto done = parts_.conntrack.remark(
      [&](AtomMark old, const kernel::FlowTuple& original) -> std::optional<AtomMark> {
        if (known.contains(old)) return std::nullopt;
        const AtomMark found =
            find_atom(space, original.destination, static_cast<Protocol>(original.protocol),
                      original.destination_port);
        return found ? std::optional(found) : std::nullopt;
      });
  if (!done) return std::unexpected(std::move(done.error()));
  return {};
}

Result<std::size_t> Box::purge(const engine::PurgeFlows& purge) {
  const auto in_pools = [&](const IpAddress& address) {
    return std::ranges::any_of(config_.network.pools,
                               [&](const Prefix& pool) { return pool.contains(address); });
  };
  return parts_.conntrack.purge([&](const kernel::Flow& flow) {
    const AtomMark atom = AtomMark::from_mark(flow.mark);
    if (atom && purge.keep.contains(atom)) return false;
    if (purge.atoms.contains(atom)) return true;
    return std::ranges::any_of(std::array{flow.original.source, flow.original.destination,
                                          flow.reply.source, flow.reply.destination},
                               [&](const IpAddress& end) {
                                 return purge.all ? in_pools(end) : purge.addresses.contains(end);
                               });
  });
}

Result<kernel::PeerConfig> Box::wanted(const engine::Peer& peer) {
  auto preshared = preshared_key_(peer.device, peer.public_key);
  if (!preshared) return std::unexpected(std::move(preshared.error()));
  kernel::PeerConfig config{.key = peer.public_key, .preshared_key = *std::move(preshared)};
  for (const IpAddress& address : peer.addresses)
    config.allowed_ips.push_back(Prefix::host(address));
  return config;
}

// A device keeps its preshared key for as long as it has its public key, so the store is asked when
// a peer is new, not at every look.
Result<std::span<const kernel::PeerConfig>> Box::wanted(const engine::Peers& peers) {
  if (wanted_for_ == peers) return wanted_;
  const engine::Peers before = std::exchange(wanted_for_, {});
  std::vector<kernel::PeerConfig> known = std::exchange(wanted_, {});
  std::vector<kernel::PeerConfig> configs;
  configs.reserve(peers.size());
  std::size_t i = 0;  // both are sorted by device
  for (const engine::Peer& peer : peers) {
    while (i < before.size() && before[i].device < peer.device) ++i;
    if (i < before.size() && before[i] == peer) {
      configs.push_back(std::move(known[i]));
      continue;
    }
    auto config = wanted(peer);
    if (!config) return std::unexpected(std::move(config.error()));
    configs.push_back(*std::move(config));
  }
  wanted_ = std::move(configs);
  wanted_for_ = peers;
  return wanted_;
}

Result<void> Box::know(const engine::Peers& peers) {
  const auto known = wanted(peers);
  if (!known) return std::unexpected(known.error());
  return {};
}

Result<void> Box::change_peers(const engine::ChangePeers& change) {
  std::vector<kernel::PeerConfig> configs;
  for (const engine::Peer& peer : change.set) {
    auto config = wanted(peer);
    if (!config) return std::unexpected(std::move(config.error()));
    configs.push_back(*std::move(config));
  }
  std::vector<const kernel::PeerConfig*> update;
  for (const kernel::PeerConfig& config : configs) update.push_back(&config);
  return parts_.wireguard->change(change.remove, update);
}

Result<void> Box::set_peers(const engine::Peers& peers) {
  auto configs = wanted(peers);
  if (!configs) return std::unexpected(std::move(configs.error()));
  auto actual = parts_.wireguard->read();
  if (!actual) return std::unexpected(std::move(actual.error()));
  const kernel::PeersDiff change = kernel::peers_diff(actual->peers, *configs);
  if (change.empty()) return {};
  return parts_.wireguard->change(change.remove, change.update);
}

Result<void> Box::remove_strangers(const engine::Peers& peers, const Tables& tables) {
  const auto actual = parts_.wireguard->read();
  if (!actual) return {};  // no tunnel that could carry anything; open_tunnel() says why
  std::unordered_map<IpAddress, const PublicKey*> holders;
  for (const engine::Peer& peer : peers) {
    for (const IpAddress& address : peer.addresses) holders.emplace(address, &peer.public_key);
  }
  // Where the address gets no rights the peer may wait for open_tunnel().
  const auto is_harmless = [&](const PublicKey& key, const Prefix& prefix) {
    if (prefix != Prefix::host(prefix.address())) return false;
    const auto holder = holders.find(prefix.address());
    return (holder != holders.end() && *holder->second == key) ||
           !tables.cohorts.contains(prefix.address());
  };
  std::vector<PublicKey> strangers;
  for (const kernel::PeerState& peer : actual->peers) {
    const bool stays = std::ranges::all_of(
        peer.allowed_ips, [&](const Prefix& prefix) { return is_harmless(peer.key, prefix); });
    if (!stays) strangers.push_back(peer.key);
  }
  if (strangers.empty()) return {};
  return parts_.wireguard->change(strangers, {});
}

Result<std::vector<std::string>> Box::peer_differences(const engine::Peers& peers) {
  auto configs = wanted(peers);
  if (!configs) return std::unexpected(std::move(configs.error()));
  auto actual = parts_.wireguard->read();
  if (!actual) return std::unexpected(std::move(actual.error()));
  std::vector<std::string> lines = told(kernel::peers_diff(actual->peers, *configs));
  if (actual->key != public_key_)
    lines.emplace_back("the tunnel's private key is not the gateway's");
  if (actual->listen_port != config_.network.listen_port)
    lines.emplace_back("the tunnel listens on another port");
  return lines;
}

std::vector<kernel::Setting> Box::settings() const {
  std::vector<kernel::Setting> all = kernel::conntrack_settings();
  std::ranges::move(kernel::interface_settings(config_.network.interface), std::back_inserter(all));
  all.push_back({"net/ipv4/ip_forward", "1"});
  all.push_back({"net/ipv6/conf/all/forwarding", "1"});
  return all;
}

Result<std::vector<std::string>> Box::quick_differences(const engine::Peers& peers) {
  auto lines = peer_differences(peers);
  if (!lines) return lines;
  auto routes = parts_.routing.observe();
  if (!routes) return std::unexpected(std::move(routes.error()));
  append(*lines, std::move(routes->differences));
  auto set_otherwise = kernel::observe_settings(settings());
  if (!set_otherwise) return set_otherwise;
  append(*lines, *std::move(set_otherwise));
  return lines;
}

Result<std::vector<std::string>> Box::rule_differences(const engine::Desired& desired) {
  return parts_.nftables.observe(ruleset_, *desired.tables(), instant());
}

Result<std::vector<std::string>> Box::differences(const engine::Desired& desired) {
  auto lines = rule_differences(desired);
  if (!lines) return lines;
  auto rest = quick_differences(desired.peers());
  if (!rest) return rest;
  append(*lines, *std::move(rest));
  return lines;
}

Result<std::vector<kernel::ForeignRisk>> Box::foreign_risks() {
  return parts_.nftables.foreign_risks(
      {.interface = config_.network.interface, .listen_port = config_.network.listen_port});
}

Result<std::vector<engine::PeerStatus>> Box::peers() {
  auto device = parts_.wireguard->read();
  if (!device) return std::unexpected(std::move(device.error()));
  std::vector<engine::PeerStatus> peers;
  for (kernel::PeerState& peer : device->peers) {
    peers.push_back({.public_key = peer.key,
                     .endpoint = std::move(peer.endpoint),
                     .last_handshake = peer.last_handshake,
                     .received_bytes = peer.received_bytes,
                     .sent_bytes = peer.sent_bytes});
  }
  std::ranges::sort(peers, {}, &engine::PeerStatus::public_key);
  return peers;
}

Result<std::vector<LiveFlow>> Box::flows() {
  auto all = parts_.conntrack.flows();
  if (!all) return std::unexpected(std::move(all.error()));
  std::vector<LiveFlow> flows;
  for (const kernel::Flow& flow : *all) {
    if (flow.has_ended) continue;
    flows.push_back({.source = flow.original.source,
                     .destination = flow.original.destination,
                     .protocol = Protocol{flow.original.protocol},
                     .source_port = flow.original.source_port,
                     .port = flow.original.destination_port,
                     .mark = flow.mark,
                     .bytes = flow.sent.bytes + flow.answered.bytes});
  }
  return flows;
}

void Box::use_network() {
  ruleset_ = make_ruleset(config_.network);
  parts_.routing.use(tunnel_of(config_.network));
  parts_.route_watcher.use(tunnel_of(config_.network));
}

Result<std::vector<std::string>> Box::foreign_changes() {
  std::vector<std::string> by;
  auto changes = parts_.nftables.watcher().read();
  if (!changes) return std::unexpected(std::move(changes.error()));
  for (const kernel::ForeignChange& change : *changes) {
    if (change.lost)
      by.emplace_back("somebody (notifications were lost)");
    else if (change.tables.contains(kTableName))
      by.push_back(change.program + " (pid " + std::to_string(change.pid) + ")");
  }
  auto routes = parts_.route_watcher.read();
  if (!routes) return std::unexpected(std::move(routes.error()));
  if (*routes) by.emplace_back("somebody (routes or links)");
  return by;
}

}  // namespace sekisho::daemon

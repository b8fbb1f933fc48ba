#include "gateway/daemon/examine.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "gateway/daemon/log.h"

namespace sekisho::daemon {

namespace {

using engine::Finding;

constexpr std::uintmax_t kLeastFree = std::uintmax_t{200} << 20;

Finding good(std::string subject, std::string finding) {
  return {.subject = std::move(subject), .good = true, .finding = std::move(finding), .mend = {}};
}
Finding wrong(std::string subject, std::string finding, std::string mend) {
  return {.subject = std::move(subject),
          .good = false,
          .finding = std::move(finding),
          .mend = std::move(mend)};
}

Finding kernel_holds_policy(Box& box, const engine::Desired& desired) {
  auto found = box.differences(desired);
  if (!found) return wrong("enforcement", to_string(found.error()), "journalctl -u sekishod");
  if (found->empty()) return good("enforcement", "the kernel holds exactly the policy in force");
  return wrong(
      "enforcement", joined(*found),
      "it is repaired within a second; if this stays, what hinders it is in: sekisho status");
}

// "10.66.0.2:40000", "[fd66::2]:40000"
bool lies_in(const std::vector<Prefix>& pools, const std::string& endpoint) {
  std::string address = endpoint.substr(0, endpoint.rfind(':'));
  if (address.starts_with('[')) address = address.substr(1, address.size() - 2);
  const auto ip = IpAddress::parse(address);
  return ip && std::ranges::any_of(pools, [&](const Prefix& pool) { return pool.contains(*ip); });
}

Finding devices_have_tunnels(const Config& config, Box& box, const engine::Desired& desired) {
  auto found = box.peer_differences(desired.peers());
  auto peers = found ? box.peers() : std::unexpected(found.error());
  if (!peers)
    return wrong("tunnels", to_string(peers.error()), "ip link show; systemctl status sekishod");
  if (!found->empty())
    return wrong("tunnels", joined(*found),
                 "it is repaired within a second; if this stays: systemctl restart sekishod");
  // WireGuard would send such a device's packets into the tunnel again, and the rules drop them.
  for (const engine::PeerStatus& peer : *peers) {
    if (lies_in(config.network.pools, peer.endpoint))
      return wrong("tunnels",
                   "the endpoint of the device with key " + peer.public_key.to_string() + ", " +
                       peer.endpoint + ", lies inside the tunnel: the device is sent nothing",
                   "whatever the device sends next mends it: switch its tunnel off and on");
  }
  return good("tunnels",
              std::to_string(desired.peers().size()) + " devices may connect, and no other");
}

std::string rule_first_in(const std::string& chain, const std::string& rule) {
  return "nft insert rule " + chain + " " + rule;
}

// One finding for all: who may undo what the policy allows, and the command that lets the tunnel
// by.
Finding others_let_pass(Box& box) {
  using Kind = kernel::ForeignRisk::Kind;
  auto risks = box.foreign_risks();
  if (!risks) return wrong("other firewalls", to_string(risks.error()), "nft list ruleset");
  if (risks->empty()) return good("other firewalls", "no other table drops or re-marks");
  std::vector<std::string> found;
  std::vector<std::string> mends;
  for (const kernel::ForeignRisk& risk : *risks) {
    const std::string chain = risk.family + " " + risk.table + " " + risk.chain;
    const std::string who = "table " + risk.family + " " + risk.table + ", chain " + risk.chain;
    switch (risk.kind) {
      case Kind::drops:
        found.push_back(who + " drops what it does not know: staff traffic may be lost there");
        for (const std::string& match : risk.let_by)
          mends.push_back(rule_first_in(chain, match + " accept"));
        break;
      case Kind::remarks:
        found.push_back(who + " sets the ct mark, which the gateway needs: staff flows may be cut");
        mends.push_back("nft -a list chain " + chain + ", and remove the rule that sets it");
        break;
      case Kind::bypasses:
        found.push_back(who + " puts flows into a flowtable, where no policy is looked up");
        mends.push_back("nft -a list chain " + chain + ", and remove the rule with 'flow add'");
        break;
    }
  }
  return wrong("other firewalls", joined(found), joined(mends));
}

// An address as /proc/net/udp and udp6 print it: 32-bit words of network order, read as the host
// does.
std::string proc_form(const IpAddress& address) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const auto bytes = address.bytes();
  std::string text;
  for (std::size_t word = 0; word < bytes.size(); word += 4) {
    for (std::size_t i = 4; i-- > 0;) {
      text += kDigits[bytes[word + i] >> 4];
      text += kDigits[bytes[word + i] & 0xf];
    }
  }
  return text;
}

bool answers_names_at(const IpAddress& address) {
  const bool v4 = address.family() == Family::v4;
  const std::string at = proc_form(address) + ":0035";
  const std::string anywhere = std::string(v4 ? 8 : 32, '0') + ":0035";
  const std::string anywhere6 = std::string(32, '0') + ":0035";
  for (const char* file : {"/proc/net/udp", "/proc/net/udp6"}) {
    std::ifstream sockets(file);
    for (std::string line; std::getline(sockets, line);) {
      std::istringstream fields(line);
      std::string number;
      std::string local;
      fields >> number >> local;
      if (local == at || local == anywhere || local == anywhere6) return true;
    }
  }
  return false;
}

Finding names_are_answered(const Config& config) {
  for (const IpAddress& address : config.network.gateway_addresses()) {
    if (!answers_names_at(address)) {
      return wrong(
          "names",
          "nobody answers DNS at " + address.to_string() + ", so staff can open nothing by name",
          "systemctl start unbound, listening at the tunnel address (ip-freebind: yes)");
    }
  }
  return good("names", "a name server listens at the tunnel address");
}

Finding disk_has_room(const Config& config) {
  std::error_code error;
  const auto space = std::filesystem::space(config.state, error);
  if (error)
    return wrong("disk", config.state.string() + ": " + error.message(),
                 "mount it, then: systemctl restart sekishod");
  const std::string left =
      std::to_string(space.available >> 20) + " MiB free in " + config.state.string();
  if (space.available < kLeastFree)
    return wrong("disk", left + ": changes of policy will be refused when it is full",
                 "make room: du -xh " + config.state.string());
  return good("disk", left);
}

Finding clock_is_plausible(store::Store& store, Time now) {
  const auto newest = store.newest_time();
  if (!newest) return wrong("clock", to_string(newest.error()), "sekisho audit verify");
  if (now < *newest) {
    return wrong("clock",
                 "it says " + to_string(now) + ", but something was recorded at " +
                     to_string(*newest) + " already",
                 "timedatectl set-ntp true");
  }
  return good("clock", to_string(now));
}

Finding record_is_whole(store::Store& store) {
  const auto broken = store.verify_operations();
  if (!broken) return wrong("record", to_string(broken.error()), "restore the state from a backup");
  if (!*broken) return good("record", "no record of an operation was changed or removed");
  return wrong("record", "record " + std::to_string((*broken)->value()) + " was changed or removed",
               "sekisho audit list");
}

}  // namespace

std::vector<Finding> examine(const Config& config, Box& box, store::Store& store,
                             const engine::Desired& desired, Time now) {
  return {kernel_holds_policy(box, desired),
          devices_have_tunnels(config, box, desired),
          others_let_pass(box),
          names_are_answered(config),
          disk_has_room(config),
          clock_is_plausible(store, now),
          record_is_whole(store)};
}

}  // namespace sekisho::daemon

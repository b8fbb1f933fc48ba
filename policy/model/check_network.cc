#include <algorithm>
#include <array>
#include <map>

#include "policy/base/text.h"
#include "policy/model/checks.h"

namespace sekisho {
namespace {

constexpr int kMinMtu = 1280;  // what IPv6 needs of every link (RFC 8200 section 5)
constexpr int kMaxMtu = 9000;
constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ without its NUL

// From the widest to the narrowest pool. The narrowest still holds the gateway and one device; the
// widest keeps a slip of the keyboard from claiming half the address space.
struct PoolLengths {
  int widest;
  int narrowest;
};

PoolLengths pool_lengths(Family family) {
  return family == Family::v4 ? PoolLengths{8, 30} : PoolLengths{32, 126};
}

void check_interface(const std::string& name, Findings& findings) {
  const bool legal =
      !name.empty() && name.size() <= kMaxInterfaceName && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
      });
  // "all" and "default" are not interfaces but groups of them under /proc/sys/net.
  constexpr std::array<std::string_view, 5> kTaken = {".", "..", "lo", "all", "default"};
  if (!legal || std::ranges::find(kTaken, name) != kTaken.end()) {
    findings.add("network.interface", quote(name) + " cannot be the name of the tunnel",
                 "write 1 to 15 letters, digits, _ - or ., such as wg0");
  }
}

void check_pool(const Prefix& pool, const Network& network, Findings& findings) {
  const std::string path = element_path("network.pools", pool.to_string());
  const auto lengths = pool_lengths(pool.family());
  if (pool.length() < lengths.widest || pool.length() > lengths.narrowest) {
    findings.add(
        path, "the pool is too " + std::string(pool.length() < lengths.widest ? "wide" : "narrow"),
        "its length is from /" + std::to_string(lengths.widest) + " to /" +
            std::to_string(lengths.narrowest));
  }
  if (const auto why = unroutable(pool); !why.empty()) {
    findings.add(path, "the pool lies in " + std::string(why), "take a private network");
  }
  for (const Prefix& other : network.public_prefixes) {
    if (!pool.overlaps(other)) continue;
    findings.add(path, "the pool overlaps " + other.to_string() + " of public_prefixes",
                 "staff devices are never part of the internet: take another pool");
  }
}

}  // namespace

std::string_view unroutable(const Prefix& prefix) {
  static const auto kBlocks = [] {
    std::vector<std::pair<Prefix, std::string_view>> blocks;
    for (const auto& [text, name] : std::initializer_list<std::pair<const char*, const char*>>{
             {"0.0.0.0/8", "0.0.0.0/8, which names no destination"},
             {"127.0.0.0/8", "127.0.0.0/8, the loopback network"},
             {"169.254.0.0/16", "169.254.0.0/16, which no router forwards (link-local)"},
             {"224.0.0.0/4", "224.0.0.0/4, the multicast addresses"},
             {"240.0.0.0/4", "240.0.0.0/4, which is reserved"},
             {"::/128", "::/128, which names no destination"},
             {"::1/128", "::1/128, the loopback address"},
             {"::ffff:0:0/96", "::ffff:0:0/96, IPv4 addresses in disguise"},
             {"fe80::/10", "fe80::/10, which no router forwards (link-local)"},
             {"ff00::/8", "ff00::/8, the multicast addresses"}}) {
      blocks.emplace_back(Prefix::parse(text).value(), name);
    }
    return blocks;
  }();
  for (const auto& [block, name] : kBlocks) {
    if (block.contains(prefix)) return name;
  }
  return {};
}

void check_network(const Network& network, Findings& findings) {
  check_interface(network.interface, findings);
  if (network.listen_port == Port()) {
    findings.add("network.listen_port", "0 is no port", "write 1 to 65535, such as 51820");
  }
  if (network.mtu < kMinMtu || network.mtu > kMaxMtu) {
    findings.add("network.mtu", std::to_string(network.mtu) + " cannot be the tunnel's MTU",
                 "write " + std::to_string(kMinMtu) + " to " + std::to_string(kMaxMtu) +
                     "; 1420 suits nearly every line");
  }
  if (network.pools.empty()) {
    findings.add("network.pools", "no pool: no device could have an address",
                 "give a private network of IPv4, IPv6 or both");
  }
  std::map<Family, int> pools_of;
  for (const Prefix& pool : network.pools) {
    check_pool(pool, network, findings);
    if (++pools_of[pool.family()] == 2) {
      findings.add(
          "network.pools",
          std::string("more than one pool of ") + (pool.family() == Family::v4 ? "IPv4" : "IPv6"),
          "keep one of each family");
    }
  }
}

}  // namespace sekisho

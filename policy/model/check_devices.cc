#include <algorithm>
#include <unordered_map>

#include "policy/model/checks.h"

namespace sekisho {
namespace {

// Why no device may have this address; empty where one may.
std::string why_not(const IpAddress& address, const Network& network) {
  const auto pool = std::ranges::find_if(
      network.pools, [&](const Prefix& prefix) { return prefix.contains(address); });
  if (pool == network.pools.end()) return "lies outside the tunnel's pools";
  const auto gateway = network.gateway_addresses();
  if (std::ranges::find(gateway, address) != gateway.end()) return "is the gateway's own";
  if (address == pool->range().first) return "names the pool itself";
  if (address.family() == Family::v4 && address == pool->range().last) {
    return "is the pool's broadcast address";
  }
  return {};
}

std::string pools_text(const Network& network) {
  std::string text;
  for (const Prefix& pool : network.pools) {
    text += (text.empty() ? "" : " or ") + pool.to_string();
  }
  return text;
}

void check_addresses(const std::string& path, const Device& device, const Network& network,
                     Findings& findings) {
  const std::string addresses = member_path(path, "addresses");
  if (device.addresses.empty() && device.state == DeviceState::active) {
    findings.add(addresses, "an active device without an address could never send anything",
                 "give it one of " + pools_text(network) + " or set state = \"blocked\"");
  }
  for (std::size_t i = 0; i < device.addresses.size(); ++i) {
    const IpAddress& address = device.addresses[i];
    const std::string element = element_path(addresses, address.to_string());
    if (const std::string why = why_not(address, network); !why.empty()) {
      findings.add(element, why, "take another of " + pools_text(network));
    }
    // They are sorted, so a second one of a family follows the first.
    if (i > 0 && device.addresses[i - 1].family() == address.family()) {
      findings.add(element, "a second address of one family", "a device has at most one of each");
    }
  }
}

}  // namespace

void check_devices(const Policy& policy, const Network& network, Findings& findings) {
  std::unordered_map<PublicKey, const DeviceId*> key_owners;
  std::unordered_map<IpAddress, const DeviceId*> address_owners;
  for (const auto& [id, device] : policy.devices) {
    const std::string path = member_path("device", id.str());
    if (!policy.people.contains(device.person)) {
      unknown(member_path(path, "person"), "person", device.person, policy.people, findings);
    }
    const auto [key_owner, new_key] = key_owners.emplace(device.public_key, &id);
    if (device.public_key == PublicKey()) {
      findings.add(member_path(path, "public_key"), "is missing");
    } else if (device.public_key == network.gateway_key) {
      // WireGuard passes over a peer with its own key.
      findings.add(member_path(path, "public_key"), "the gateway itself has this key",
                   "make a key pair on the device and send its public key");
    } else if (!new_key) {
      findings.add(member_path(path, "public_key"),
                   "device " + quote(key_owner->second->str()) + " has the same key",
                   "make a key pair of its own on each device");
    }
    check_addresses(path, device, network, findings);
    for (const IpAddress& address : device.addresses) {
      const auto [owner, new_address] = address_owners.emplace(address, &id);
      if (new_address || owner->second == &id) continue;
      findings.add(element_path(member_path(path, "addresses"), address.to_string()),
                   "device " + quote(owner->second->str()) + " has the same address",
                   "give each device its own");
    }
  }
}

}  // namespace sekisho

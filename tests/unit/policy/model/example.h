#pragma once

#include <random>
#include <string>

#include "policy/model/network.h"
#include "policy/model/policy.h"

namespace sekisho {

inline IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
inline Prefix net(std::string_view text) {
  return Prefix::parse(text).value();
}
inline Service service(std::string_view name, std::string reason = {}) {
  Service result = Service::parse(name).value();
  result.reason = std::move(reason);
  return result;
}
inline PublicKey key(std::uint8_t number) {
  KeyBytes bytes{};
  bytes.fill(number);
  return PublicKey(bytes);
}

inline Network example_network() {
  return {.pools = {net("10.66.0.0/16"), net("fd66::/64")}};
}

// One of everything; valid in example_network().
inline Policy example_policy() {
  Policy policy;
  policy.roles[RoleId("sales")] = {.name = "営業"};
  policy.people[PersonId("tanaka")] = {
      .name = "田中", .roles = {RoleId("sales")}, .state = PersonState::active};
  policy.devices[DeviceId("laptop")] = {.person = PersonId("tanaka"),
                                        .public_key = key(1),
                                        .addresses = {ip("10.66.0.2"), ip("fd66::2")},
                                        .state = DeviceState::active};
  policy.resources[ResourceId("wiki")] = {.name = "Wiki",
                                          .classification = Classification::internal,
                                          .prefixes = {net("198.51.100.0/24")},
                                          .services = {service("https")}};
  policy.grants[GrantId("sales-wiki")] = {
      .who = RoleId("sales"), .resource = ResourceId("wiki"), .reason = "daily work"};
  return policy;
}

}  // namespace sekisho

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "policy/base/ip.h"
#include "policy/model/policy.h"

// What the built-in resource `internet` is made of, and which addresses nothing may be sent to.
namespace sekisho {

// A row of the IANA special-purpose address registries (RFC 6890, RFC 8190). Of several rows that
// contain an address the longest prefix decides; an address in no row is globally reachable.
struct SpecialUse {
  Prefix prefix;
  bool globally_reachable = false;  // the registry's column; "N/A" counts as false
  std::string_view source;          // the RFC
};
std::span<const SpecialUse> special_use_registry();

// Where unicast addresses of global scope are allotted: all of IPv4, and 2000::/3 (RFC 4291
// section 2.4).
std::span<const Prefix> unicast_space();

// Never a destination, whatever a resource says: loopback, link-local, multicast.
std::span<const Prefix> never_destinations();

}  // namespace sekisho

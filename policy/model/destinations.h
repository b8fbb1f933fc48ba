#pragma once

#include <compare>

#include "policy/base/ip.h"
#include "policy/base/ports.h"

namespace sekisho {

// A box of destination space: an interval of addresses, a protocol, an interval of ports.
struct Destinations {
  AddressRange addresses;
  Protocol protocol = Protocol::tcp;
  PortRange ports;

  bool contains(const IpAddress& address, Protocol its_protocol, Port port) const {
    return protocol == its_protocol && ports.contains(port) && addresses.contains(address);
  }
  bool contains(const Destinations& other) const {
    return protocol == other.protocol && ports.first <= other.ports.first &&
           other.ports.last <= ports.last && addresses.first <= other.addresses.first &&
           other.addresses.last <= addresses.last &&
           addresses.first.family() == other.addresses.first.family();
  }
  bool overlaps(const Destinations& other) const {
    return protocol == other.protocol && ports.overlaps(other.ports) &&
           addresses.overlaps(other.addresses);
  }
  auto operator<=>(const Destinations&) const = default;
};

}  // namespace sekisho

#pragma once

#include <compare>
#include <map>
#include <vector>

#include "policy/compile/tables.h"

namespace sekisho {

struct PortInterval {
  Protocol protocol = Protocol::tcp;
  PortRange ports;
  auto operator<=>(const PortInterval&) const = default;
};

// A part of the destination space: for each interval of ports the addresses, canonical.
class Region {
 public:
  // Adds boxes that are disjoint from all others here.
  void add(const PortInterval& ports, std::vector<AddressRange> addresses);
  // Sorted and disjoint; the same for the same destinations, where the ports were each time as many
  // as hang together.
  std::vector<Destinations> boxes() const;

 private:
  std::map<PortInterval, std::vector<AddressRange>> parts_;
};

}  // namespace sekisho

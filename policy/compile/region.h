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
  // Whether every address and port of `box` is in it.
  bool covers(const Destinations& box) const;
  // Sorted and disjoint.
  std::vector<Destinations> boxes() const;

 private:
  std::map<PortInterval, std::vector<AddressRange>> parts_;
};

// How many pairs of address and port; only for comparing sizes.
long double size_of(const std::vector<Destinations>& boxes);

}  // namespace sekisho

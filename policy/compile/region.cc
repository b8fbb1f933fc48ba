#include "policy/compile/region.h"

#include <algorithm>

namespace sekisho {

void Region::add(const PortInterval& ports, std::vector<AddressRange> addresses) {
  auto& part = parts_[ports];
  part.insert(part.end(), addresses.begin(), addresses.end());
  part = join(std::move(part));
}

std::vector<Destinations> Region::boxes() const {
  std::vector<Destinations> boxes;
  for (const auto& [interval, addresses] : parts_) {
    for (const AddressRange& range : addresses) {
      boxes.push_back({range, interval.protocol, interval.ports});
    }
  }
  std::ranges::sort(boxes);
  return boxes;
}

}  // namespace sekisho

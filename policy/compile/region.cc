#include "policy/compile/region.h"

#include <algorithm>
#include <set>

namespace sekisho {
namespace {

// `sorted` disjoint ranges: those that overlap `range`.
std::vector<AddressRange> overlapping(const std::vector<AddressRange>& sorted,
                                      const AddressRange& range) {
  auto at = std::ranges::lower_bound(sorted, range.first, {}, &AddressRange::last);
  std::vector<AddressRange> found;
  for (; at != sorted.end() && at->overlaps(range); ++at) found.push_back(*at);
  return found;
}

bool within(const std::vector<AddressRange>& joined, const AddressRange& range) {
  const auto at = std::ranges::lower_bound(joined, range.first, {}, &AddressRange::last);
  return at != joined.end() && at->first <= range.first && range.last <= at->last;
}

// Subtracting byte by byte keeps what is exact exact: most ranges of 128 bits differ in few of
// them.
long double size_of(const AddressRange& range) {
  long double size = 0;
  for (std::size_t i = 0; i < range.first.bytes().size(); ++i) {
    size = size * 256 + (range.last.bytes()[i] - range.first.bytes()[i]);
  }
  return size + 1;
}

}  // namespace

void Region::add(const PortInterval& ports, std::vector<AddressRange> addresses) {
  auto& part = parts_[ports];
  part.insert(part.end(), addresses.begin(), addresses.end());
  part = join(std::move(part));
}

bool Region::covers(const Destinations& box) const {
  const auto same = parts_.find({box.protocol, box.ports});
  if (same != parts_.end() && within(same->second, box.addresses)) return true;

  // The box may be pieced together from parts with other ports: look at each stretch of ports for
  // which the same parts count.
  std::vector<std::pair<PortRange, std::vector<AddressRange>>> pieces;
  std::set<int> starts{box.ports.first.value()};
  for (const auto& [interval, addresses] : parts_) {
    if (interval.protocol != box.protocol || !interval.ports.overlaps(box.ports)) continue;
    pieces.emplace_back(interval.ports, overlapping(addresses, box.addresses));
    starts.insert(interval.ports.first.value());
    starts.insert(interval.ports.last.value() + 1);
  }
  for (const int start : starts) {
    if (start < box.ports.first.value() || start > box.ports.last.value()) continue;
    std::vector<AddressRange> here;
    for (const auto& [ports, addresses] : pieces) {
      if (!ports.contains(Port(static_cast<std::uint16_t>(start)))) continue;
      here.insert(here.end(), addresses.begin(), addresses.end());
    }
    if (!within(join(std::move(here)), box.addresses)) return false;
  }
  return true;
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

long double size_of(const std::vector<Destinations>& boxes) {
  long double size = 0;
  for (const Destinations& box : boxes) {
    const int ports = box.ports.last.value() - box.ports.first.value() + 1;
    size += size_of(box.addresses) * ports;
  }
  return size;
}

}  // namespace sekisho

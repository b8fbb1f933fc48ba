#include "policy/explain/boxes.h"

#include <algorithm>
#include <iterator>

namespace sekisho {
namespace {

Port next(Port port) {
  return Port(static_cast<std::uint16_t>(port.value() + 1));
}
Port previous(Port port) {
  return Port(static_cast<std::uint16_t>(port.value() - 1));
}

// What of `box` is not in `hole`.
Boxes without(const Destinations& box, const Destinations& hole) {
  if (!meet(box, hole)) return {box};
  Boxes rest;
  const Destinations gone = common(box, hole);
  for (const AddressRange& range : subtract({box.addresses}, {gone.addresses})) {
    rest.push_back({range, box.protocol, box.ports});
  }
  if (box.ports.first < gone.ports.first) {
    rest.push_back({gone.addresses, box.protocol, {box.ports.first, previous(gone.ports.first)}});
  }
  if (gone.ports.last < box.ports.last) {
    rest.push_back({gone.addresses, box.protocol, {next(gone.ports.last), box.ports.last}});
  }
  return rest;
}

}  // namespace

bool meet(const Destinations& a, const Destinations& b) {
  return a.protocol == b.protocol && a.addresses.overlaps(b.addresses) && a.ports.overlaps(b.ports);
}

Destinations common(const Destinations& a, const Destinations& b) {
  return {.addresses = {std::max(a.addresses.first, b.addresses.first),
                        std::min(a.addresses.last, b.addresses.last)},
          .protocol = a.protocol,
          .ports = {std::max(a.ports.first, b.ports.first), std::min(a.ports.last, b.ports.last)}};
}

Boxes without(Boxes boxes, const Boxes& holes) {
  for (const Destinations& hole : holes) {
    Boxes rest;
    for (const Destinations& box : boxes)
      std::ranges::copy(without(box, hole), std::back_inserter(rest));
    boxes = std::move(rest);
  }
  return boxes;
}

Boxes common(const Boxes& a, const Boxes& b) {
  Boxes both;
  for (const Destinations& one : a) {
    for (const Destinations& other : b) {
      if (meet(one, other)) both.push_back(common(one, other));
    }
  }
  return both;
}

}  // namespace sekisho

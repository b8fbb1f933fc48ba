#include "policy/model/hold.h"

#include <algorithm>

namespace sekisho {

namespace {

template <class Key>
Hold of(const std::map<Key, Hold>& holds, const Key& key) {
  const auto found = holds.find(key);
  return found == holds.end() ? Hold::none : found->second;
}

}  // namespace

bool Quarantined::empty() const {
  return *this == Quarantined{};
}

Hold Quarantined::on(const DeviceId& id, const Device& device) const {
  return std::max(
      {everyone, of(people, device.person), of(devices, id), of(keys, device.public_key)});
}

bool Quarantined::closes(const IpAddress& address, Protocol protocol, Port port) const {
  return std::ranges::any_of(
      places, [&](const Destinations& place) { return place.contains(address, protocol, port); });
}

std::string_view to_string(Hold hold) {
  switch (hold) {
    case Hold::none:
      return "none";
    case Hold::isolate:
      return "isolate";
    case Hold::cut:
      return "cut";
  }
  return "none";
}

}  // namespace sekisho

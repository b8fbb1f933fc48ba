#include "policy/model/quarantine.h"

#include <algorithm>
#include <utility>

namespace sekisho {

namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

template <class Key>
void raise(std::map<Key, Hold>& holds, const Key& key, Hold to) {
  Hold& hold = holds[key];
  hold = std::max(hold, to);
}

template <class Value>
void tidy(std::vector<Value>& values) {
  std::ranges::sort(values);
  const auto repeats = std::ranges::unique(values);
  values.erase(repeats.begin(), repeats.end());
}

// Another id for the same person shows in that their devices have it.
void catch_people(Quarantine& quarantine, const Policy& policy) {
  const auto* person = std::get_if<PersonId>(&quarantine.target);
  if (person == nullptr) return;
  quarantine.people.push_back(*person);
  if (!policy.people.contains(*person)) {
    for (const DeviceId& id : quarantine.devices) {
      const auto device = policy.devices.find(id);
      if (device != policy.devices.end()) quarantine.people.push_back(device->second.person);
    }
  }
  tidy(quarantine.people);
}

}  // namespace

std::string to_string(const QuarantineTarget& target) {
  return std::visit(Overloaded{[](const Everyone&) { return std::string("everyone"); },
                               [](const PersonId& id) { return "person:" + id.str(); },
                               [](const DeviceId& id) { return "device:" + id.str(); },
                               [](const ResourceId& id) { return "resource:" + id.str(); }},
                    target);
}

Result<QuarantineTarget> parse_target(std::string_view text) {
  if (text == "everyone") return QuarantineTarget{Everyone{}};
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string id(colon == std::string_view::npos ? "" : text.substr(colon + 1));
  if (!id.empty()) {
    if (kind == "person") return QuarantineTarget{PersonId(id)};
    if (kind == "device") return QuarantineTarget{DeviceId(id)};
    if (kind == "resource") return QuarantineTarget{ResourceId(id)};
  }
  return fail(ErrorCode::invalid, "target", "\"" + std::string(text) + "\" names nobody",
              "give device:ID, person:ID, resource:ID or everyone");
}

Quarantined quarantined_by(const std::vector<Quarantine>& quarantines) {
  Quarantined quarantined;
  for (const Quarantine& each : quarantines) {
    std::visit(Overloaded{[&](const Everyone&) {
                            quarantined.everyone = std::max(quarantined.everyone, each.level);
                          },
                          [&](const PersonId& id) { raise(quarantined.people, id, each.level); },
                          [&](const DeviceId& id) { raise(quarantined.devices, id, each.level); },
                          [](const ResourceId&) {}},
               each.target);
    for (const PersonId& id : each.people) raise(quarantined.people, id, each.level);
    for (const DeviceId& id : each.devices) raise(quarantined.devices, id, each.level);
    for (const PublicKey& key : each.keys) raise(quarantined.keys, key, each.level);
    quarantined.places.insert(quarantined.places.end(), each.places.begin(), each.places.end());
  }
  return quarantined;
}

void catch_devices(Quarantine& quarantine, const Policy& policy) {
  const bool fresh = quarantine.devices.empty() && quarantine.keys.empty();
  const auto take = [&](const DeviceId& id, const Device& device) {
    quarantine.devices.push_back(id);
    quarantine.keys.push_back(device.public_key);
  };
  if (const auto* wanted = std::get_if<DeviceId>(&quarantine.target)) {
    const auto found = policy.devices.find(*wanted);
    if (found != policy.devices.end()) take(found->first, found->second);
    if (fresh) return;  // nothing of it can have another name yet
  }
  catch_people(quarantine, policy);
  const std::vector<DeviceId> devices = quarantine.devices;
  const std::vector<PublicKey> keys = quarantine.keys;
  for (const auto& [id, device] : policy.devices) {
    if (std::ranges::count(quarantine.people, device.person) != 0 ||
        std::ranges::count(devices, id) != 0 || std::ranges::count(keys, device.public_key) != 0) {
      take(id, device);
    }
  }
  tidy(quarantine.devices);
  tidy(quarantine.keys);
}

}  // namespace sekisho

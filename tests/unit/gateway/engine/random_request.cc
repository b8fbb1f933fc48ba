#include "random_request.h"

#include <algorithm>

#include "policy/model/document.h"
#include "policy/model/values.h"
#include "tests/model/random_edit.h"

namespace sekisho::engine {

namespace {

using model::Random;

Node text(std::string value) {
  return {std::move(value)};
}

std::string random_key(Random& random) {
  KeyBytes bytes;
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
  return PublicKey(bytes).to_string();
}

std::string soon(Random& random, Time now) {
  return to_string(now + std::chrono::seconds(random.between(1, 20)));
}

// The fields of an object as parameters, with its id.
Node::Table parameters(const std::string& id, const Node& fields) {
  Node::Table table{{"id", text(id)}};
  for (const auto& [name, value] : *fields.table()) table.emplace_back(name, value);
  return table;
}

Policy policy_of(const World& world) {
  return read_policy(world.revisions.at(world.active).document, Syntax::toml, "revision").value();
}

Simulation::Request apply(const Policy& policy) {
  return {"policy.apply", {{"document", text(write_policy(policy, Syntax::toml))}}};
}

// Two devices exchange what they have.
void exchange(Random& random, Policy& policy) {
  Device& one = random.pick_from(policy.devices)->second;
  Device& other = random.pick_from(policy.devices)->second;
  if (random.percent(50)) std::swap(one.addresses, other.addresses);
  if (random.percent(50)) std::swap(one.public_key, other.public_key);
  if (random.percent(50)) std::swap(one.person, other.person);
}

Simulation::Request of_device(Random& random, Kind kind, const Policy& policy) {
  if (kind == Kind::device_add) {
    return {"device.add",
            {{"id", text("x" + std::to_string(random.below(1000)))},
             {"person", text(random.pick_from(policy.people)->first.str())},
             {"public_key", text(random_key(random))}}};
  }
  const auto& [id, device] = *random.pick_from(policy.devices);
  constexpr std::size_t kFewest = 2;  // random flows come from one
  if (kind == Kind::device_remove && policy.devices.size() > kFewest)
    return {"device.remove", {{"id", text(id.str())}}};
  Node::Table table{{"id", text(id.str())}};
  if (kind == Kind::device_state)
    table.emplace_back("state", text(device.state == DeviceState::active ? "blocked" : "active"));
  if (kind == Kind::device_key || kind == Kind::device_key_and_owner)
    table.emplace_back("public_key", text(random_key(random)));
  if (kind == Kind::device_owner || kind == Kind::device_key_and_owner)
    table.emplace_back("person", text(random.pick_from(policy.people)->first.str()));
  return {"device.set", std::move(table)};
}

Simulation::Request quarantine(Random& random, const Policy& policy) {
  QuarantineTarget target;
  const std::uint64_t kind = random.below(10);
  if (kind < 4) target = random.pick_from(policy.devices)->first;
  if (kind >= 4 && kind < 7) target = random.pick_from(policy.people)->first;
  if (kind >= 7 && kind < 9) target = random.pick_from(policy.resources)->first;
  Node::Table table{{"target", text(to_string(target))}, {"reason", text("bad")}};
  if (!std::holds_alternative<ResourceId>(target))
    table.emplace_back("level", text(random.percent(50) ? "cut" : "isolate"));
  return {"quarantine.add", std::move(table)};
}

}  // namespace

Simulation::Request request_of(Random& random, Kind kind, const World& world) {
  Policy policy = policy_of(world);
  const Network& network = world.engine.network();
  switch (kind) {
    case Kind::grant_add: {
      const std::string id = "x" + std::to_string(random.below(1000));
      return {"grant.add", parameters(id, encode(model::random_grant(random, policy)))};
    }
    case Kind::grant_remove:
    case Kind::grant_until: {
      if (policy.grants.empty()) return request_of(random, Kind::grant_add, world);
      const std::string id = random.pick_from(policy.grants)->first.str();
      if (kind == Kind::grant_remove) return {"grant.remove", {{"id", text(id)}}};
      return {"grant.set", {{"id", text(id)}, {"until", text(soon(random, world.now))}}};
    }
    case Kind::person_state:
    case Kind::person_until: {
      const auto& [id, person] = *random.pick_from(policy.people);
      const bool active = person.state == PersonState::active;
      if (kind == Kind::person_until)
        return {"person.set",
                {{"id", text(id.str())}, {"valid_until", text(soon(random, world.now))}}};
      return {"person.set",
              {{"id", text(id.str())}, {"state", text(active ? "suspended" : "active")}}};
    }
    case Kind::device_add:
    case Kind::device_remove:
    case Kind::device_state:
    case Kind::device_key:
    case Kind::device_owner:
    case Kind::device_key_and_owner:
      return of_device(random, kind, policy);
    case Kind::resource_set: {
      const auto& [id, resource] = *random.pick_from(policy.resources);
      const Resource other = model::random_resource(random, network, resource.classification);
      return {"resource.set", parameters(id.str(), encode(other))};
    }
    case Kind::apply_edits:
      for (std::uint64_t i = random.between(1, 3); i > 0; --i)
        model::random_edit(random, policy, network);
      return apply(policy);
    case Kind::apply_devices:
      exchange(random, policy);
      return apply(policy);
    case Kind::rollback: {
      const auto number = random.between(1, world.revisions.size());
      return {"policy.rollback", {{"revision", {static_cast<std::int64_t>(number)}}}};
    }
    case Kind::quarantine:
      return quarantine(random, policy);
    case Kind::release: {
      if (world.quarantines.empty()) return quarantine(random, policy);
      const auto& one = world.quarantines[random.below(world.quarantines.size())];
      return {"quarantine.release",
              {{"target", text(to_string(one.target))},
               {"reason", text("clean")},
               {"finding", text("nothing")}}};
    }
  }
  throw std::logic_error("no such kind");
}

}  // namespace sekisho::engine

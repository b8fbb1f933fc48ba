#include "tests/model/random_edit.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace sekisho::model {
namespace {

template <class Id>
Id fresh_id(const auto& taken, const std::string& letter) {
  for (int i = 0;; ++i) {
    Id id(letter + std::to_string(i));
    if (!taken.contains(id)) return id;
  }
}

// A random entry of the map for which `fits` holds; nullptr where there is none.
template <class Map, class Fits>
typename Map::value_type* pick_where(Random& random, Map& map, Fits fits) {
  std::vector<typename Map::value_type*> candidates;
  for (auto& entry : map) {
    if (fits(entry.first, entry.second)) candidates.push_back(&entry);
  }
  return candidates.empty() ? nullptr : random.pick(candidates);
}

std::chrono::seconds some_seconds(Random& random) {
  return std::chrono::seconds(static_cast<int>(random.between(1, 15)));
}

bool remove_grant(Random& random, Policy& policy) {
  if (policy.grants.empty()) return false;
  policy.grants.erase(random.pick_from(policy.grants));
  return true;
}

bool extend(Random& random, std::optional<Time>& end, bool may_be_lasting = true) {
  if (may_be_lasting && random.percent(30)) {
    end.reset();
  } else {
    *end += some_seconds(random);
  }
  return true;
}

bool shorten_grant(Random& random, Policy& policy) {
  auto* grant = pick_where(random, policy.grants, [](const auto&, const Grant&) { return true; });
  if (grant == nullptr) return false;
  std::optional<Time> until = grant->second.until ? *grant->second.until - some_seconds(random)
                                                  : kNow + some_seconds(random);
  if (grant->second.from && *grant->second.from >= *until) return false;
  grant->second.until = until;
  return true;
}

bool set_state(Random& random, Policy& policy, PersonState to) {
  auto* person = pick_where(random, policy.people, [&](const auto&, const Person& candidate) {
    return candidate.state != to;
  });
  if (person == nullptr) return false;
  person->second.state = to;
  return true;
}

bool set_state(Random& random, Policy& policy, DeviceState to) {
  auto* device = pick_where(random, policy.devices, [&](const auto&, const Device& candidate) {
    return candidate.state != to;
  });
  if (device == nullptr) return false;
  device->second.state = to;
  return true;
}

bool extend_person(Random& random, Policy& policy) {
  auto* person = pick_where(random, policy.people, [](const auto&, const Person& candidate) {
    return candidate.valid_until.has_value();
  });
  return person != nullptr && extend(random, person->second.valid_until);
}

bool shorten_person(Random& random, Policy& policy) {
  auto& person = *random.pick_from(policy.people);
  const Time end = person.second.valid_until.value_or(kNow + std::chrono::seconds(20));
  person.second.valid_until = end - some_seconds(random);
  return true;
}

bool change_roles(Random& random, Policy& policy) {
  auto& roles = random.pick_from(policy.people)->second.roles;
  const RoleId& role = random.pick_from(policy.roles)->first;
  const auto place = std::ranges::lower_bound(roles, role);
  if (place != roles.end() && *place == role) {
    roles.erase(place);
  } else {
    roles.insert(place, role);
  }
  return true;
}

bool is_confidential(const Policy& policy, const Grant& grant) {
  const auto resource = policy.resources.find(grant.resource);
  return resource != policy.resources.end() &&
         resource->second.classification == Classification::confidential;
}

bool extend_grant(Random& random, Policy& policy) {
  auto* grant = pick_where(random, policy.grants, [](const auto&, const Grant& candidate) {
    return candidate.until.has_value();
  });
  if (grant == nullptr) return false;
  return extend(random, grant->second.until, !is_confidential(policy, grant->second));
}

bool change_condition(Random& random, Edit edit, Policy& policy) {
  const bool hours = edit == Edit::set_hours || edit == Edit::lift_hours;
  const bool takes = edit == Edit::lift_hours || edit == Edit::waive_session;
  auto* grant = pick_where(random, policy.grants, [&](const auto&, const Grant& candidate) {
    const Conditions& now = candidate.conditions;
    return (hours ? now.hours.has_value() : now.session.has_value()) == takes;
  });
  if (grant == nullptr) return false;
  Conditions& conditions = grant->second.conditions;
  if (edit == Edit::set_hours) conditions.hours = random_hours(random);
  if (edit == Edit::lift_hours) conditions.hours = std::nullopt;
  if (edit == Edit::demand_session) conditions.session = std::chrono::minutes(60);
  if (edit == Edit::waive_session) conditions.session.reset();
  return true;
}

bool remove_resource(Random& random, Policy& policy) {
  if (policy.resources.size() < 2) return false;
  const auto resource = random.pick_from(policy.resources);
  if (resource->first != kInternet) {
    std::erase_if(policy.grants,
                  [&](const auto& grant) { return grant.second.resource == resource->first; });
  }
  policy.resources.erase(resource);
  make_fit(policy, policy.response);
  return true;
}

// A new resource with the old one's place and class, of which the caller takes what it changes.
bool change_resource(Random& random, Edit edit, Policy& policy, const Network& network) {
  auto* resource = pick_where(random, policy.resources, [&](const ResourceId& id, const Resource&) {
    return id != kInternet || edit == Edit::change_services;
  });
  if (resource == nullptr) return false;
  const Classification classification = edit == Edit::change_classification
                                            ? static_cast<Classification>(random.below(3))
                                            : resource->second.classification;
  const Resource changed = random_resource(random, network, classification);
  const bool moves = edit == Edit::change_prefixes || changed.internet || resource->second.internet;
  if (moves && resource->first != kInternet) {
    resource->second.prefixes = changed.prefixes;
    resource->second.internet = changed.internet;
  }
  // Each classification has services of its own (random_policy.cc).
  if (edit != Edit::change_prefixes) resource->second.services = changed.services;
  resource->second.classification = classification;
  for (auto& [id, grant] : policy.grants) make_fit(random, policy, grant);
  make_fit(policy, policy.response);
  return true;
}

}  // namespace

Direction direction_of(Edit edit) {
  switch (edit) {
    case Edit::add_grant:
    case Edit::extend_grant:
    case Edit::reinstate_person:
    case Edit::extend_person:
    case Edit::unblock_device:
    case Edit::lift_hours:
    case Edit::waive_session:
    case Edit::change_quota:
    case Edit::change_response:
      return Direction::loosens;
    case Edit::remove_grant:
    case Edit::shorten_grant:
    case Edit::suspend_person:
    case Edit::shorten_person:
    case Edit::block_device:
    case Edit::set_hours:
    case Edit::demand_session:
      return Direction::tightens;
    case Edit::change_roles:
    case Edit::add_resource:
    case Edit::remove_resource:
    case Edit::change_prefixes:
    case Edit::change_services:
    case Edit::change_classification:
      return Direction::either;
  }
  throw std::logic_error("no such edit");
}

bool apply(Random& random, Edit edit, Policy& policy, const Network& network) {
  switch (edit) {
    case Edit::add_grant:
      policy.grants.emplace(fresh_id<GrantId>(policy.grants, "g"), random_grant(random, policy));
      return true;
    case Edit::remove_grant:
      return remove_grant(random, policy);
    case Edit::extend_grant:
      return extend_grant(random, policy);
    case Edit::shorten_grant:
      return shorten_grant(random, policy);
    case Edit::suspend_person:
      return set_state(random, policy, PersonState::suspended);
    case Edit::reinstate_person:
      return set_state(random, policy, PersonState::active);
    case Edit::extend_person:
      return extend_person(random, policy);
    case Edit::shorten_person:
      return shorten_person(random, policy);
    case Edit::block_device:
      return set_state(random, policy, DeviceState::blocked);
    case Edit::unblock_device:
      return set_state(random, policy, DeviceState::active);
    case Edit::change_roles:
      return change_roles(random, policy);
    case Edit::add_resource:
      policy.resources.emplace(
          fresh_id<ResourceId>(policy.resources, "r"),
          random_resource(random, network, static_cast<Classification>(random.below(3))));
      return true;
    case Edit::remove_resource:
      return remove_resource(random, policy);
    case Edit::set_hours:
    case Edit::lift_hours:
    case Edit::demand_session:
    case Edit::waive_session:
      return change_condition(random, edit, policy);
    case Edit::change_quota: {
      auto& devices = policy.quota.devices_per_person;
      devices =
          devices ? std::nullopt : std::optional(static_cast<std::int64_t>(random.between(2, 9)));
      return true;
    }
    case Edit::change_response:
      policy.response = random_response(random, policy);
      return true;
    case Edit::change_prefixes:
    case Edit::change_services:
    case Edit::change_classification:
      return change_resource(random, edit, policy, network);
  }
  throw std::logic_error("no such edit");
}

Edit random_edit(Random& random, Policy& policy, const Network& network) {
  for (;;) {
    const auto edit = static_cast<Edit>(random.below(static_cast<std::uint64_t>(kLastEdit) + 1));
    if (apply(random, edit, policy, network)) return edit;
  }
}

}  // namespace sekisho::model

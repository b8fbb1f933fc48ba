#pragma once

#include "policy/model/policy.h"
#include "simulation.h"
#include "tests/model/random.h"

namespace sekisho::engine {

// Every kind of change that an officer can ask for.
enum class Kind {
  grant_add,
  grant_remove,
  grant_until,
  person_state,
  person_until,
  device_add,
  device_remove,
  device_state,
  device_key,
  device_owner,
  device_key_and_owner,
  resource_set,
  apply_edits,    // a document with random edits (tests/model/random_edit.h)
  apply_devices,  // one in which devices have exchanged their addresses or owners
  rollback,
  quarantine,
  release,
};
inline constexpr Kind kLastKind = Kind::release;

// One of this kind that `world` may accept; some are refused.
Simulation::Request request_of(model::Random& random, Kind kind, const World& world);

}  // namespace sekisho::engine

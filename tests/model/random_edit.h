#pragma once

#include "tests/model/random_policy.h"

namespace sekisho::model {

enum class Edit {
  add_grant,
  remove_grant,
  extend_grant,
  shorten_grant,
  set_hours,
  lift_hours,
  demand_session,
  waive_session,
  change_quota,
  change_response,
  suspend_person,
  reinstate_person,
  extend_person,
  shorten_person,
  block_device,
  unblock_device,
  change_roles,
  add_resource,
  remove_resource,
  change_prefixes,
  change_services,
  change_classification,
};
inline constexpr Edit kLastEdit = Edit::change_classification;

enum class Direction { loosens, tightens, either };
Direction direction_of(Edit edit);

// Makes one edit of this kind somewhere; false, and no change, where there is nothing to make it
// to. A valid policy stays valid.
bool apply(Random& random, Edit edit, Policy& policy, const Network& network);

// One edit of any kind that could be made.
Edit random_edit(Random& random, Policy& policy, const Network& network);

}  // namespace sekisho::model

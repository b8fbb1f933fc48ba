#pragma once

#include <map>
#include <memory>
#include <optional>

#include "policy/compile/atoms.h"
#include "policy/compile/tables.h"
#include "policy/model/validate.h"

namespace sekisho {

// All that the destination space depends on.
struct CutInput {
  std::map<ResourceId, Resource> resources;
  Network network;
};

struct Compiled {
  AtomSpace space;
  Tables tables;
  // The next second at which the passing of time alone changes `tables` by opening something (a
  // grant begins): compile again then. What closes by time the kernel closes by itself.
  std::optional<Time> next_opening;
  // What `space` was cut from: while it stays equal the space is used again as it is. May be null.
  std::shared_ptr<const CutInput> cut_from = {};
};

// The contents of the tables at `now`. Deterministic; equal inputs give equal outputs.
// Cohort numbers are looked up on every packet and dealt freely; those of `before` are kept with
// their rights or else with their devices, so that small edits stay small in the kernel. Fails
// (ErrorCode::invalid) only where the atom numbers are used up.
Result<Compiled> compile(const ValidPolicy& policy, Time now, const Compiled* before);

}  // namespace sekisho

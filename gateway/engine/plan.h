#pragma once

#include <vector>

#include "gateway/engine/command.h"

namespace sekisho::engine {

// What the change needs to know to be done, beside the two states themselves.
struct PlanInput {
  const Desired& from;
  const Desired& to;
  StorePending store;
  Activate activate;
};

// The steps of a change, in an order in which no moment permits more than `from` or `to` does:
// only tightening: rules, disk; anything else: disk (pending), rules, disk (active). Peers come
// last: rights are the rules' alone, so a change that the disk refuses ends nobody's session, and
// one that cannot reach the tunnel still takes rights away. Where atom numbers change, live flows
// are re-marked between two loads.
std::vector<Effect> make_plan(const PlanInput& input);

// Which devices of the ledger begin and end when the policy goes from one to the other: a device
// that changes its key ends and begins.
DeviceChange device_change(const Policy& from, const Policy& to,
                           const std::optional<DeviceId>& key_made_here);

}  // namespace sekisho::engine

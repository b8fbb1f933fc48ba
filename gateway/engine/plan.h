#pragma once

#include <optional>
#include <vector>

#include "gateway/engine/command.h"

namespace sekisho::engine {

// What the change needs to know to be done.
struct PlanInput {
  TablesDiff diff;
  // Where destinations were cut anew: what was compiled before. Else null.
  const Compiled* recut_from;
  const Compiled& to;
  const Peers& peers_from;
  const Peers& peers_to;  // the same object where no tunnel changes
  // Of a pending revision that has to be abandoned before another can be.
  std::optional<Entry> unfinished;
  StorePending store;
  Activate activate;
};

// The steps of a change, in an order in which no moment permits more than `from` or `to` does:
// only tightening: rules, disk; anything else: disk (pending), rules, disk (active). Peers come
// last: rights are the rules' alone, so a change that the disk refuses ends nobody's session, and
// one that cannot reach the tunnel still takes rights away. But an address that passes from one key
// to another is taken from the first before the rules change: its rights are the other's then.
// Where atom numbers change, live flows are re-marked between two loads.
std::vector<Effect> make_plan(PlanInput input);

// What leads from these peers to those; both are sorted by device.
ChangePeers peers_change(const Peers& from, const Peers& to);

// Which devices of the ledger begin and end by an edit that `undo` takes back: a device that
// changes its key ends and begins.
DeviceChange device_change(const PolicyEdit& edit, const PolicyEdit& undo,
                           const std::optional<DeviceId>& key_made_here);

}  // namespace sekisho::engine

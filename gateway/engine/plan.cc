#include "gateway/engine/plan.h"

#include <algorithm>
#include <utility>

#include "policy/compile/atoms.h"
#include "policy/compile/transition.h"

namespace sekisho::engine {

namespace {

void load_tables(const Desired& from, const Desired& to, std::vector<Effect>& plan) {
  const std::vector<AtomMark> gone = retired(from.space, to.space);
  if (gone.empty()) {
    if (TablesDiff change = diff(from.tables, to.tables); !change.empty()) {
      plan.emplace_back(ChangeTables{std::move(change)});
    }
    return;
  }
  const Tables between = transition(from.tables, to.tables, gone);
  plan.emplace_back(ChangeTables{diff(from.tables, between)});
  plan.emplace_back(Remark{to.space});
  if (TablesDiff rest = diff(between, to.tables); !rest.empty()) {
    plan.emplace_back(ChangeTables{std::move(rest)});
  }
}

void set_peers(const Desired& from, const Desired& to, std::vector<Effect>& plan) {
  if (from.peers != to.peers) plan.emplace_back(ChangePeers{to.peers});
}

bool only_tightens(const Desired& from, const Desired& to) {
  return retired(from.space, to.space).empty() && diff(from.tables, to.tables).only_tightens() &&
         std::ranges::all_of(to.peers, [&](const Peer& peer) {
           return std::ranges::find(from.peers, peer) != from.peers.end();
         });
}

}  // namespace

std::vector<Effect> make_plan(const PlanInput& input) {
  std::vector<Effect> plan;
  const bool tables_first = only_tightens(input.from, input.to);
  if (tables_first) load_tables(input.from, input.to, plan);
  plan.emplace_back(input.store);
  if (!tables_first) load_tables(input.from, input.to, plan);
  plan.emplace_back(input.activate);
  set_peers(input.from, input.to, plan);
  return plan;
}

DeviceChange device_change(const Policy& from, const Policy& to,
                           const std::optional<DeviceId>& key_made_here) {
  DeviceChange change;
  const auto same = [](const Device& a, const Device& b) {
    return a.public_key == b.public_key && a.addresses == b.addresses;
  };
  for (const auto& [id, device] : from.devices) {
    const auto after = to.devices.find(id);
    if (after == to.devices.end() || !same(device, after->second)) change.remove.push_back(id);
  }
  for (const auto& [id, device] : to.devices) {
    const auto before = from.devices.find(id);
    if (before == from.devices.end() || !same(before->second, device)) {
      change.add.push_back({id, device.public_key, device.addresses, key_made_here == id});
    }
  }
  return change;
}

}  // namespace sekisho::engine

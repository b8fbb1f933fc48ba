#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/notices.h"
#include "gateway/engine/plan.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/engine/views.h"

// Putting somebody off the network. It goes kernel first: rules, peers, connections, then the disk,
// and nothing that fails keeps the rest from being done.
namespace sekisho::engine {

using control::OperationId;

namespace {

bool is_everyone(const Quarantine& quarantine) {
  return std::holds_alternative<Everyone>(quarantine.target);
}

// What a hold leaves an isolated device, and its connections with it.
std::set<AtomMark> left_to_isolated(const Tables& tables, const Holds& holds) {
  std::set<AtomMark> left;
  for (auto row = tables.grants.lower_bound({kIsolatedCohort, AtomMark{}});
       row != tables.grants.end() && row->first.cohort == kIsolatedCohort; ++row) {
    if (!holds.atoms.contains(row->first.atom)) left.insert(row->first.atom);
  }
  return left;
}

bool changes_tables(const Effect& effect) {
  return std::holds_alternative<ChangeTables>(effect) ||
         std::holds_alternative<ConfirmTables>(effect);
}

constexpr std::chrono::minutes kRememberAutomatic{7 * 24 * 60};

}  // namespace

// ---- what is held ----

void Engine::hold(std::vector<Quarantine> quarantines) {
  quarantines_ = std::move(quarantines);
  quarantined_ = quarantined_by(quarantines_);
}

// The policy was edited: what is held has new names and keys, which are held from then on, so that
// no row of edits leads out. Answers what has to come to the disk for that, once the edit is there.
std::vector<Effect> Engine::catch_more(const Entry& why) {
  std::vector<Effect> stores;
  std::vector<Quarantine> all = quarantines_;
  for (Quarantine& each : all) {
    const std::string before = as_toml(each);
    const Quarantine was = each;
    catch_all(each);
    if (each == was) continue;
    Entry entry = why;
    entry.object = to_string(each.target);
    entry.before = before;
    entry.after = as_toml(each);
    stores.emplace_back(StoreQuarantine{each, std::move(entry)});
  }
  if (!stores.empty()) hold(std::move(all));
  return stores;
}

// What a change of the policy's tables, which may be none, is in the kernel; from then on holds_
// are those of this policy.
TablesDiff Engine::in_kernel(const TablesDiff& diff) {
  const Compiled& compiled = active_->compiler.compiled();
  const Holds before =
      std::exchange(holds_, holds_of(active_->policy.policy(), quarantined_, compiled.space));
  return held(diff, compiled.tables, before, holds_);
}

// What quarantine had to say at the time that is asked of; of other times than now it is not told.
Quarantined Engine::held_at(const control::Request& request) const {
  return request.parameters.find("at") == nullptr ? quarantined_ : Quarantined{};
}

const Quarantine* Engine::find_quarantine(const QuarantineTarget& target) const {
  const auto found = std::ranges::find(quarantines_, target, &Quarantine::target);
  return found == quarantines_.end() ? nullptr : &*found;
}

// ---- holding ----

// What comes in the place of the one in force of the same target lets go of nothing that it holds.
void Engine::succeed_former(Quarantine& quarantine, Entry& entry) const {
  if (const Quarantine* before = find_quarantine(quarantine.target)) {
    entry.before = as_toml(*before);
    quarantine.level = std::max(quarantine.level, before->level);
    quarantine.since = before->since;
    quarantine.automatic = before->automatic;
    quarantine.two_people = before->two_people;
    quarantine.devices = before->devices;
    quarantine.keys.insert(quarantine.keys.end(), before->keys.begin(), before->keys.end());
    quarantine.people = before->people;
    quarantine.places = before->places;
  }
  quarantine.two_people |= active_->policy.policy().response.two_people;
  catch_all(quarantine);
  entry.after = as_toml(quarantine);
}

void Engine::catch_all(Quarantine& quarantine) const {
  catch_devices(quarantine, active_->policy.policy());
  catch_places(quarantine, active_->policy, active_->compiler.compiled().space);
}

// Of one that holds already, that it does is read back, and what is left of it is ended.
Effects Engine::contain(Quarantine quarantine, Entry entry, AfterContainment then, Time now) {
  auto containment = std::make_shared<Containment>();
  containment->proof.began = asked_at_;
  containment->then = std::move(then);
  containment->target = quarantine.target;
  const Quarantine* before = find_quarantine(quarantine.target);
  const bool fresh = before == nullptr;
  const bool repeated = !fresh && *before == quarantine;
  const bool stops = is_everyone(quarantine) && (fresh || before->level < quarantine.level);
  if (!repeated) {
    containment->notice = entry;
    hold(with(quarantines_, quarantine));
    if (quarantine.automatic) automatic_.push_back({quarantine.since, quarantine.devices});
    std::erase_if(automatic_, [&](const AutomaticQuarantine& each) {
      return each.since + kRememberAutomatic < now;
    });
  }
  // Nothing is worked out before the rules that need not be: packets pass meanwhile.
  auto& steps = containment->steps;
  if (!tables_known_) {
    in_kernel({});
    install_held(*containment);
  } else if (stops) {
    steps.emplace_back(ChangeTables{stop_everyone()});
  } else if (TablesDiff rules = fresh ? add_hold(quarantine) : in_kernel({}); !rules.empty()) {
    steps.emplace_back(ChangeTables{std::move(rules)});
  } else {
    steps.emplace_back(ConfirmTables{held_of(quarantine)});
  }
  const bool stores = !repeated || is_owed(quarantine.target);
  containment->rest = [this, containment = containment.get(), quarantine = std::move(quarantine),
                       entry = std::move(entry), stops, stores](Time at) {
    std::vector<Effect> rest;
    in_kernel({});
    if (stops && tables_known_ && containment->proof.elements == 0) {
      const Tables& tables = active_->compiler.compiled().tables;
      containment->proof.elements += tables.cohorts.size();  // the maps were read back as empty
      TablesDiff left = let_in(tables, holds_);
      if (!left.empty()) rest.emplace_back(ChangeTables{std::move(left)});
    }
    ChangePeers peers = peers_now(at);
    if (!peers.remove.empty()) rest.emplace_back(std::move(peers));
    rest.emplace_back(what_flows(quarantine));
    if (stores) rest.emplace_back(StoreQuarantine{quarantine, entry});
    return rest;
  };
  return go_on(containment, now);
}

// All of the tables, for nothing is known of the kernel's; and what of them holds the target.
void Engine::install_held(Containment& containment) {
  containment.installed = true;
  auto& steps = containment.steps;
  std::vector<Effect> in;
  in.emplace_back(Install{desired()});
  if (const Quarantine* quarantine = find_quarantine(containment.target)) {
    in.emplace_back(ConfirmTables{held_of(*quarantine)});
  }
  steps.insert(steps.begin(), std::make_move_iterator(in.begin()),
               std::make_move_iterator(in.end()));
}

// What the kernel holds of whom or what it holds: entries that are to be there and such that are
// not.
TablesDiff Engine::held_of(const Quarantine& quarantine) const {
  const Policy& policy = active_->policy.policy();
  const Tables& tables = active_->compiler.compiled().tables;
  TablesDiff held;
  const auto look = [&](const IpAddress& address, const CohortEntry& entry) {
    if (const auto there = holds_.entry(address, entry)) {
      held.add_cohorts.emplace_back(address, *there);
    } else {
      held.remove_cohorts.emplace_back(address, entry);
    }
  };
  if (is_everyone(quarantine)) {
    for (const auto& [address, entry] : tables.cohorts) look(address, entry);
  }
  for (const DeviceId& id : quarantine.devices) {
    const auto device = policy.devices.find(id);
    if (device == policy.devices.end()) continue;
    for (const IpAddress& address : device->second.addresses) {
      const auto found = tables.cohorts.find(address);
      if (found != tables.cohorts.end()) {
        look(address, found->second);
      } else {
        held.remove_cohorts.emplace_back(address, CohortEntry{});
      }
    }
  }
  const auto closed = closed_atoms(quarantine.places, active_->compiler.compiled().space);
  for (const auto& row : tables.grants) {
    if (closed.contains(row.first.atom)) held.remove_grants.emplace_back(row);
  }
  return held;
}

// in_kernel({}) where this is all that changes, without looking for what was held before.
TablesDiff Engine::add_hold(const Quarantine& quarantine) {
  const Compiled& compiled = active_->compiler.compiled();
  Holds after = holds_;
  const Policy& policy = active_->policy.policy();
  for (const DeviceId& id : quarantine.devices) {
    const auto device = policy.devices.find(id);
    if (device == policy.devices.end()) continue;
    for (const IpAddress& address : device->second.addresses) {
      Hold& hold = after.addresses[address];
      hold = std::max(hold, quarantine.level);
    }
  }
  if (std::holds_alternative<ResourceId>(quarantine.target)) {
    after.atoms = closed_atoms(quarantined_.places, compiled.space);
  }
  const Holds before = std::exchange(holds_, std::move(after));
  return held({}, compiled.tables, before, holds_);
}

PurgeFlows Engine::what_flows(const Quarantine& quarantine) const {
  PurgeFlows purge;
  const Policy& policy = active_->policy.policy();
  for (const DeviceId& id : quarantine.devices) {
    const auto device = policy.devices.find(id);
    if (device == policy.devices.end()) continue;
    purge.addresses.insert(device->second.addresses.begin(), device->second.addresses.end());
  }
  purge.all = is_everyone(quarantine);
  if (std::holds_alternative<ResourceId>(quarantine.target)) {
    purge.atoms = closed_atoms(quarantine.places, active_->compiler.compiled().space);
  } else if (quarantine.level == Hold::isolate) {
    purge.keep = left_to_isolated(active_->compiler.compiled().tables, holds_);
  }
  return purge;
}

Effects Engine::go_on(const ContainmentPtr& containment, Time now) {
  if (containment->step == containment->steps.size() && containment->rest) {
    std::ranges::move(std::exchange(containment->rest, nullptr)(now),
                      std::back_inserter(containment->steps));
    return go_on(containment, now);
  }
  if (containment->step == containment->steps.size()) {
    Effects effects;
    if (!containment->errors.empty())
      effects = degrade(to_string(containment->errors.front()), now);
    if (auto told = std::exchange(containment->notice, std::nullopt)) {
      if (!containment->errors.empty()) told->result = to_string(containment->errors.front());
      effects.emplace_back(Notify{notice_of(*told, notice::Kind::cut, notice::Severity::critical)});
    }
    std::ranges::move(containment->then(*containment, now), std::back_inserter(effects));
    return effects;
  }
  Effect effect = containment->steps[containment->step];
  return await(std::move(effect), [this, containment](Outcome outcome, Time at) -> Effects {
    const Effect done = containment->steps[containment->step++];
    const bool installs = std::holds_alternative<Install>(done);
    if (installs || changes_tables(done)) {
      tables_known_ = outcome.has_value() && (tables_known_ || installs);
    }
    if (outcome) {
      note(containment->proof, done, *outcome, moment_);
      if (const auto* store = std::get_if<StoreQuarantine>(&done)) settle_debt(store->quarantine);
      return go_on(containment, at);
    }
    if (changes_tables(done) && !containment->installed) {
      auto& steps = containment->steps;
      steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(containment->step));
      std::erase_if(steps, changes_tables);
      in_kernel({});
      install_held(*containment);
      containment->step = 0;
      return go_on(containment, at);
    }
    if (const auto* store = std::get_if<StoreQuarantine>(&done)) owe(*store);
    containment->errors.push_back(std::move(outcome.error()));
    return go_on(containment, at);
  });
}

// What could not be done is tried again: the disk, then the kernel.
Effects Engine::retry() {
  if (unstored_.empty()) return install();
  // As it is by now: it may have become stricter since.
  StoreQuarantine store = unstored_.front();
  if (const Quarantine* held = find_quarantine(store.quarantine.target)) store.quarantine = *held;
  return await(store, [this, held = store.quarantine](Outcome outcome, Time now) -> Effects {
    if (!outcome) return degrade(to_string(outcome.error()), now);
    settle_debt(held);
    return retry();
  });
}

void Engine::owe(StoreQuarantine store) {
  settle_debt(store.quarantine);
  unstored_.push_back(std::move(store));
}

bool Engine::is_owed(const QuarantineTarget& target) const {
  return std::ranges::any_of(
      unstored_, [&](const StoreQuarantine& each) { return each.quarantine.target == target; });
}

void Engine::settle_debt(const Quarantine& stored) {
  std::erase_if(unstored_, [&](const StoreQuarantine& each) {
    return each.quarantine.target == stored.target;
  });
}

}  // namespace sekisho::engine

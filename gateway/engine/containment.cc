#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/notices.h"
#include "gateway/engine/plan.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/engine/views.h"

// Quarantine: putting somebody off the network, and letting them back. Holding goes kernel first:
// rules, peers, connections, then the disk, and nothing that fails keeps the rest from being done.
// Letting go is like any other opening: disk first.
namespace sekisho::engine {

using control::OperationId;

namespace {

std::vector<Quarantine> with(std::vector<Quarantine> all, const Quarantine& one) {
  const auto same = std::ranges::find(all, one.target, &Quarantine::target);
  if (same == all.end()) {
    all.push_back(one);
  } else {
    *same = one;
  }
  return all;
}

std::vector<Quarantine> without(std::vector<Quarantine> all, const QuarantineTarget& target) {
  std::erase_if(all, [&](const Quarantine& each) { return each.target == target; });
  return all;
}

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
  return std::holds_alternative<ChangeTables>(effect);
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
    catch_devices(each, active_->policy.policy());
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

// A quarantined resource that went or moved would be reached under another name.
std::optional<Error> Engine::loses_quarantined(const PolicyEdit& edit) const {
  if (provisional_) return std::nullopt;  // only its return is possible, and never into the way of
  for (const ResourceId& id : quarantined_.resources) {
    const auto change = edit.resources.find(id);
    if (change == edit.resources.end()) continue;
    const auto before = active_->policy.policy().resources.find(id);
    if (before == active_->policy.policy().resources.end()) continue;
    const Boxed<Resource>& after = change->second;
    if (after && after->prefixes == before->second.prefixes &&
        after->services == before->second.services && after->internet == before->second.internet) {
      continue;
    }
    return Error{ErrorCode::conflict,
                 "resource." + id.str(),
                 "is quarantined, and this change would take addresses or services of it away",
                 {},
                 "leave it as it is in the document, or release it first: sekisho quarantine "
                 "release resource:" +
                     id.str()};
  }
  return std::nullopt;
}

// ---- requests ----

Effects Engine::quarantine(const Asked& asked, Time now) {
  switch (asked.request.operation) {
    case OperationId::quarantine_add:
      return add_quarantine(asked, now);
    case OperationId::quarantine_release:
      return release_quarantine(asked, now);
    case OperationId::quarantine_test:
      return drill(asked);
    case OperationId::quarantine_list: {
      if (!flag_parameter(asked.request, "past")) {
        return answer(asked.id, show_quarantines(quarantines_));
      }
      return await(ReadPastQuarantines{kMostListed},
                   [this, id = asked.id](Outcome outcome, Time) -> Effects {
                     if (!outcome) return answer(id, std::unexpected(Errors{outcome.error()}));
                     return answer(id, std::get<Node>(*outcome));
                   });
    }
    default: {
      const auto target = target_of(asked.request, active_->policy.policy());
      if (!target) return answer(asked.id, std::unexpected(Errors{target.error()}));
      const Quarantine* found = find_quarantine(*target);
      if (found == nullptr) {
        return answer(asked.id, std::unexpected(Errors{not_quarantined(*target)}));
      }
      return answer(asked.id, show_quarantine(*found));
    }
  }
}

Effects Engine::add_quarantine(const Asked& asked, Time now) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = text_parameter(asked.request, "target"),
              .reason = text_parameter(asked.request, "reason")};
  auto wanted = quarantine_of(asked.request, active_->policy.policy());
  if (!wanted) return reject(asked, std::move(entry), {std::move(wanted.error())});
  Quarantine quarantine = *std::move(wanted);
  entry.object = to_string(quarantine.target);
  quarantine.by = asked.actor.name;
  quarantine.since = now;
  if (const Quarantine* before = find_quarantine(quarantine.target)) {
    Quarantine same = *before;
    catch_devices(same, active_->policy.policy());
    if (quarantine.level <= before->level && same == *before) {
      Node shown = show_quarantine(*before);
      std::get<Node::Table>(shown.value).emplace_back("changed", Node{false});
      return answer(asked.id, std::move(shown));
    }
  }
  succeed_former(quarantine, entry);
  const auto target = quarantine.target;
  return contain(
      std::move(quarantine), entry,
      [this, asked, target](const Containment& done, Time) -> Effects {
        if (!done.errors.empty()) {
          return answer(asked.id, std::unexpected(still_to_do(target, done.errors)));
        }
        Node shown = show_quarantine(*find_quarantine(target));
        auto& table = std::get<Node::Table>(shown.value);
        table.emplace_back("changed", Node{true});
        table.emplace_back("proof", show_proof(done.proof, moment_));
        return answer(asked.id, std::move(shown));
      },
      now);
}

// ---- holding ----

// What comes in the place of the one in force of the same target lets go of nothing that it holds.
void Engine::succeed_former(Quarantine& quarantine, Entry& entry) const {
  if (const Quarantine* before = find_quarantine(quarantine.target)) {
    entry.before = as_toml(*before);
    quarantine.level = std::max(quarantine.level, before->level);
    quarantine.since = before->since;
    quarantine.automatic = before->automatic;
    quarantine.devices = before->devices;
    quarantine.keys = before->keys;
  }
  catch_devices(quarantine, active_->policy.policy());
  entry.after = as_toml(quarantine);
}

Effects Engine::contain(Quarantine quarantine, Entry entry, AfterContainment then, Time now) {
  auto containment = std::make_shared<Containment>();
  containment->proof.began = moment_;
  containment->then = std::move(then);
  containment->notice = entry;
  const bool fresh = find_quarantine(quarantine.target) == nullptr;
  hold(with(quarantines_, quarantine));
  if (quarantine.automatic) automatic_.push_back({quarantine.since, quarantine.devices});
  std::erase_if(automatic_, [&](const AutomaticQuarantine& each) {
    return each.since + kRememberAutomatic < now;
  });
  // Nothing is worked out before the rules that need not be: packets pass meanwhile.
  auto& steps = containment->steps;
  if (!tables_known_) {
    in_kernel({});
    steps.emplace_back(Install{desired()});
  } else if (is_everyone(quarantine)) {
    steps.emplace_back(ChangeTables{stop_everyone()});
  } else if (TablesDiff rules = fresh ? add_hold(quarantine) : in_kernel({}); !rules.empty()) {
    steps.emplace_back(ChangeTables{std::move(rules)});
  }
  containment->rest = [this, quarantine = std::move(quarantine),
                       entry = std::move(entry)](Time at) {
    std::vector<Effect> rest;
    in_kernel({});
    if (is_everyone(quarantine) && tables_known_) {
      TablesDiff left = let_in(active_->compiler.compiled().tables, holds_);
      if (!left.empty()) rest.emplace_back(ChangeTables{std::move(left)});
    }
    ChangePeers peers = peers_now(at);
    if (!peers.remove.empty()) rest.emplace_back(std::move(peers));
    rest.emplace_back(what_flows(quarantine));
    rest.emplace_back(StoreQuarantine{quarantine, entry});
    return rest;
  };
  return go_on(containment, now);
}

// in_kernel({}) where this is all that changes, without looking for what was held before.
TablesDiff Engine::add_hold(const Quarantine& quarantine) {
  const Compiled& compiled = active_->compiler.compiled();
  Holds after = holds_;
  const Policy& policy = active_->policy.policy();
  for (const DeviceId& id : quarantine.devices) {
    for (const IpAddress& address : policy.devices.at(id).addresses) {
      Hold& hold = after.addresses[address];
      hold = std::max(hold, quarantine.level);
    }
  }
  if (std::holds_alternative<ResourceId>(quarantine.target)) {
    after.atoms = closed_atoms(quarantined_, compiled.space);
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
    purge.atoms = holds_.atoms;
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
    if (changes_tables(done)) {
      // Nothing is known of the tables any more, so all of them are put in.
      auto& steps = containment->steps;
      steps.erase(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(containment->step));
      std::erase_if(steps, changes_tables);
      in_kernel({});
      steps.insert(steps.begin(), Install{desired()});
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

void Engine::settle_debt(const Quarantine& stored) {
  std::erase_if(unstored_, [&](const StoreQuarantine& each) {
    return each.quarantine.target == stored.target;
  });
}

// ---- letting go ----

Effects Engine::release_quarantine(const Asked& asked, Time now) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = text_parameter(asked.request, "target"),
              .reason = text_parameter(asked.request, "reason")};
  const auto target = target_of(asked.request, active_->policy.policy());
  if (!target) return reject(asked, std::move(entry), {target.error()});
  entry.object = to_string(*target);
  const Quarantine* found = find_quarantine(*target);
  if (found == nullptr) return reject(asked, std::move(entry), {not_quarantined(*target)});
  if (auto given = check_release(asked.request); !given) {
    return reject(asked, std::move(entry), {std::move(given.error())});
  }
  if (!unstored_.empty()) {
    return reject(asked, entry,
                  {{ErrorCode::failed,
                    to_string(*target),
                    "a quarantine has not come to the disk yet",
                    {},
                    "look at the disk (sekisho status, sekisho doctor), then release it"}});
  }
  const std::string finding = text_parameter(asked.request, "finding");
  entry.before = as_toml(*found);
  entry.after = "finding = " + write_text(finding);
  const bool two = active_->policy.policy().response.two_people;
  const bool second = found->release && found->release->uid != asked.actor.uid;
  if (!two || second) return let_go(asked, *found, now);
  Quarantine asking = *found;
  asking.release = ReleaseAsked{.by = asked.actor.name,
                                .uid = asked.actor.uid,
                                .at = now,
                                .reason = entry.reason,
                                .finding = finding};
  entry.result = "waits for a second person";
  return await(StoreQuarantine{asking, entry},
               [this, asked, asking, entry](Outcome outcome, Time) -> Effects {
                 if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
                 hold(with(quarantines_, asking));
                 Node shown = show_quarantine(asking);
                 auto& table = std::get<Node::Table>(shown.value);
                 table.emplace_back("released", Node{false});
                 table.emplace_back("waits_for",
                                    Node{std::string("a second person, who says: sekisho "
                                                     "quarantine release ") +
                                         to_string(asking.target)});
                 return answer(asked.id, std::move(shown));
               });
}

Effects Engine::let_go(const Asked& asked, const Quarantine& quarantine, Time) {
  const QuarantineTarget target = quarantine.target;
  const std::string finding = text_parameter(asked.request, "finding");
  const Entry entry{.actor = asked.actor,
                    .operation = control::operation(asked.request.operation).name(),
                    .object = to_string(target),
                    .before = as_toml(quarantine),
                    .after = "finding = " + write_text(finding),
                    .reason = text_parameter(asked.request, "reason")};
  return await(StoreRelease{target, finding, entry},
               [this, asked, target, entry](Outcome outcome, Time now) -> Effects {
                 if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
                 hold(without(quarantines_, target));
                 TablesDiff rules = in_kernel({});
                 return load(
                     std::move(rules), peers_now(now),
                     [this, asked, target, entry](const Outcome& loaded, Time at) -> Effects {
                       Node::Table result{{"target", {to_string(target)}}, {"released", {true}}};
                       Effects effects;
                       if (!loaded) {
                         effects = degrade(to_string(loaded.error()), at);
                         result.emplace_back("problem", Node{degraded_});
                       }
                       effects.emplace_back(Notify{
                           notice_of(entry, notice::Kind::released, notice::Severity::medium)});
                       effects.emplace_back(Answer{asked.id, Node{std::move(result)}});
                       return effects;
                     });
               });
}

// A drill: somebody whom the policy does not have is let in and cut off again, with all that is
// done for a device but its peer. Nobody notices.
Effects Engine::drill(const Asked& asked) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = "drill"};
  const std::vector<IpAddress> nobody = unused_addresses(network_, active_->policy.policy());
  if (nobody.empty() || !tables_known_) {
    return reject(asked, std::move(entry),
                  {{ErrorCode::failed,
                    "drill",
                    nobody.empty() ? "every tunnel address is somebody's"
                                   : "the gateway is not enforcing as it should",
                    {},
                    "see: sekisho status"}});
  }
  TablesDiff in;
  in.may_refuse_more = false;
  for (const IpAddress& address : nobody) in.add_cohorts.emplace_back(address, kIsolatedCohort);
  TablesDiff out;
  out.may_pass_more = false;
  out.remove_cohorts = in.add_cohorts;
  PurgeFlows purge;
  purge.addresses.insert(nobody.begin(), nobody.end());
  return await(ChangeTables{std::move(in)}, [=, this](Outcome outcome, Time at) -> Effects {
    auto containment = std::make_shared<Containment>();
    containment->proof.began = moment_;
    containment->steps = {ChangeTables{out}, purge};
    if (!outcome) containment->errors.push_back(std::move(outcome.error()));
    containment->then = [this, asked, entry](const Containment& done, Time) -> Effects {
      if (!done.errors.empty()) return reject(asked, entry, done.errors);
      Effects effects;
      effects.emplace_back(Record{entry});
      effects.emplace_back(
          Answer{asked.id, Node{Node::Table{{"proof", show_proof(done.proof, moment_)}}}});
      return effects;
    };
    return go_on(containment, at);
  });
}

}  // namespace sekisho::engine

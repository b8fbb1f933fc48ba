#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/plan.h"
#include "gateway/engine/proof.h"
#include "gateway/engine/views.h"
#include "policy/model/document.h"

// What is asked and changes the policy: from the request to the plan, step by step to its end, and
// back where a step fails.
namespace sekisho::engine {

using control::OperationId;

namespace {

bool changes_tables(const Effect& effect) {
  return std::holds_alternative<ChangeTables>(effect) || std::holds_alternative<Remark>(effect);
}

bool activates(const Effect& effect) {
  return std::holds_alternative<Activate>(effect);
}

template <class Entries>
bool same(Entries one, Entries other) {
  std::ranges::sort(one);
  std::ranges::sort(other);
  return one == other;
}

// Whether `back` takes out what the plan's change of tables puts in, and the other way round.
bool undoes(const TablesDiff& back, const std::vector<Effect>& plan) {
  TablesDiff forth;
  for (const Effect& effect : plan) {
    if (const auto* change = std::get_if<ChangeTables>(&effect)) forth = change->diff;
  }
  return same(back.remove_cohorts, forth.add_cohorts) &&
         same(back.add_cohorts, forth.remove_cohorts) &&
         same(back.remove_grants, forth.add_grants) && same(back.add_grants, forth.remove_grants);
}

}  // namespace

Effects Engine::change(const Asked& asked, Time now) {
  if (asked.request.operation == OperationId::notify_test) return test_notify(asked);
  if (const auto base = number_parameter(asked.request, "base");
      base && RevisionNumber(static_cast<std::uint64_t>(*base)) != active_->revision) {
    Entry entry{.actor = asked.actor,
                .operation = control::operation(asked.request.operation).name(),
                .object = "policy"};
    return reject(
        asked, std::move(entry),
        {{ErrorCode::conflict,
          "policy",
          "revision " + std::to_string(active_->revision.value()) + " by " + active_->author +
              " is active, not " + std::to_string(*base),
          {},
          "look at what changed (policy history, policy diff), then apply on top of it"}});
  }
  if (const auto why = why_not_now(asked)) {
    Entry entry{.actor = asked.actor,
                .operation = control::operation(asked.request.operation).name(),
                .object = object_of(asked.request)};
    return reject(asked, std::move(entry), {*why});
  }
  switch (asked.request.operation) {
    case OperationId::policy_confirm:
      return confirm(asked);
    case OperationId::person_offboard:
      return offboard(asked, now);
    case OperationId::policy_apply:
    case OperationId::policy_import:
      return begin(asked, edit_document(active_->policy.policy(), asked.request), now);
    case OperationId::policy_rollback:
      return change_back(asked, now);
    default:
      return change_object(asked, now);
  }
}

Effects Engine::change_object(const Asked& asked, Time now) {
  const bool needs_addresses = asked.request.operation == OperationId::device_add &&
                               asked.request.parameters.find("addresses") == nullptr;
  if (!needs_addresses)
    return begin(asked, edit_object(active_->policy.policy(), asked.request, {}), now);
  std::vector<IpAddress> taken = network_.gateway_addresses();
  for (const auto& [id, device] : active_->policy.policy().devices) {
    taken.insert(taken.end(), device.addresses.begin(), device.addresses.end());
  }
  return await(FindAddresses{std::move(taken)}, [this, asked](Outcome outcome, Time at) -> Effects {
    if (!outcome) return begin(asked, std::unexpected(Errors{std::move(outcome.error())}), at);
    return begin(asked,
                 edit_object(active_->policy.policy(), asked.request,
                             std::get<std::vector<IpAddress>>(*outcome)),
                 at);
  });
}

Effects Engine::change_back(const Asked& asked, Time now) {
  const auto number = static_cast<std::uint64_t>(
      std::max<std::int64_t>(number_parameter(asked.request, "revision").value_or(0), 0));
  if (provisional_ && provisional_->back_to == RevisionNumber(number)) {
    const std::string reason = text_parameter(asked.request, "reason");
    return end_trial(asked, reason.empty() ? "taken back before it was confirmed" : reason, now);
  }
  return await(ReadRevision{RevisionNumber(number)},
               [this, asked, number](Outcome outcome, Time at) -> Effects {
                 if (!outcome)
                   return begin(asked, std::unexpected(Errors{std::move(outcome.error())}), at);
                 auto earlier = policy_of(std::get<Revision>(*outcome));
                 if (!earlier) return begin(asked, std::unexpected(std::move(earlier.error())), at);
                 const Policy& policy = active_->policy.policy();
                 Edit edit{.change = difference(policy, roll_back(policy, *std::move(earlier))),
                           .object = "policy",
                           .reason = text_parameter(asked.request, "reason")};
                 if (edit.reason.empty())
                   edit.reason = "back to revision " + std::to_string(number);
                 return begin(asked, std::move(edit), at);
               });
}

Effects Engine::begin(const Asked& asked, Checked<Edit> edit, Time now) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = object_of(asked.request),
              .reason = text_parameter(asked.request, "reason")};
  if (!edit) return reject(asked, std::move(entry), std::move(edit.error()));
  auto provisional = provisional_after(asked, now);
  if (!provisional) return reject(asked, std::move(entry), {std::move(provisional.error())});
  entry.object = edit->object;
  entry.before = edit->before;
  entry.after = edit->after;
  entry.reason = edit->reason;
  auto undo = amend(active_->policy, edit->change, zones_);
  if (!undo) {
    locate_in_document(undo.error(), asked.request);
    return reject(asked, std::move(entry), std::move(undo.error()));
  }

  auto change = std::make_shared<Change>();
  change->request = asked.id;
  change->proof.began = asked.at;
  change->edit = *std::move(edit);
  change->undo = *std::move(undo);
  change->entry = std::move(entry);
  change->provisional = *std::move(provisional);
  const PolicyEdit& edited = change->edit.change;
  if (edited.empty()) return finish(change, now);

  const bool recuts = !edited.resources.empty();
  if (recuts) change->compiler_before = active_->compiler;
  auto diff = active_->compiler.update(active_->policy, change->undo, now, quarantined_.places);
  if (!diff) {
    amend(active_->policy, change->undo, zones_);
    return reject(asked, change->entry, {diff.error()});
  }
  std::vector<Quarantine> quarantines_before = quarantines_;
  const bool moves_held =
      !edited.devices.empty() || !edited.people.empty() || !edited.resources.empty();
  std::vector<Effect> caught = moves_held ? catch_more(change->entry) : std::vector<Effect>();
  if (!caught.empty()) change->quarantines_before = std::move(quarantines_before);
  const bool moves_people = !edited.people.empty() || !edited.devices.empty();
  if (moves_people) {
    change->peers_before = active_->peers;
    change->next_end_before = active_->next_end;
    follow_people(now);
  }
  const Holds holds_before = holds_;
  TablesDiff in_kernel_diff = in_kernel(*diff);
  const Compiled& to = active_->compiler.compiled();
  // Between two cuts of the destinations it is the kernel's tables that count.
  const bool any_held = !holds_before.empty() || !holds_.empty();
  std::optional<Compiled> held_from;
  std::optional<Compiled> held_to;
  if (recuts && any_held) {
    const Compiled& from = change->compiler_before->compiled();
    held_from = {
        .space = from.space, .tables = held(from.tables, holds_before), .next_opening = {}};
    held_to = {.space = to.space, .tables = held(to.tables, holds_), .next_opening = {}};
    in_kernel_diff = sekisho::diff(held_from->tables, held_to->tables);
  }
  const Compiled* recut_from = recuts ? &change->compiler_before->compiled() : nullptr;
  change->plan = make_plan(
      {.diff = std::move(in_kernel_diff),
       .recut_from = held_from ? &*held_from : recut_from,
       .to = held_to ? *held_to : to,
       .peers_from = moves_people ? *change->peers_before : active_->peers,
       .peers_to = active_->peers,
       .unfinished = unfinished_,
       .store = {.edit = write_edit(edited),
                 .policy = &active_->policy.policy(),
                 .author = asked.actor.name,
                 .reason = change->edit.reason,
                 .base = active_->revision,
                 .space = recuts || !active_->revision ? std::optional(to.space) : std::nullopt},
       .activate = {device_change(
                        edited, change->undo,
                        change->edit.key_made_at_gateway ? change->edit.profile_for : std::nullopt),
                    change->entry, change->provisional}});
  auto& plan = change->plan;
  const bool asks_kernel = std::ranges::any_of(plan, touches_kernel);
  // A diff from what the kernel may not hold could come to anything, an empty one too: peers that
  // come would find rights that were another's.
  if (!tables_known_ && asks_kernel) {
    const auto first = std::ranges::find_if(plan, changes_tables);
    if (first != plan.end()) {
      *first = Install{desired()};
    } else {
      plan.insert(std::ranges::find_if(plan, activates), Install{desired()});
    }
    std::erase_if(plan, changes_tables);
  }
  // What asks nothing of a kernel that refuses everything would be accepted and never loaded.
  if (!change->edit.purge.empty()) plan.emplace_back(PurgeFlows{.addresses = change->edit.purge});
  if (!degraded_.empty() && !asks_kernel) {
    plan.insert(plan.begin(), {Install{desired()}, OpenTunnel{desired()}});
  }
  std::ranges::move(caught, std::back_inserter(plan));
  return proceed(change, now);
}

Effects Engine::proceed(const ChangePtr& change, Time now) {
  if (change->step == change->plan.size()) return finish(change, now);
  Effect& planned = change->plan[change->step];
  change->kernel_touched |= touches_kernel(planned);
  // What it carries is needed once, but for what taking back is held against, or is tried again.
  const bool again = changes_tables(planned) || std::holds_alternative<StoreQuarantine>(planned);
  Effect effect = again ? planned : std::move(planned);
  return await(std::move(effect), [this, change](Outcome outcome, Time at) -> Effects {
    const Effect& done = change->plan[change->step];
    const bool installs = std::holds_alternative<Install>(done);
    if (installs || changes_tables(done))
      tables_known_ = outcome.has_value() && (tables_known_ || installs);
    if (!outcome) return undo(change, std::move(outcome.error()), at);
    change->kernel_changed |= touches_kernel(done);
    note(change->proof, done, *outcome, moment_);
    if (std::holds_alternative<Abandon>(done)) unfinished_.reset();
    if (const auto* store = std::get_if<StoreQuarantine>(&done)) settle_debt(store->quarantine);
    if (const auto* number = std::get_if<RevisionNumber>(&*outcome)) change->revision = *number;
    // From here on the new revision is the one in force: what still fails is repaired towards it.
    if (std::holds_alternative<Activate>(done)) {
      change->activated = true;
      active_->revision = change->revision;
      active_->author = change->entry.actor.name;
      set_provisional(change->provisional, at);
    }
    ++change->step;
    return proceed(change, at);
  });
}

Effects Engine::finish(const ChangePtr& change, Time) {
  Node::Table result{{"revision", {static_cast<std::int64_t>(active_->revision.value())}},
                     {"object", {change->edit.object}},
                     {"changed", {!change->plan.empty()}}};
  if (provisional_) std::ranges::copy(show_provisional(*provisional_), std::back_inserter(result));
  if (!change->edit.purge.empty()) {
    std::ranges::copy(change->edit.ended, std::back_inserter(result));
    result.emplace_back("proof", show_proof(change->proof, moment_));
  }
  Effects effects;
  if (change->edit.profile_for && !change->plan.empty()) {
    const Device& device = active_->policy.policy().devices.at(*change->edit.profile_for);
    effects.emplace_back(AnswerWithProfile{change->request,
                                           *change->edit.profile_for,
                                           device.public_key,
                                           device.addresses,
                                           {std::move(result)}});
  } else {
    effects.emplace_back(Answer{change->request, Node{std::move(result)}});
  }
  return effects;
}

Effects Engine::undo(const ChangePtr& change, Error error, Time now) {
  if (change->activated) {
    for (; change->step < change->plan.size(); ++change->step) {
      const auto* store = std::get_if<StoreQuarantine>(&change->plan[change->step]);
      if (store != nullptr) owe(*store);
    }
    Effects effects = degrade(to_string(error), now);
    error.advice =
        "the change is stored and in force; the rest is tried again every second, see: sekisho "
        "status";
    effects.emplace_back(Answer{change->request, std::unexpected(Errors{std::move(error)})});
    return effects;
  }
  const bool as_before = take_back(*change, now);
  if (change->kernel_changed) error.code = ErrorCode::rolled_back;
  const auto tell = [this, change, error](
                        Time at, const std::optional<std::string>& still_wrong) -> Effects {
    Effects effects;
    if (still_wrong) effects = degrade(*still_wrong, at);
    Entry entry = change->entry;
    entry.result = to_string(error);
    if (!change->revision) effects.emplace_back(Record{std::move(entry)});
    effects.emplace_back(Answer{change->request, std::unexpected(Errors{error})});
    return effects;
  };
  const auto abandon = [this, change, error, tell](
                           Time at, const std::optional<std::string>& still_wrong) -> Effects {
    if (!change->revision) return tell(at, still_wrong);
    Entry entry = change->entry;
    entry.result = to_string(error);
    return await(Abandon{entry}, [this, entry, tell, still_wrong](Outcome outcome, Time then) {
      if (!outcome) unfinished_ = entry;
      return tell(then, still_wrong);
    });
  };
  if (!change->kernel_touched && as_before) return abandon(now, std::nullopt);
  return install([abandon](const Outcome& outcome, Time at) -> Effects {
    return abandon(at, outcome ? std::nullopt : std::optional(to_string(outcome.error())));
  });
}

// Whether everything is then as the kernel held it before: time may have gone on, and cohorts may
// have other numbers. Atom numbers that it took stay used up: flows may have come to carry them.
bool Engine::take_back(Change& change, Time now) {
  amend(active_->policy, change.undo, zones_);
  if (change.quarantines_before) hold(*std::move(change.quarantines_before));
  if (change.peers_before) {
    active_->peers = *std::move(change.peers_before);
    active_->next_end = change.next_end_before;
  }
  if (change.compiler_before) {
    const std::uint32_t used = active_->compiler.compiled().space.next;
    active_->compiler = *std::move(change.compiler_before);
    active_->compiler.use_up_numbers_below(used);
    in_kernel({});
    return true;
  }
  const auto back = active_->compiler.update(active_->policy, change.edit.change, now);
  return back && undoes(in_kernel(*back), change.plan);
}

}  // namespace sekisho::engine

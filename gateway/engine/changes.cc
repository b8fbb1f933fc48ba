#include <algorithm>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/plan.h"
#include "gateway/engine/views.h"
#include "policy/model/document.h"

// What is asked and changes the policy: from the request to the plan, step by step to its end, and
// back where a step fails.
namespace sekisho::engine {

using control::OperationId;

namespace {

bool touches_kernel(const Effect& effect) {
  return std::holds_alternative<ChangeTables>(effect) || std::holds_alternative<Remark>(effect) ||
         std::holds_alternative<ChangePeers>(effect);
}

}  // namespace

Effects Engine::change(const Asked& asked, Time now) {
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

Effects Engine::change_back(const Asked& asked, Time) {
  const std::int64_t number = number_parameter(asked.request, "revision").value_or(0);
  return await(
      ReadRevision{RevisionNumber(static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0)))},
      [this, asked, number](Outcome outcome, Time at) -> Effects {
        if (!outcome) return begin(asked, std::unexpected(Errors{std::move(outcome.error())}), at);
        return go_back(asked, policy_of(std::get<Revision>(*outcome)),
                       "back to revision " + std::to_string(number), at);
      });
}

Effects Engine::go_back(const Asked& asked, Checked<Policy> earlier, std::string reason, Time now) {
  if (!earlier) return begin(asked, std::unexpected(std::move(earlier.error())), now);
  const Policy& policy = active_->policy.policy();
  Edit edit{.change = difference(policy, roll_back(policy, *std::move(earlier))),
            .object = "policy",
            .reason = text_parameter(asked.request, "reason")};
  if (edit.reason.empty()) edit.reason = std::move(reason);
  return begin(asked, std::move(edit), now);
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
  change->edit = *std::move(edit);
  change->undo = *std::move(undo);
  change->entry = std::move(entry);
  change->provisional = *std::move(provisional);
  const PolicyEdit& edited = change->edit.change;
  if (edited.empty()) return finish(change, now);

  const bool recuts = !edited.resources.empty();
  if (recuts) change->compiler_before = active_->compiler;
  auto diff = active_->compiler.update(active_->policy, change->undo, now);
  if (!diff) {
    amend(active_->policy, change->undo, zones_);
    return reject(asked, change->entry, {diff.error()});
  }
  const bool moves_people = !edited.people.empty() || !edited.devices.empty();
  if (moves_people) {
    change->peers_before = active_->peers;
    follow_people(now);
  }
  const Compiled& to = active_->compiler.compiled();
  change->plan = make_plan(
      {.diff = *std::move(diff),
       .recut_from = recuts ? &change->compiler_before->compiled() : nullptr,
       .to = to,
       .peers_from = moves_people ? *change->peers_before : active_->peers,
       .peers_to = active_->peers,
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
  // What asks nothing of a kernel that refuses everything would be accepted and never loaded.
  if (!degraded_.empty() && std::ranges::none_of(change->plan, touches_kernel)) {
    change->plan.insert(change->plan.begin(), Install{desired()});
  }
  return proceed(change, now);
}

Effects Engine::proceed(const ChangePtr& change, Time now) {
  if (change->step == change->plan.size()) return finish(change, now);
  const Effect& effect = change->plan[change->step];
  const bool touches = touches_kernel(effect);
  change->kernel_touched |= touches;
  const bool activates = std::holds_alternative<Activate>(effect);
  return await(effect, [this, change, touches, activates](Outcome outcome, Time at) -> Effects {
    if (!outcome) return undo(change, std::move(outcome.error()), at);
    change->kernel_changed |= touches;
    if (const auto* number = std::get_if<RevisionNumber>(&*outcome)) change->revision = *number;
    // From here on the new revision is the one in force: what still fails is repaired towards it.
    if (activates) {
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
    Effects effects = degrade(to_string(error), now);
    error.advice =
        "the change is stored and in force; the rest is tried again every second, see: sekisho "
        "status";
    effects.emplace_back(Answer{change->request, std::unexpected(Errors{std::move(error)})});
    return effects;
  }
  take_back(*change, now);
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
    return await(Abandon{std::move(entry)},
                 [tell, still_wrong](Outcome, Time then) { return tell(then, still_wrong); });
  };
  if (!change->kernel_touched) return abandon(now, std::nullopt);
  return await(Install{desired()}, [abandon](Outcome outcome, Time at) -> Effects {
    return abandon(at, outcome ? std::nullopt : std::optional(to_string(outcome.error())));
  });
}

// Atom numbers that it took stay used up: flows may have come to carry them.
void Engine::take_back(Change& change, Time now) {
  amend(active_->policy, change.undo, zones_);
  if (change.compiler_before) {
    const std::uint32_t used = active_->compiler.compiled().space.next;
    active_->compiler = *std::move(change.compiler_before);
    active_->compiler.use_up_numbers_below(used);
  } else {
    active_->compiler.update(active_->policy, change.edit.change, now);
  }
  if (change.peers_before) follow_people(now);
}

}  // namespace sekisho::engine

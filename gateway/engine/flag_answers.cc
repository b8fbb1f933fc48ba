#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/flag_views.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/engine/views.h"

// The officer's answer to a flag.
namespace sekisho::engine {

using control::OperationId;

Effects Engine::decide_flag(const Asked& asked) {
  const auto asked_for = flag_number(asked.request);
  const FlagNumber number = asked_for.value_or(FlagNumber());
  const Entry entry{.actor = asked.actor,
                    .operation = control::operation(asked.request.operation).name(),
                    .object = "flag." + std::to_string(number.value()),
                    .reason = text_parameter(asked.request, "reason")};
  if (!asked_for) return reject(asked, entry, {asked_for.error()});
  if (entry.reason.empty()) {
    return reject(asked, entry,
                  {{ErrorCode::invalid, "reason", "is missing", {}, "say why: --reason TEXT"}});
  }
  return await(ReadFlag{number}, [=, this](Outcome outcome, Time now) -> Effects {
    if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
    const auto& found = std::get<std::optional<Flag>>(*outcome);
    if (!found) return reject(asked, entry, {no_flag(number)});
    if (asked.request.operation == OperationId::flag_act) return act(asked, *found, entry, now);
    return dismiss(asked, *found, entry);
  });
}

Effects Engine::act(const Asked& asked, const Flag& flag, const Entry& entry, Time now) {
  const Policy& policy = active_->policy.policy();
  Quarantine quarantine = quarantine_for(flag, hold_by(policy.response.reaction(flag.severity)));
  quarantine.automatic = false;
  quarantine.by = asked.actor.name;
  quarantine.since = now;
  // A device that is gone may come again under another name.
  const bool gone = !flag.device.empty() && !policy.devices.contains(flag.device);
  if (gone && flag.public_key) quarantine.keys.push_back(*flag.public_key);
  catch_devices(quarantine, policy);
  Flag after = flag;
  after.state = FlagState::acted;
  if (is_held(quarantine)) {
    after.outcome = "it is quarantined already";
    return settle(asked, flag, after, entry, {});
  }
  after.outcome = "quarantined by " + asked.actor.name;
  if (gone)
    after.outcome += "; the device is gone: its name and its key are held, should they come again";
  Entry put_off = entry;
  put_off.operation = "quarantine.add";
  put_off.object = to_string(quarantine.target);
  succeed_former(quarantine, put_off);
  return contain(
      std::move(quarantine), put_off,
      [=, this](const Containment& done, Time) -> Effects {
        if (!done.errors.empty()) return reject(asked, entry, done.errors);
        return settle(asked, flag, after, entry, show_proof(done.proof, moment_));
      },
      now);
}

// It was nothing. What it brought about is let go by a release alone, which has a finding.
Effects Engine::dismiss(const Asked& asked, const Flag& flag, const Entry& entry) {
  if (flag.state == FlagState::dismissed) {
    return reject(asked, entry,
                  {{ErrorCode::conflict,
                    entry.object,
                    "was dismissed already: " + flag.outcome,
                    {},
                    "look at it: sekisho flag show " + std::to_string(flag.number.value())}});
  }
  Flag after = flag;
  after.state = FlagState::dismissed;
  after.outcome = entry.reason;
  const QuarantineTarget target = quarantine_for(flag, Hold::isolate).target;
  if (find_quarantine(target) != nullptr) {
    after.outcome += "; " + to_string(target) + " stays quarantined: sekisho quarantine release " +
                     to_string(target);
  }
  return settle(asked, flag, after, entry, {});
}

Effects Engine::settle(const Asked& asked, const Flag& before, const Flag& after,
                       const Entry& entry, const std::optional<Node>& proof) {
  return await(SetFlag{after.number, after.state, after.outcome, entry},
               [=, this](Outcome stored, Time) -> Effects {
                 if (!stored) return reject(asked, entry, {std::move(stored.error())});
                 if (before.state == FlagState::asking && flags_asking_ > 0) --flags_asking_;
                 Node shown = show_flag(after);
                 if (proof) std::get<Node::Table>(shown.value).emplace_back("proof", *proof);
                 return answer(asked.id, std::move(shown));
               });
}

}  // namespace sekisho::engine

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/engine/engine.h"

// A policy on trial (policy apply --confirm): it returns by itself unless somebody confirms it. So
// who locks themselves out needs nobody to let them in again.
namespace sekisho::engine {

namespace {

using control::OperationId;
using std::chrono::seconds;

constexpr seconds kLongestTrial = std::chrono::hours(24);
// A return that fails, for a full disk say, is tried again so often.
constexpr seconds kReturnAgain{10};

// "60s", "5m", "1h"
std::optional<seconds> duration_of(std::string_view text) {
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(end - text.size(), end, count);
  if (error != std::errc{} || end - unit != 1 || count < 1 || count > kLongestTrial.count()) {
    return std::nullopt;
  }
  const seconds length = *unit == 's'   ? seconds(count)
                         : *unit == 'm' ? std::chrono::minutes(count)
                         : *unit == 'h' ? std::chrono::hours(count)
                                        : seconds(0);
  if (length < seconds(1) || length > kLongestTrial) return std::nullopt;
  return length;
}

// What is cut off during a trial stays cut off, and nothing else may change meanwhile, so that a
// return loses nothing: "device.phone" of a device that is blocked, "person.tanaka" of a person who
// is suspended.
std::optional<std::string> cut_of(const control::Request& request) {
  const bool device = request.operation == OperationId::device_set;
  if (!device && request.operation != OperationId::person_set) return std::nullopt;
  if (text_parameter(request, "state") != (device ? "blocked" : "suspended")) return std::nullopt;
  const bool alone = std::ranges::all_of(*request.parameters.table(), [](const auto& parameter) {
    return parameter.first == "id" || parameter.first == "state" || parameter.first == "reason";
  });
  return alone ? std::optional(object_of(request)) : std::nullopt;
}

void keep_cuts(Policy& policy, const std::vector<std::string>& cuts) {
  for (auto& [id, device] : policy.devices) {
    if (std::ranges::count(cuts, "device." + id.str()) > 0) device.state = DeviceState::blocked;
  }
  for (auto& [id, person] : policy.people) {
    if (std::ranges::count(cuts, "person." + id.str()) > 0) person.state = PersonState::suspended;
  }
}

}  // namespace

// Where a return would undo what it never meant, the change has to wait.
std::optional<Error> Engine::why_not_now(const Asked& asked) const {
  const OperationId operation = asked.request.operation;
  if (operation == OperationId::policy_confirm) {
    if (provisional_) return std::nullopt;
    return Error{ErrorCode::not_found,
                 "policy",
                 "nothing waits to be confirmed",
                 {},
                 "see whether it returned already: policy history"};
  }
  const bool only_shows =
      operation == OperationId::person_offboard && !flag_parameter(asked.request, "yes");
  if (!provisional_ || operation == OperationId::policy_rollback || cut_of(asked.request) ||
      only_shows) {
    return std::nullopt;
  }
  return Error{ErrorCode::conflict,
               "policy",
               "revision " + std::to_string(active_->revision.value()) + " of " +
                   provisional_->author + " is on trial until " + to_string(provisional_->until),
               {},
               "keep it (policy confirm) or take it back (policy rollback " +
                   std::to_string(provisional_->back_to.value()) +
                   "), then make this change; quarantine need not wait (quarantine add), nor "
                   "blocking a device or suspending a person"};
}

Result<std::optional<Provisional>> Engine::provisional_after(const Asked& asked, Time now) const {
  if (const auto cut = cut_of(asked.request); cut && provisional_) {
    Provisional provisional = *provisional_;
    provisional.cuts.push_back(*cut);
    return provisional;
  }
  if (asked.request.parameters.find("confirm") == nullptr) return std::nullopt;
  const std::string confirm = text_parameter(asked.request, "confirm");
  const auto length = duration_of(confirm);
  if (!length) {
    return fail(ErrorCode::invalid, "confirm", "\"" + confirm + "\" is no time to wait",
                "give 1s to 24h: 60s, 5m, 1h");
  }
  return Provisional{.back_to = active_->revision,
                     .until = now + *length,
                     .length = *length,
                     .author = asked.actor.name,
                     .cuts = {}};
}

// A clock that was set back must not make a trial longer than it was meant.
void Engine::set_provisional(std::optional<Provisional> provisional, Time now) {
  if (provisional) provisional->until = std::min(provisional->until, now + provisional->length);
  provisional_ = std::move(provisional);
  return_at_ = provisional_ ? std::optional(provisional_->until) : std::nullopt;
}

Effects Engine::confirm(const Asked& asked) {
  const Entry entry{.actor = asked.actor, .operation = "policy.confirm", .object = "policy"};
  return await(Confirm{entry}, [this, asked, entry](Outcome outcome, Time at) -> Effects {
    if (!outcome) return reject(asked, entry, {outcome.error()});
    set_provisional({}, at);
    return answer(
        asked.id,
        Node{Node::Table{{"revision", {static_cast<std::int64_t>(active_->revision.value())}},
                         {"confirmed", {true}}}});
  });
}

Effects Engine::return_unconfirmed(Time now) {
  return_at_ = now + kReturnAgain;
  const Asked asked{
      .id = {},  // nobody waits for the answer
      .actor = kGateway,
      .request = {.operation = OperationId::policy_rollback, .parameters = {Node::Table{}}}};
  return end_trial(asked,
                   "revision " + std::to_string(active_->revision.value()) + " of " +
                       provisional_->author + " was not confirmed by " +
                       to_string(provisional_->until),
                   now);
}

// Everything is as it was before the trial, devices too, but for what was cut off meanwhile.
Effects Engine::end_trial(const Asked& asked, const std::string& reason, Time now) {
  const auto back = [this, asked, reason](Checked<Policy> earlier, Time at) -> Effects {
    if (!earlier) return begin(asked, std::unexpected(std::move(earlier.error())), at);
    keep_cuts(*earlier, provisional_->cuts);
    Edit edit{.change = difference(active_->policy.policy(), *earlier),
              .object = "policy",
              .reason = reason};
    if (!edit.change.empty()) return begin(asked, std::move(edit), at);
    const Entry entry{
        .actor = asked.actor, .operation = "policy.rollback", .object = "policy", .reason = reason};
    return await(Confirm{entry}, [this, asked, entry](Outcome outcome, Time then) -> Effects {
      if (!outcome) return reject(asked, entry, {outcome.error()});
      set_provisional({}, then);
      return answer(asked.id, Node{Node::Table{{"changed", {false}}}});
    });
  };
  if (!provisional_->back_to) return back(Policy{}, now);
  return await(ReadRevision{provisional_->back_to}, [back](Outcome outcome, Time at) -> Effects {
    if (!outcome) return back(std::unexpected(Errors{std::move(outcome.error())}), at);
    return back(policy_of(std::get<Revision>(*outcome)), at);
  });
}

// Why a trial goes on that should have ended; nothing where none does.
std::optional<std::string> Engine::overdue(Time now) const {
  if (!provisional_ || now <= provisional_->until) return std::nullopt;
  return "revision " + std::to_string(active_->revision.value()) + " was on trial until " +
         to_string(provisional_->until) +
         " and could not be taken back; it is tried again every 10 s: see audit list";
}

}  // namespace sekisho::engine

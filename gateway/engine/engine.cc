#include "gateway/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/engine/plan.h"
#include "gateway/engine/views.h"
#include "policy/model/document.h"

namespace sekisho::engine {

namespace {

using control::OperationId;

constexpr std::chrono::seconds kRetry{1};
constexpr std::int64_t kMaxListed = 1000;

const control::Actor kGateway{
    .name = "sekishod", .uid = 0, .authority = control::Authority::officer, .via = "daemon"};

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

std::optional<Time> earliest(std::optional<Time> a, std::optional<Time> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

bool alive(const Policy& policy, const Device& device, Time now) {
  const auto person = policy.people.find(device.person);
  return device.state == DeviceState::active && person != policy.people.end() &&
         person->second.state == PersonState::active &&
         (!person->second.valid_until || now < *person->second.valid_until);
}

// The next second at which a living device's person ends.
std::optional<Time> next_end_of_person(const Policy& policy, Time now) {
  std::optional<Time> next;
  for (const auto& [id, person] : policy.people) {
    if (person.valid_until && now < *person.valid_until) next = earliest(next, person.valid_until);
  }
  return next;
}

// Every entry that ends by itself, taken out and put back: its timeout is counted anew.
TablesDiff renewal(const Tables& tables) {
  TablesDiff renewed;
  for (const auto& entry : tables.cohorts) {
    if (entry.second.until) renewed.add_cohorts.push_back(entry);
  }
  for (const auto& entry : tables.grants) {
    if (entry.second) renewed.add_grants.push_back(entry);
  }
  renewed.remove_cohorts = renewed.add_cohorts;
  renewed.remove_grants = renewed.add_grants;
  return renewed;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

std::string joined(const Errors& errors) {
  std::vector<std::string> lines;
  for (const Error& error : errors) lines.push_back(to_string(error));
  return joined(lines);
}

}  // namespace

Peers peers_of(const Policy& policy, Time now) {
  Peers peers;
  for (const auto& [id, device] : policy.devices) {
    if (alive(policy, device, now)) peers.push_back({id, device.public_key, device.addresses});
  }
  return peers;
}

Engine::Engine(Network network, TimeZones zones)
    : network_(std::move(network)), zones_(std::move(zones)) {}

Effects Engine::handle(Command command, Time now) {
  return std::visit(Overloaded{
                        [&](Started& started) { return start(started, now); },
                        [&](Asked& asked) { return ask(asked, now); },
                        [&](Completed& completed) {
                          auto then = std::exchange(then_, nullptr);
                          return then(std::move(completed.outcome), now);
                        },
                        [&](Woke&) { return wake(now); },
                        [&](Drifted& drifted) { return repair(drifted, now); },
                        [&](ClockStepped&) { return renew(now); },
                        [&](Reconfigured& again) { return reconfigure(std::move(again), now); },
                    },
                    command);
}

std::optional<Time> Engine::next_deadline() const {
  if (!active_) return std::nullopt;
  return earliest(retry_at_,
                  earliest(active_->compiled.next_opening,
                           next_end_of_person(active_->policy.policy(), active_->since)));
}

Effects Engine::await(Effect effect, Continuation then) {
  then_ = std::move(then);
  Effects effects;
  effects.push_back(std::move(effect));
  return effects;
}

Effects Engine::answer(RequestId request, control::Reply reply) {
  Effects effects;
  effects.emplace_back(Answer{request, std::move(reply)});
  return effects;
}

// ---- start, repair, time ----

Effects Engine::start(const Started& started, Time now) {
  Policy policy;
  RevisionNumber number;
  std::string author;
  if (started.active) {
    auto stored = read_policy(started.active->document, Syntax::toml,
                              "revision " + std::to_string(started.active->number.value()));
    if (!stored) {
      fatal_ = std::move(stored.error());
      return {};
    }
    policy = *std::move(stored);
    number = started.active->number;
    author = started.active->author;
  }
  auto valid = validate(std::move(policy), network_, zones_);
  if (!valid) {
    fatal_ = std::move(valid.error());
    return {};
  }
  const Compiled before{.space = started.space, .tables = {}, .next_opening = {}};
  auto active = compile_active(number, *std::move(valid), now, &before);
  if (!active) {
    fatal_ = {active.error()};
    return {};
  }
  active->author = author;
  make_active(*std::move(active), now);
  return install(now);
}

Effects Engine::install(Time) {
  return await(Install{desired_}, [this](Outcome outcome, Time now) -> Effects {
    if (!outcome) return degrade(to_string(outcome.error()), now);
    degraded_.clear();
    retry_at_.reset();
    return {};
  });
}

Effects Engine::degrade(std::string why, Time now) {
  Effects effects;
  if (degraded_ != why) {
    effects.emplace_back(
        Record{{.actor = kGateway, .operation = "enforcement", .object = "kernel", .result = why}});
  }
  degraded_ = std::move(why);
  retry_at_ = now + kRetry;
  return effects;
}

// The passing of time alone: what began is opened, who ended loses the tunnel.
Effects Engine::wake(Time now) {
  if (!active_) return {};
  if (retry_at_ && now >= *retry_at_) return install(now);
  auto compiled = compile(active_->policy, now, &active_->compiled);
  if (!compiled) return degrade(to_string(compiled.error()), now);
  Active active = *active_;
  active.compiled = *std::move(compiled);
  const TablesDiff change = diff(desired_.tables, active.compiled.tables);
  const bool peers_change = peers_of(active.policy.policy(), now) != desired_.peers;
  make_active(std::move(active), now);
  const auto after_tables = [this, peers_change](Outcome outcome, Time then) -> Effects {
    if (!outcome) return degrade(to_string(outcome.error()), then);
    if (!peers_change) return {};
    return await(ChangePeers{desired_.peers}, [this](Outcome result, Time at) -> Effects {
      return result ? Effects{} : degrade(to_string(result.error()), at);
    });
  };
  if (change.empty()) return after_tables(Outcome{}, now);
  return await(ChangeTables{change}, after_tables);
}

// The wall clock was set: timeouts in the kernel run on, so they are counted anew.
Effects Engine::renew(Time now) {
  if (!active_) return {};
  Effects effects;
  effects.emplace_back(Record{{.actor = kGateway,
                               .operation = "clock",
                               .object = "wall clock",
                               .reason = "the clock was set; ends of access were counted anew"}});
  auto compiled = compile(active_->policy, now, &active_->compiled);
  if (!compiled) return degrade(to_string(compiled.error()), now);
  Active active = *active_;
  active.compiled = *std::move(compiled);
  TablesDiff change = diff(desired_.tables, active.compiled.tables);
  make_active(std::move(active), now);
  // Where the table changes already, the renewal of the same entry would only repeat it.
  if (change.empty())
    change = renewal(desired_.tables);
  else
    return install(now);
  if (change.empty()) return effects;
  Effects next =
      await(ChangeTables{std::move(change)}, [this](Outcome outcome, Time at) -> Effects {
        return outcome ? Effects{} : degrade(to_string(outcome.error()), at);
      });
  std::ranges::move(next, std::back_inserter(effects));
  return effects;
}

Effects Engine::repair(const Drifted& drifted, Time now) {
  if (!active_) return {};
  ++repairs_;
  last_repair_ = now;
  Effects effects = install(now);
  effects.insert(effects.begin(), Record{{.actor = kGateway,
                                          .operation = "drift",
                                          .object = "kernel",
                                          .before = joined(drifted.findings),
                                          .reason = drifted.by.empty() ? "found by the timer"
                                                                       : "changed by " + drifted.by,
                                          .result = "repaired"}});
  return effects;
}

Effects Engine::reconfigure(Reconfigured again, Time now) {
  fatal_.clear();
  if (!active_ || (again.network == network_ && again.zones == zones_)) return {};
  auto valid = validate(active_->policy.policy(), again.network, again.zones);
  if (!valid) {
    fatal_ = std::move(valid.error());
    return {};
  }
  auto active = compile_active(active_->revision, *std::move(valid), now, &active_->compiled);
  if (!active) {
    fatal_ = {active.error()};
    return {};
  }
  network_ = std::move(again.network);
  zones_ = std::move(again.zones);
  make_active(*std::move(active), now);
  return install(now);
}

// ---- requests ----

Effects Engine::ask(const Asked& asked, Time now) {
  const control::Operation& operation = control::operation(asked.request.operation);
  if (asked.actor.authority < operation.least) {
    Errors errors{{ErrorCode::not_permitted,
                   operation.name(),
                   asked.actor.name + " may not do this: it takes the authority of " +
                       std::string(control::to_string(operation.least)),
                   {},
                   "run it as root or as a member of the group sekisho-admin"}};
    Entry entry{.actor = asked.actor,
                .operation = operation.name(),
                .object = text_parameter(asked.request, "id")};
    return reject(asked, std::move(entry), std::move(errors));
  }
  if (!active_) {
    return answer(asked.id,
                  std::unexpected(Errors{
                      {ErrorCode::failed, "sekishod", "is still starting", {}, "try again"}}));
  }
  return operation.changes ? change(asked, now) : look(asked, now);
}

Effects Engine::reject(const Asked& asked, Entry entry, Errors errors) {
  entry.result = joined(errors);
  Effects effects;
  effects.emplace_back(Record{std::move(entry)});
  effects.emplace_back(Answer{asked.id, std::unexpected(std::move(errors))});
  return effects;
}

namespace {

control::Reply one_result(Result<Node> result) {
  if (result) return *std::move(result);
  return std::unexpected(Errors{std::move(result.error())});
}

std::size_t limit_of(const control::Request& request) {
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(number_parameter(request, "limit").value_or(50), 1, kMaxListed));
}

}  // namespace

Effects Engine::look(const Asked& asked, Time now) {
  using enum OperationId;
  const Policy& policy = active_->policy.policy();
  switch (asked.request.operation) {
    case person_list:
    case role_list:
    case resource_list:
    case grant_list:
      return answer(asked.id, list_objects(policy, asked.request.operation, {}));
    case person_show:
    case role_show:
    case resource_show:
    case grant_show:
      return answer(asked.id, one_result(show_object(policy, asked.request.operation,
                                                     text_parameter(asked.request, "id"), {})));
    case quota_show:
      return answer(asked.id, show_quota(policy));
    case service_catalogue:
      return answer(asked.id, one_result(show_catalogue(list_parameter(asked.request, "only"))));
    case policy_check:
    case policy_diff: {
      auto document = read_document(asked.request);
      if (!document) return answer(asked.id, std::unexpected(std::move(document.error())));
      auto valid = validate(*document, network_, zones_);
      if (!valid) return answer(asked.id, std::unexpected(std::move(valid.error())));
      return answer(asked.id, asked.request.operation == policy_check
                                  ? Node{Node::Table{{"answer", {true}}}}
                                  : difference(policy, *document));
    }
    case policy_can:
      return answer(asked.id, can(active_->policy, text_parameter(asked.request, "who"),
                                  text_parameter(asked.request, "destination"), now));
    default:
      return look_outside(asked);
  }
}

// What needs the store or the kernel to answer.
Effects Engine::look_outside(const Asked& asked) {
  using enum OperationId;
  const RequestId id = asked.id;
  const auto then = [this, id](const auto& make) -> Continuation {
    return [this, id, make](Outcome outcome, Time at) -> Effects {
      if (!outcome) return answer(id, std::unexpected(Errors{std::move(outcome.error())}));
      return answer(id, make(*outcome, at));
    };
  };
  switch (asked.request.operation) {
    case status:
      return await(ReadPeers{}, [this, id](Outcome outcome, Time at) -> Effects {
        const auto* peers = outcome ? std::get_if<std::vector<PeerStatus>>(&*outcome) : nullptr;
        return answer(id, this->status(peers != nullptr ? *peers : std::vector<PeerStatus>{}, at));
      });
    case doctor:
      return await(Examine{desired_}, then([](auto& value, Time) -> control::Reply {
                     return show_findings(std::get<std::vector<Finding>>(value));
                   }));
    case device_list:
    case device_show:
      return await(
          ReadPeers{}, then([this, request = asked.request](auto& value, Time) -> control::Reply {
            const auto& peers = std::get<std::vector<PeerStatus>>(value);
            const Policy& policy = active_->policy.policy();
            if (request.operation == device_list)
              return list_objects(policy, request.operation, peers);
            return one_result(
                show_object(policy, request.operation, text_parameter(request, "id"), peers));
          }));
    case device_profile: {
      const DeviceId device(text_parameter(asked.request, "id"));
      auto shown = show_object(active_->policy.policy(), device_show, device.str(), {});
      if (!shown) return answer(id, one_result(std::move(shown)));
      Effects effects;
      const Device& known = active_->policy.policy().devices.at(device);
      effects.emplace_back(
          AnswerWithProfile{id, device, known.public_key, known.addresses, *std::move(shown)});
      return effects;
    }
    case policy_history:
      return await(ReadHistory{limit_of(asked.request)},
                   then([](auto& value, Time) -> control::Reply {
                     return show_history(std::get<std::vector<Revision>>(value));
                   }));
    case policy_export: {
      const std::string syntax = text_parameter(asked.request, "syntax");
      const auto document = [syntax](const Policy& policy) {
        return Node{Node::Table{
            {"document", {write_policy(policy, syntax == "json" ? Syntax::json : Syntax::toml)}}}};
      };
      const auto revision = number_parameter(asked.request, "revision");
      if (!revision) return answer(id, document(active_->policy.policy()));
      return await(
          ReadRevision{
              RevisionNumber(static_cast<std::uint64_t>(std::max<std::int64_t>(*revision, 0)))},
          then([document](auto& value, Time) -> control::Reply {
            auto policy = read_policy(std::get<Revision>(value).document, Syntax::toml, "revision");
            if (!policy) return std::unexpected(std::move(policy.error()));
            return document(*policy);
          }));
    }
    case audit_list:
      return await(ReadOperations{limit_of(asked.request)},
                   then([](auto& value, Time) -> control::Reply { return std::get<Node>(value); }));
    case audit_verify:
      return await(VerifyOperations{},
                   then([](auto& value, Time) -> control::Reply { return std::get<Node>(value); }));
    default:
      return answer(id, std::unexpected(Errors{{ErrorCode::failed,
                                                control::operation(asked.request.operation).name(),
                                                "is no question",
                                                {},
                                                {}}}));
  }
}

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
          "revision " + std::to_string(active_->revision.value()) + " is active, not " +
              std::to_string(*base),
          {},
          "look at what changed (policy history, policy diff), then apply on top of it"}});
  }
  switch (asked.request.operation) {
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
        auto earlier = read_policy(std::get<Revision>(*outcome).document, Syntax::toml, "revision");
        if (!earlier) return begin(asked, std::unexpected(std::move(earlier.error())), at);
        Edit edit{.next = roll_back(active_->policy.policy(), *std::move(earlier)),
                  .object = "policy",
                  .reason = text_parameter(asked.request, "reason")};
        if (edit.reason.empty()) edit.reason = "back to revision " + std::to_string(number);
        return begin(asked, std::move(edit), at);
      });
}

// ---- changes ----

Effects Engine::begin(const Asked& asked, Checked<Edit> edit, Time now) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = text_parameter(asked.request, "id"),
              .reason = text_parameter(asked.request, "reason")};
  if (!edit) return reject(asked, std::move(entry), std::move(edit.error()));
  entry.object = edit->object;
  entry.before = edit->before;
  entry.after = edit->after;
  entry.reason = edit->reason;
  auto valid = validate(edit->next, network_, zones_);
  if (!valid) return reject(asked, std::move(entry), std::move(valid.error()));
  auto next = compile_active(active_->revision, *std::move(valid), now, &active_->compiled);
  if (!next) return reject(asked, std::move(entry), {next.error()});
  next->author = asked.actor.name;
  // Numbers that this change takes are used up even if it fails: flows may come to carry them.
  active_->compiled.space.next = next->compiled.space.next;

  auto change = std::make_shared<Change>();
  change->request = asked.id;
  change->edit = *std::move(edit);
  change->entry = std::move(entry);
  if (change->edit.next == active_->policy.policy()) {
    change->next = *active_;
    return finish(change, now);
  }
  const Desired to{next->compiled.space, next->compiled.tables,
                   peers_of(next->policy.policy(), now)};
  change->plan = make_plan(
      {.from = desired_,
       .to = to,
       .store = {write_policy(change->edit.next, Syntax::toml), asked.actor.name,
                 change->edit.reason, active_->revision, to.space},
       .activate = {device_change(
                        active_->policy.policy(), change->edit.next,
                        change->edit.key_made_at_gateway ? change->edit.profile_for : std::nullopt),
                    change->entry}});
  change->next = *std::move(next);
  return proceed(change, now);
}

Effects Engine::proceed(const ChangePtr& change, Time now) {
  if (change->step == change->plan.size()) return finish(change, now);
  const Effect& effect = change->plan[change->step];
  const bool touches_kernel = std::holds_alternative<ChangeTables>(effect) ||
                              std::holds_alternative<Remark>(effect) ||
                              std::holds_alternative<ChangePeers>(effect);
  change->kernel_touched |= touches_kernel;
  const bool activates = std::holds_alternative<Activate>(effect);
  return await(effect, [this, change, activates](Outcome outcome, Time at) -> Effects {
    if (!outcome) return undo(change, std::move(outcome.error()), at);
    if (const auto* number = std::get_if<RevisionNumber>(&*outcome)) {
      change->pending_stored = true;
      change->next->revision = *number;
    }
    // From here on the new revision is the one in force: what still fails is repaired towards it.
    if (activates) make_active(*change->next, at);
    ++change->step;
    return proceed(change, at);
  });
}

Effects Engine::finish(const ChangePtr& change, Time) {
  Node::Table result{{"revision", {static_cast<std::int64_t>(active_->revision.value())}},
                     {"object", {change->edit.object}},
                     {"changed", {!change->plan.empty()}}};
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
  const bool activated = active_->revision == change->next->revision && change->pending_stored;
  if (activated) {
    Effects effects = degrade(to_string(error), now);
    error.advice =
        "the change is stored and in force; the rest is tried again every second, see: sekisho "
        "status";
    effects.emplace_back(Answer{change->request, std::unexpected(Errors{std::move(error)})});
    return effects;
  }
  const auto tell = [this, change, error](
                        Time at, const std::optional<std::string>& still_wrong) -> Effects {
    Effects effects;
    if (still_wrong) effects = degrade(*still_wrong, at);
    Entry entry = change->entry;
    entry.result = to_string(error);
    if (!change->pending_stored) effects.emplace_back(Record{std::move(entry)});
    effects.emplace_back(Answer{change->request, std::unexpected(Errors{error})});
    return effects;
  };
  const auto abandon = [this, change, error, tell](
                           Time at, const std::optional<std::string>& still_wrong) -> Effects {
    if (!change->pending_stored) return tell(at, still_wrong);
    Entry entry = change->entry;
    entry.result = to_string(error);
    return await(Abandon{std::move(entry)},
                 [tell, still_wrong](Outcome, Time then) { return tell(then, still_wrong); });
  };
  if (!change->kernel_touched) return abandon(now, std::nullopt);
  return await(Install{desired_}, [abandon](Outcome outcome, Time at) -> Effects {
    return abandon(at, outcome ? std::nullopt : std::optional(to_string(outcome.error())));
  });
}

Result<Engine::Active> Engine::compile_active(RevisionNumber revision, ValidPolicy policy, Time now,
                                              const Compiled* before) const {
  auto compiled = compile(policy, now, before);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return Active{.revision = revision,
                .since = now,
                .author = {},
                .policy = std::move(policy),
                .compiled = *std::move(compiled)};
}

void Engine::make_active(Active active, Time now) {
  active.since = now;
  desired_ = {active.compiled.space, active.compiled.tables, peers_of(active.policy.policy(), now)};
  active_ = std::move(active);
}

Node Engine::status(const std::vector<PeerStatus>& peers, Time now) const {
  const Policy& policy = active_->policy.policy();
  const auto count = [](std::size_t n) { return Node{static_cast<std::int64_t>(n)}; };
  return {Node::Table{
      {"answer", {degraded_.empty()}},
      {"state", {std::string(degraded_.empty() ? "enforcing" : "degraded")}},
      {"problem", degraded_.empty() ? Node{} : Node{degraded_}},
      {"revision", {static_cast<std::int64_t>(active_->revision.value())}},
      {"people", count(policy.people.size())},
      {"devices", count(policy.devices.size())},
      {"online", count(static_cast<std::size_t>(online(policy, peers, now)))},
      {"resources", count(policy.resources.size())},
      {"grants", count(policy.grants.size())},
      {"repairs", count(repairs_)},
      {"last_repair", last_repair_ ? Node{to_string(*last_repair_)} : Node{}},
  }};
}

}  // namespace sekisho::engine

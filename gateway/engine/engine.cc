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

const Entry kEnforcement{.actor = kGateway, .operation = "enforcement", .object = "kernel"};

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

Checked<Policy> policy_of(const Revision& revision) {
  return read_edited(revision.document, revision.edits,
                     "revision " + std::to_string(revision.number.value()));
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

Engine::Engine(Network network) : network_(std::move(network)) {}

Effects Engine::handle(Command command, Time now) {
  return std::visit(
      Overloaded{
          [&](Started& started) { return start(started, now); },
          [&](Asked& asked) { return ask(asked, now); },
          [&](Completed& completed) {
            auto then = std::exchange(then_, nullptr);
            return then(std::move(completed.outcome), now);
          },
          [&](Woke&) { return wake(now); },
          [&](Drifted& drifted) { return repair(drifted); },
          [&](ClockStepped&) { return renew(now); },
          [&](Reconfigured& again) { return reconfigure(std::move(again.network), now); },
      },
      command);
}

std::optional<Time> Engine::next_deadline() const {
  if (!active_) return std::nullopt;
  return earliest(retry_at_,
                  earliest(active_->compiler.compiled().next_opening, active_->next_end));
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
    auto stored = policy_of(*started.active);
    if (!stored) {
      fatal_ = std::move(stored.error());
      return {};
    }
    policy = *std::move(stored);
    number = started.active->number;
    author = started.active->author;
  }
  auto valid = validate(std::move(policy), network_);
  if (!valid) {
    fatal_ = std::move(valid.error());
    return {};
  }
  auto active = compile_active(*std::move(valid), now,
                               {.space = started.space, .tables = {}, .next_opening = {}});
  if (!active) {
    fatal_ = {active.error()};
    return {};
  }
  active->revision = number;
  active->author = std::move(author);
  active_ = *std::move(active);
  return install();
}

Effects Engine::install() {
  return await(Install{desired()}, [this](Outcome outcome, Time now) -> Effects {
    return outcome ? enforce() : degrade(to_string(outcome.error()), now);
  });
}

// The kernel holds what it should.
Effects Engine::enforce() {
  Effects effects;
  if (!degraded_.empty() && degraded_ != kStarting) {
    Entry entry = kEnforcement;
    entry.before = std::exchange(degraded_, {});
    effects.emplace_back(Record{std::move(entry)});
  }
  degraded_.clear();
  retry_at_.reset();
  return effects;
}

Effects Engine::degrade(std::string why, Time now) {
  return degrade(std::move(why), now, kEnforcement);
}

// It does not. Each new reason is recorded once, as the result of `entry`, however often it is
// met again.
Effects Engine::degrade(std::string why, Time now, Entry entry) {
  Effects effects;
  if (degraded_ != why) {
    entry.result = why;
    effects.emplace_back(Record{std::move(entry)});
  }
  degraded_ = std::move(why);
  retry_at_ = now + kRetry;
  return effects;
}

// The passing of time alone: what began is opened, who ended loses the tunnel.
Effects Engine::wake(Time now) {
  if (!active_) return {};
  if (retry_at_ && now >= *retry_at_) return install();
  auto change = active_->compiler.update(active_->policy, {}, now);
  if (!change) return degrade(to_string(change.error()), now);
  std::optional<ChangePeers> peers;
  if (active_->next_end && *active_->next_end <= now) {
    const Peers before = std::exchange(active_->peers, {});
    follow_people(now);
    peers = peers_change(before, active_->peers);
  }
  const auto after_tables = [this, peers](Outcome outcome, Time then) -> Effects {
    if (!outcome) return degrade(to_string(outcome.error()), then);
    if (!peers) return {};
    return await(*peers, [this](Outcome result, Time at) -> Effects {
      return result ? Effects{} : degrade(to_string(result.error()), at);
    });
  };
  if (change->empty()) return after_tables(Outcome{}, now);
  return await(ChangeTables{*std::move(change)}, after_tables);
}

// The wall clock was set: timeouts in the kernel run on, so they are counted anew.
Effects Engine::renew(Time now) {
  if (!active_) return {};
  Effects effects;
  effects.emplace_back(Record{{.actor = kGateway,
                               .operation = "clock",
                               .object = "wall clock",
                               .reason = "the clock was set; ends of access were counted anew"}});
  std::ranges::move(count_ends_anew(now), std::back_inserter(effects));
  return effects;
}

Effects Engine::count_ends_anew(Time now) {
  const auto change = active_->compiler.update(active_->policy, {}, now);
  if (!change) return degrade(to_string(change.error()), now);
  follow_people(now);
  // Where the tables change, the renewal of the same entry would only repeat it.
  if (!change->empty()) return install();
  TablesDiff renewed = renewal(desired().tables());
  if (renewed.empty()) return {};
  return await(ChangeTables{std::move(renewed)}, [this](Outcome outcome, Time at) -> Effects {
    return outcome ? Effects{} : degrade(to_string(outcome.error()), at);
  });
}

Effects Engine::repair(const Drifted& drifted) {
  if (!active_) return {};
  const Entry entry{
      .actor = kGateway,
      .operation = "drift",
      .object = "kernel",
      .before = joined(drifted.findings),
      .reason = drifted.by.empty() ? "found by the timer" : "changed by " + drifted.by,
      .result = "repaired"};
  return await(Install{desired()}, [this, entry](Outcome outcome, Time now) -> Effects {
    if (!outcome) return degrade(to_string(outcome.error()), now, entry);
    ++repairs_;
    last_repair_ = now;
    Effects effects = enforce();
    effects.emplace_back(Record{entry});
    return effects;
  });
}

Effects Engine::reconfigure(Network network, Time now) {
  fatal_.clear();
  if (!active_ || network == network_) return {};
  auto valid = validate(active_->policy.policy(), network);
  if (!valid) {
    fatal_ = std::move(valid.error());
    return {};
  }
  auto active = compile_active(*std::move(valid), now, active_->compiler.compiled());
  if (!active) {
    fatal_ = {active.error()};
    return {};
  }
  active->revision = active_->revision;
  active->author = active_->author;
  network_ = std::move(network);
  active_ = *std::move(active);
  return install();
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
    case policy_check:
    case policy_diff: {
      auto document = read_document(asked.request);
      if (!document) return answer(asked.id, std::unexpected(std::move(document.error())));
      auto valid = validate(*document, network_);
      if (!valid) {
        locate_in_document(valid.error(), asked.request);
        return answer(asked.id, std::unexpected(std::move(valid.error())));
      }
      return answer(asked.id, asked.request.operation == policy_check
                                  ? Node{Node::Table{{"answer", {true}}}}
                                  : show_difference(policy, *document));
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
      return await(Examine{desired()}, then([](auto& value, Time) -> control::Reply {
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
      return await(ReadRevision{RevisionNumber(
                       static_cast<std::uint64_t>(std::max<std::int64_t>(*revision, 0)))},
                   then([document](auto& value, Time) -> control::Reply {
                     auto policy = policy_of(std::get<Revision>(value));
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
        auto earlier = policy_of(std::get<Revision>(*outcome));
        if (!earlier) return begin(asked, std::unexpected(std::move(earlier.error())), at);
        const Policy& policy = active_->policy.policy();
        Edit edit{.change = difference(policy, roll_back(policy, *std::move(earlier))),
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
  auto undo = amend(active_->policy, edit->change);
  if (!undo) {
    locate_in_document(undo.error(), asked.request);
    return reject(asked, std::move(entry), std::move(undo.error()));
  }

  auto change = std::make_shared<Change>();
  change->request = asked.id;
  change->edit = *std::move(edit);
  change->undo = *std::move(undo);
  change->entry = std::move(entry);
  const PolicyEdit& edited = change->edit.change;
  if (edited.empty()) return finish(change, now);

  const bool recuts = !edited.resources.empty();
  if (recuts) change->compiler_before = active_->compiler;
  auto diff = active_->compiler.update(active_->policy, change->undo, now);
  if (!diff) {
    amend(active_->policy, change->undo);
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
                    change->entry}});
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
    if (const auto* number = std::get_if<RevisionNumber>(&*outcome)) change->revision = *number;
    // From here on the new revision is the one in force: what still fails is repaired towards it.
    if (activates) {
      change->activated = true;
      active_->revision = change->revision;
      active_->author = change->entry.actor.name;
    }
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
  if (change->activated) {
    Effects effects = degrade(to_string(error), now);
    error.advice =
        "the change is stored and in force; the rest is tried again every second, see: sekisho "
        "status";
    effects.emplace_back(Answer{change->request, std::unexpected(Errors{std::move(error)})});
    return effects;
  }
  take_back(*change, now);
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
  amend(active_->policy, change.undo);
  if (change.compiler_before) {
    const std::uint32_t used = active_->compiler.compiled().space.next;
    active_->compiler = *std::move(change.compiler_before);
    active_->compiler.use_up_numbers_below(used);
  } else {
    active_->compiler.update(active_->policy, change.edit.change, now);
  }
  if (change.peers_before) follow_people(now);
}

Result<Engine::Active> Engine::compile_active(ValidPolicy policy, Time now, Compiled before) const {
  auto compiler = Compiler::start(policy, now, std::move(before));
  if (!compiler) return std::unexpected(std::move(compiler.error()));
  Peers peers = peers_of(policy.policy(), now);
  const auto next_end = next_end_of_person(policy.policy(), now);
  return Active{.revision = {},
                .author = {},
                .policy = std::move(policy),
                .compiler = *std::move(compiler),
                .peers = std::move(peers),
                .next_end = next_end};
}

void Engine::follow_people(Time now) {
  active_->peers = peers_of(active_->policy.policy(), now);
  active_->next_end = next_end_of_person(active_->policy.policy(), now);
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

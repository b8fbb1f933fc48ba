#include "gateway/engine/engine.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/engine/notices.h"
#include "gateway/engine/plan.h"
#include "policy/model/document.h"

namespace sekisho::engine {

const control::Actor kGateway{
    .name = "sekishod", .uid = 0, .authority = control::Authority::officer, .via = "daemon"};

namespace {

constexpr std::chrono::seconds kRetry{1};

const Entry kEnforcement{.actor = kGateway, .operation = "enforcement", .object = "kernel"};

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

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
    if (person.valid_until && now < *person.valid_until) next = earlier(next, person.valid_until);
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

// For the record: what of the configuration has to do with rights and the tunnel.
std::string as_toml(const Network& network) {
  const auto texts = [](const std::vector<Prefix>& prefixes) {
    Node::Array items;
    for (const Prefix& prefix : prefixes) items.push_back({prefix.to_string()});
    return Node{std::move(items)};
  };
  return write_toml({Node::Table{
      {"network",
       {Node::Table{{"listen_port", {static_cast<std::int64_t>(network.listen_port.value())}},
                    {"mtu", {std::int64_t{network.mtu}}},
                    {"pools", texts(network.pools)},
                    {"public_prefixes", texts(network.public_prefixes)}}}}}});
}

}  // namespace

std::shared_ptr<const Tables> Desired::tables() const {
  // Without holds it is the policy's own table, which outlives every use of this.
  if (holds_->empty()) return {std::shared_ptr<const Tables>(), &compiled_->tables};
  return std::make_shared<const Tables>(held(compiled_->tables, *holds_));
}

Peers peers_of(const Policy& policy, const Quarantined& quarantined, Time now) {
  Peers peers;
  for (const auto& [id, device] : policy.devices) {
    if (alive(policy, device, now) && quarantined.on(id, device) != Hold::cut)
      peers.push_back({id, device.public_key, device.addresses});
  }
  return peers;
}

Engine::Engine(Network network, TimeZones zones)
    : network_(std::move(network)), zones_(std::move(zones)) {}

Effects Engine::handle(Command command, Time now) {
  return std::visit(Overloaded{
                        [&](Started& started) { return start(started, now); },
                        [&](Asked& asked) {
                          moment_ = asked_at_ = asked.at;
                          return ask(asked, now);
                        },
                        [&](Completed& completed) {
                          moment_ = completed.at;
                          auto then = std::exchange(then_, nullptr);
                          return then(std::move(completed.outcome), now);
                        },
                        [&](Woke&) { return wake(now); },
                        [&](Drifted& drifted) { return repair(drifted); },
                        [&](Compared&) {
                          compared_ = now;
                          return Effects{};
                        },
                        [&](ClockStepped&) { return renew(now); },
                        [&](Seen& seen) { return see(std::move(seen), now); },
                        [&](Reconfigured& again) { return reconfigure(std::move(again), now); },
                    },
                    command);
}

std::optional<Time> Engine::next_deadline() const {
  if (!active_) return std::nullopt;
  return earlier(earlier(retry_at_, return_at_),
                 earlier(active_->compiler.compiled().next_opening, active_->next_end));
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
  hold(started.quarantines);
  automatic_ = started.automatic;
  flags_asking_ = started.flags_asking;
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
  auto valid = validate(std::move(policy), network_, zones_);
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
  // Where the process ended between an edit and what its quarantines caught by it.
  for (Effect& store : catch_more(kEnforcement)) {
    owe(std::get<StoreQuarantine>(std::move(store)));
  }
  in_kernel({});
  set_provisional(started.provisional, now);
  return install();
}

Effects Engine::install() {
  return install([this](const Outcome& outcome, Time now) -> Effects {
    return outcome ? enforce(now) : degrade(to_string(outcome.error()), now);
  });
}

Effects Engine::install(Continuation then) {
  return install_rules([this, then = std::move(then)](Outcome outcome, Time now) {
    return outcome ? await(OpenTunnel{desired()}, then) : then(std::move(outcome), now);
  });
}

Effects Engine::install_rules(Continuation then) {
  tables_known_ = false;
  return await(Install{desired()}, [this, then = std::move(then)](Outcome outcome, Time now) {
    tables_known_ = outcome.has_value();
    return then(std::move(outcome), now);
  });
}

// The kernel holds what it should.
Effects Engine::enforce(Time now) {
  if (!unstored_.empty()) {
    if (degraded_.empty() || degraded_ == kStarting) return retry();
    return degrade("a quarantine is in force and not on the disk: a restart would lose it", now);
  }
  Effects effects;
  if (!degraded_.empty() && degraded_ != kStarting) {
    Entry entry = kEnforcement;
    entry.before = std::exchange(degraded_, {});
    effects.emplace_back(Notify{notice_of(entry, notice::Kind::drift, notice::Severity::low)});
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
    effects.emplace_back(Notify{notice_of(entry, notice::Kind::drift, notice::Severity::critical)});
    effects.emplace_back(Record{std::move(entry)});
  }
  degraded_ = std::move(why);
  retry_at_ = now + kRetry;
  return effects;
}

// The passing of time alone: what began is opened, who ended loses the tunnel.
Effects Engine::wake(Time now) {
  if (!active_) return {};
  if (return_at_ && now >= *return_at_) return return_unconfirmed(now);
  if (retry_at_ && now >= *retry_at_) return retry();
  auto change = active_->compiler.update(active_->policy, {}, now);
  if (!change) return degrade(to_string(change.error()), now);
  const bool ends = active_->next_end && *active_->next_end <= now;
  return load(in_kernel(*change), ends ? peers_now(now) : ChangePeers{});
}

// Loads what time has changed: tables, then peers.
Effects Engine::load(TablesDiff tables, ChangePeers peers) {
  if (!tables_known_) return install();
  return load(std::move(tables), std::move(peers), [this](const Outcome& outcome, Time now) {
    return outcome ? Effects{} : degrade(to_string(outcome.error()), now);
  });
}

Effects Engine::load(TablesDiff tables, ChangePeers peers, Continuation then) {
  if (!tables_known_) return install(std::move(then));
  const auto after_tables = [this, peers = std::move(peers), then = std::move(then)](
                                Outcome outcome, Time now) -> Effects {
    tables_known_ &= outcome.has_value();
    if (!outcome || (peers.remove.empty() && peers.set.empty())) {
      return then(std::move(outcome), now);
    }
    return await(peers, then);
  };
  if (tables.empty()) return after_tables(Outcome{}, {});
  return await(ChangeTables{std::move(tables)}, after_tables);
}

// What leads from the peers that there are to those of the moment.
ChangePeers Engine::peers_now(Time now) {
  const Peers before = std::exchange(active_->peers, {});
  follow_people(now);
  return peers_change(before, active_->peers);
}

// The wall clock was set: timeouts in the kernel run on, so they are counted anew.
Effects Engine::renew(Time now) {
  if (!active_) return {};
  set_provisional(provisional_, now);
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
  // Where the tables change, the renewal of the same entry would only repeat it.
  if (!change->empty()) {
    in_kernel(*change);
    follow_people(now);
    return install();
  }
  return load(renewal(*desired().tables()), peers_now(now));
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
  const auto repaired = [this, entry](const Outcome& outcome, Time now) -> Effects {
    if (!outcome) return degrade(to_string(outcome.error()), now, entry);
    ++repairs_;
    last_repair_ = now;
    Effects effects = enforce(now);
    effects.emplace_back(Notify{notice_of(entry, notice::Kind::drift, notice::Severity::high)});
    effects.emplace_back(Record{entry});
    return effects;
  };
  // What ends an outage is all.
  return drifted.rules_alone && degraded_.empty() ? install_rules(repaired) : install(repaired);
}

Effects Engine::reconfigure(Reconfigured again, Time now) {
  fatal_.clear();
  if (!active_ || (again.network == network_ && again.zones == zones_)) return {};
  auto valid = validate(active_->policy.policy(), again.network, again.zones);
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
  Effects effects;
  effects.emplace_back(Record{{.actor = kGateway,
                               .operation = "reload",
                               .object = "network",
                               .before = as_toml(network_),
                               .after = as_toml(again.network),
                               .reason = "the configuration was read again"}});
  network_ = std::move(again.network);
  zones_ = std::move(again.zones);
  active_ = *std::move(active);
  // What is quarantined may be on more addresses by now.
  for (Effect& store : catch_more(kEnforcement)) {
    owe(std::get<StoreQuarantine>(std::move(store)));
  }
  in_kernel({});
  std::ranges::move(install(), std::back_inserter(effects));
  return effects;
}

// ---- requests ----

Effects Engine::ask(const Asked& asked, Time now) {
  const control::Operation& operation = control::operation(asked.request.operation);
  if (!control::may(asked.actor.authority, operation)) {
    Errors errors{{ErrorCode::not_permitted,
                   operation.name(),
                   asked.actor.name + " may not do this: it takes the authority of " +
                       std::string(control::to_string(operation.least)),
                   {},
                   "run it as root or as a member of the group sekisho-admin"}};
    Entry entry{
        .actor = asked.actor, .operation = operation.name(), .object = object_of(asked.request)};
    return reject(asked, std::move(entry), std::move(errors));
  }
  if (!active_) {
    return answer(asked.id,
                  std::unexpected(Errors{
                      {ErrorCode::failed, "sekishod", "is still starting", {}, "try again"}}));
  }
  if (operation.group == "quarantine") return quarantine(asked, now);
  if (operation.group == "flag") return flag(asked, now);
  if (operation.id == control::OperationId::device_token) return make_token(asked);
  return operation.changes ? change(asked, now) : look(asked, now);
}

Effects Engine::reject(const Asked& asked, Entry entry, Errors errors) {
  entry.result = joined(errors);
  Effects effects;
  effects.emplace_back(Record{std::move(entry)});
  effects.emplace_back(Answer{asked.id, std::unexpected(std::move(errors))});
  return effects;
}

Result<Engine::Active> Engine::compile_active(ValidPolicy policy, Time now, Compiled before) const {
  auto compiler = Compiler::start(policy, now, std::move(before), quarantined_.places);
  if (!compiler) return std::unexpected(std::move(compiler.error()));
  Peers peers = peers_of(policy.policy(), quarantined_, now);
  const auto next_end = next_end_of_person(policy.policy(), now);
  return Active{.revision = {},
                .author = {},
                .policy = std::move(policy),
                .compiler = *std::move(compiler),
                .peers = std::move(peers),
                .next_end = next_end};
}

void Engine::follow_people(Time now) {
  active_->peers = peers_of(active_->policy.policy(), quarantined_, now);
  active_->next_end = next_end_of_person(active_->policy.policy(), now);
}

}  // namespace sekisho::engine

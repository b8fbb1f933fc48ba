#include "world.h"

#include <algorithm>
#include <utility>

#include "policy/compile/atoms.h"
#include "tests/model/interpreter.h"

namespace sekisho::engine {

Network test_network() {
  return {.pools = {*Prefix::parse("10.66.0.0/16"), *Prefix::parse("fd66::/64")},
          .public_prefixes = {*Prefix::parse("203.0.113.0/24")}};
}

World::World(Network network, TimeZones zones)
    : engine(std::move(network), zones), zones_(std::move(zones)) {}

void World::tell(Command command) {
  run(engine.handle(std::move(command), now));
}

control::Reply World::ask(std::string_view name, Node::Table parameters,
                          control::Authority authority) {
  return ask(name, std::move(parameters),
             control::Actor{.name = "officer", .uid = 0, .authority = authority});
}

control::Reply World::ask(std::string_view name, Node::Table parameters, control::Actor actor) {
  reply_.reset();
  tell(Asked{RequestId(1),
             std::move(actor),
             {control::find_operation(name)->id, {std::move(parameters)}},
             moment()});
  return reply_.value_or(std::unexpected(Errors{{ErrorCode::failed, "world", "no answer came"}}));
}

// Every effect takes a millisecond.
Moment World::moment() {
  return Moment(now) + std::chrono::milliseconds(++ticks_);
}

void World::restart() {
  if (in_doubt) static_cast<Disk&>(*this) = *std::exchange(in_doubt, std::nullopt);
  if (pending) abandon({});
  engine = Engine(engine.network(), zones_);
  tell(found());
}

void World::set_clock(Time::duration by) {
  now += by;
  ahead += by;
}

void World::run(Effects list) {
  for (Effect& effect : list) {
    if (auto* answer = std::get_if<Answer>(&effect)) {
      reply_ = std::move(answer->reply);
    } else if (auto* with_profile = std::get_if<AnswerWithProfile>(&effect)) {
      reply_ = std::move(with_profile->result);
    } else if (auto* entry = std::get_if<Record>(&effect)) {
      record.push_back(std::move(entry->entry));
    } else if (auto* notify = std::get_if<Notify>(&effect)) {
      notices.push_back(std::move(notify->notice));
    } else {
      const bool fails = failing.contains(effects++);
      Outcome outcome =
          fails ? Outcome(fail(ErrorCode::failed, "world", "injected failure")) : try_to(effect);
      after_each();
      tell(Completed{std::move(outcome), moment()});
    }
  }
}

Outcome World::try_to(const Effect& effect) {
  if (skips(effect)) return std::monostate{};
  try {
    return execute(effect);
  } catch (const Refused& why) {
    return fail(ErrorCode::failed, "world", why.what());
  }
}

void World::step(const std::function<void()>& act, const std::function<void()>& act_unheard) {
  const Fate its = fate();
  if (its == Fate::fails) throw Refused("injected failure");
  if (its == Fate::ends_before) throw Ended{};
  if (its == Fate::done) {
    act();
  } else {
    act_unheard();
  }
  after_each();
  if (its == Fate::ends_after) throw Ended{};
  if (its == Fate::answer_is_lost) throw Refused("injected failure: the answer is lost");
}

// A commit that fails is taken back by the database, but its pages may have reached the disk.
void World::commit(Disk after) {
  step(
      [&] {
        static_cast<Disk&>(*this) = after;
        in_doubt.reset();
      },
      [&] { in_doubt = after; });
}

Outcome World::execute(const Effect& effect) {
  const Steps steps = [this](const std::function<void()>& act) { step(act, act); };
  Disk disk = *this;
  if (const auto* all = std::get_if<Install>(&effect)) {
    trace.emplace_back("install");
    install(all->desired, steps);
  } else if (const auto* tunnel = std::get_if<OpenTunnel>(&effect)) {
    open_tunnel(tunnel->desired, steps);
  } else if (const auto* change = std::get_if<ChangeTables>(&effect)) {
    trace.emplace_back("tables");
    change_tables(change->diff, steps);
    return touched(change->diff);
  } else if (const auto* confirm = std::get_if<ConfirmTables>(&effect)) {
    trace.emplace_back("confirm tables");
    confirm_tables(confirm->held, steps);
    return touched(confirm->held);
  } else if (const auto* anew = std::get_if<Remark>(&effect)) {
    trace.emplace_back("remark");
    remark(anew->space, steps);
  } else if (const auto* wanted = std::get_if<ChangePeers>(&effect)) {
    trace.emplace_back("peers");
    change_peers(*wanted, steps);
  } else if (const auto* forget = std::get_if<PurgeFlows>(&effect)) {
    trace.emplace_back("purge");
    return purge(*forget, steps);
  } else if (const auto* hold = std::get_if<StoreQuarantine>(&effect)) {
    trace.emplace_back("quarantine");
    disk.put_quarantine(*hold);
    commit(std::move(disk));
  } else if (const auto* let_go = std::get_if<StoreRelease>(&effect)) {
    trace.emplace_back("release");
    disk.release(*let_go);
    commit(std::move(disk));
  } else if (const auto* said = std::get_if<StoreFlag>(&effect)) {
    trace.emplace_back("flag");
    const FlagNumber number = disk.add_flag(*said);
    commit(std::move(disk));
    return number;
  } else if (const auto* decided = std::get_if<SetFlag>(&effect)) {
    disk.set_flag(*decided);
    commit(std::move(disk));
  } else if (const auto* known = std::get_if<FindFlag>(&effect)) {
    steps([] {});
    const auto found = std::ranges::find_if(flags.rbegin(), flags.rend(), [&](const Flag& flag) {
      return flag.device == known->device && flag.person == known->person &&
             flag.source == known->source && flag.key == known->key;
    });
    return found == flags.rend() ? std::optional<Flag>() : *found;
  } else if (const auto* one = std::get_if<ReadFlag>(&effect)) {
    steps([] {});
    const std::size_t place = one->number.value() - 1;
    return place < flags.size() ? std::optional(flags[place]) : std::nullopt;
  } else if (std::holds_alternative<ReadFlags>(effect)) {
    return std::vector<Flag>(flags.rbegin(), flags.rend());
  } else if (const auto* make = std::get_if<MakeToken>(&effect)) {
    steps([] {});
    std::erase_if(tokens, [&](const auto& token) { return token.second == make->device; });
    const std::string token = "token-" + make->device.str();
    tokens.emplace(token, make->device);
    return token;
  } else if (const auto* token = std::get_if<FindToken>(&effect)) {
    steps([] {});
    const auto found = tokens.find(token->token);
    return found == tokens.end() ? std::optional<DeviceId>() : found->second;
  } else if (const auto* find = std::get_if<FindAddresses>(&effect)) {
    steps([] {});
    return free_addresses(engine.network().pools, find->taken);
  } else if (const auto* store = std::get_if<StorePending>(&effect)) {
    trace.emplace_back("pending");
    const RevisionNumber number = disk.add_pending(*store, now);
    commit(std::move(disk));
    return number;
  } else if (const auto* activation = std::get_if<Activate>(&effect)) {
    trace.emplace_back("activate");
    disk.activate(*activation);
    commit(std::move(disk));
  } else if (const auto* kept = std::get_if<Confirm>(&effect)) {
    trace.emplace_back("confirm");
    disk.confirm(*kept);
    commit(std::move(disk));
  } else if (const auto* end = std::get_if<Abandon>(&effect)) {
    trace.emplace_back("abandon");
    disk.abandon(*end);
    commit(std::move(disk));
  } else if (const auto* read = std::get_if<ReadRevision>(&effect)) {
    steps([] {});
    const auto found = revisions.find(read->number);
    if (found == revisions.end()) return fail(ErrorCode::not_found, "revision", "does not exist");
    return found->second;
  } else if (const auto* then = std::get_if<ReadRevisionAt>(&effect)) {
    steps([] {});
    const Revision* then_active = nullptr;
    for (const auto& [number, revision] : revisions) {
      const bool was_in_force = revision.state == "active" || revision.state == "superseded";
      if (was_in_force && revision.time <= then->at) then_active = &revision;
    }
    if (then_active == nullptr) return fail(ErrorCode::not_found, "policy", "there was none");
    return *then_active;
  } else if (const auto* test = std::get_if<SendTest>(&effect)) {
    steps([&] { notices.push_back(test->notice); });
    return Node{std::string("20261122T000000.000Z-0000000000000000")};
  } else if (std::holds_alternative<ReadFlows>(effect)) {
    return flows;
  } else if (std::holds_alternative<ReadHistory>(effect)) {
    std::vector<Revision> all_of_them;
    for (const auto& [number, revision] : revisions)
      all_of_them.insert(all_of_them.begin(), revision);
    return all_of_them;
  } else if (std::holds_alternative<ReadPeers>(effect)) {
    return std::vector<PeerStatus>{};
  } else if (std::holds_alternative<Examine>(effect)) {
    return std::vector<Finding>{};
  } else {
    return Node{Node::Array{}};
  }
  return std::monostate{};
}

AtomMark World::mark_of(const IpAddress& destination, Protocol protocol, Port port) const {
  return model::interpret(tables, {{}, destination, protocol, port}, kernel_now()).atom;
}

bool World::live_passes(const IpAddress& source, AtomMark mark) const {
  return model::interpret_living(tables, source, mark.verified(), kernel_now()) == Verdict::permit;
}

bool World::passes(const IpAddress& source, const IpAddress& destination, Protocol protocol,
                   Port port) const {
  return model::interpret(tables, {source, destination, protocol, port}, kernel_now()).verdict ==
         Verdict::permit;
}

}  // namespace sekisho::engine

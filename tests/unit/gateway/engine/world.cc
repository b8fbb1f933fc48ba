#include "world.h"

#include <algorithm>
#include <utility>

#include "policy/compile/atoms.h"
#include "policy/model/document.h"

namespace sekisho::engine {

Network test_network() {
  return {.pools = {*Prefix::parse("10.66.0.0/16"), *Prefix::parse("fd66::/64")},
          .public_prefixes = {*Prefix::parse("203.0.113.0/24")}};
}

World::World(Network network, TimeZones zones) : engine(std::move(network), std::move(zones)) {}

void World::tell(Command command) {
  run(engine.handle(std::move(command), now));
}

control::Reply World::ask(std::string_view name, Node::Table parameters,
                          control::Authority authority) {
  reply_.reset();
  tell(Asked{RequestId(1),
             {.name = "officer", .uid = 0, .authority = authority},
             {control::find_operation(name)->id, {std::move(parameters)}}});
  return reply_.value_or(std::unexpected(Errors{{ErrorCode::failed, "world", "no answer came"}}));
}

void World::run(Effects list) {
  for (Effect& effect : list) {
    if (auto* answer = std::get_if<Answer>(&effect)) {
      reply_ = std::move(answer->reply);
    } else if (auto* with_profile = std::get_if<AnswerWithProfile>(&effect)) {
      reply_ = std::move(with_profile->result);
    } else if (auto* entry = std::get_if<Record>(&effect)) {
      record.push_back(std::move(entry->entry));
    } else {
      const bool fails = failing.contains(effects++);
      Outcome outcome =
          fails ? Outcome(fail(ErrorCode::failed, "world", "injected failure")) : execute(effect);
      after_each();
      tell(Completed{std::move(outcome)});
    }
  }
}

namespace {

template <class Map, class Entries>
void remove_all(Map& map, const Entries& entries) {
  for (const auto& [key, value] : entries) map.erase(key);
}
template <class Map, class Entries>
void add_all(Map& map, const Entries& entries) {
  for (const auto& [key, value] : entries) map.insert_or_assign(key, value);
}

}  // namespace

Outcome World::execute(const Effect& effect) {
  if (const auto* install = std::get_if<Install>(&effect)) {
    trace.emplace_back("install");
    tables = install->desired.tables();
    peers = install->desired.peers();
    remarked = install->desired.space();
  } else if (const auto* change = std::get_if<ChangeTables>(&effect)) {
    trace.emplace_back("tables");
    remove_all(tables.cohorts, change->diff.remove_cohorts);
    remove_all(tables.atoms, change->diff.remove_atoms);
    remove_all(tables.grants, change->diff.remove_grants);
    add_all(tables.cohorts, change->diff.add_cohorts);
    add_all(tables.atoms, change->diff.add_atoms);
    add_all(tables.grants, change->diff.add_grants);
  } else if (const auto* remark = std::get_if<Remark>(&effect)) {
    trace.emplace_back("remark");
    remarked = remark->space;
    for (auto& [name, mark] : live) {
      const bool known =
          std::ranges::any_of(remarked.atoms, [&](const Atom& atom) { return atom.mark == mark; });
      const auto& [address, port] = live_to.at(name);
      if (!known) mark = find_atom(remarked, address, Protocol::tcp, port);
    }
  } else if (const auto* wanted = std::get_if<ChangePeers>(&effect)) {
    trace.emplace_back("peers");
    std::erase_if(peers, [&](const Peer& peer) {
      return std::ranges::count(wanted->remove, peer.public_key) > 0 ||
             std::ranges::count(wanted->set, peer.device, &Peer::device) > 0;
    });
    peers.insert(peers.end(), wanted->set.begin(), wanted->set.end());
    std::ranges::sort(peers, {}, &Peer::device);
  } else if (std::holds_alternative<FindAddresses>(effect)) {
    const std::uint8_t host = next_address_++;
    return std::vector<IpAddress>{*IpAddress::parse("10.66.0." + std::to_string(host)),
                                  *IpAddress::parse("fd66::" + std::to_string(host))};
  } else if (const auto* store = std::get_if<StorePending>(&effect)) {
    trace.emplace_back("pending");
    if (store->base != active) return fail(ErrorCode::conflict, "world", "another base is active");
    pending = RevisionNumber(revisions.size() + 1);
    if (store->space) stored_space = *store->space;
    std::string document;
    if (store->base) document = revisions.at(store->base).document;
    const Policy policy = read_edited(document, {store->edit}, "revision").value();
    if (!(policy == *store->policy)) return fail(ErrorCode::failed, "world", "the edit is not all");
    revisions[*pending] = {.number = *pending,
                           .document = write_policy(policy, Syntax::toml),
                           .edits = {},
                           .author = store->author,
                           .reason = store->reason,
                           .time = now,
                           .digest = {},
                           .state = "pending"};
    return *pending;
  } else if (const auto* activate = std::get_if<Activate>(&effect)) {
    trace.emplace_back("activate");
    if (active) revisions[active].state = "superseded";
    active = *std::exchange(pending, std::nullopt);
    revisions[active].state = "active";
    ledger.push_back(activate->devices);
    record.push_back(activate->entry);
    provisional = activate->provisional;
  } else if (const auto* confirmed = std::get_if<Confirm>(&effect)) {
    trace.emplace_back("confirm");
    provisional.reset();
    record.push_back(confirmed->entry);
  } else if (std::holds_alternative<Abandon>(effect)) {
    trace.emplace_back("abandon");
    if (pending) revisions[*std::exchange(pending, std::nullopt)].state = "abandoned";
  } else if (const auto* read = std::get_if<ReadRevision>(&effect)) {
    const auto found = revisions.find(read->number);
    if (found == revisions.end()) return fail(ErrorCode::not_found, "revision", "does not exist");
    return found->second;
  } else if (const auto* then = std::get_if<ReadRevisionAt>(&effect)) {
    const Revision* found = nullptr;
    for (const auto& [number, revision] : revisions) {
      const bool was_in_force = revision.state == "active" || revision.state == "superseded";
      if (was_in_force && revision.time <= then->at) found = &revision;
    }
    if (found == nullptr) return fail(ErrorCode::not_found, "policy", "there was none");
    return *found;
  } else if (std::holds_alternative<ReadFlows>(effect)) {
    return flows;
  } else if (std::holds_alternative<ReadHistory>(effect)) {
    std::vector<Revision> all;
    for (const auto& [number, revision] : revisions) all.insert(all.begin(), revision);
    return all;
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
  for (const auto& [where, mark] : tables.atoms) {
    if (where.addresses.contains(destination) && where.protocol == protocol &&
        where.ports.contains(port))
      return mark;
  }
  return {};
}

bool World::live_passes(const IpAddress& source, AtomMark mark) const {
  const auto cohort = tables.cohorts.find(source);
  if (cohort == tables.cohorts.end() || (cohort->second.until && *cohort->second.until <= now))
    return false;
  const auto grant = tables.grants.find({cohort->second.cohort, mark});
  return grant != tables.grants.end() && (!grant->second || now < *grant->second);
}

bool World::passes(const IpAddress& source, const IpAddress& destination, Protocol protocol,
                   Port port) const {
  const AtomMark mark = mark_of(destination, protocol, port);
  return mark && live_passes(source, mark);
}

}  // namespace sekisho::engine

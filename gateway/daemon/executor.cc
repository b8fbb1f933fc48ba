#include "gateway/daemon/executor.h"

#include <utility>
#include <variant>

#include "gateway/daemon/examine.h"
#include "gateway/daemon/log.h"
#include "gateway/daemon/random.h"
#include "gateway/engine/profile.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/keys/keys.h"
#include "gateway/store/sha256.h"
#include "policy/model/document.h"

namespace sekisho::daemon {

namespace {

// So that a scanner of leaked secrets knows one when it sees it.
constexpr std::string_view kTokenBegins = "sekisho_flag_";

std::string_view name_of(store::RevisionState state) {
  switch (state) {
    case store::RevisionState::pending:
      return "pending";
    case store::RevisionState::active:
      return "active";
    case store::RevisionState::superseded:
      return "superseded";
    case store::RevisionState::abandoned:
      return "abandoned";
  }
  return "abandoned";
}

store::Operation to_operation(const engine::Entry& entry, Time now) {
  return {.time = now,
          .actor = {.user = entry.actor.name, .uid = entry.actor.uid},
          .via = entry.actor.via == "daemon" ? store::Via::daemon : store::Via::socket,
          .name = entry.operation,
          .object = entry.object,
          .before = entry.before,
          .after = entry.after,
          .reason = entry.reason,
          .result = entry.result};
}

engine::Revision to_revision(const store::RevisionInfo& info) {
  return {.number = info.number,
          .document = {},
          .edits = {},
          .author = info.author,
          .reason = info.reason,
          .time = info.time,
          .digest = info.digest,
          .state = std::string(name_of(info.state))};
}

Node row(const store::RecordedOperation& recorded) {
  const store::Operation& done = recorded.operation;
  const auto text_or_nothing = [](const std::string& text) {
    return text.empty() ? Node{} : Node{text};
  };
  return {Node::Table{{"sequence", {static_cast<std::int64_t>(recorded.sequence.value())}},
                      {"time", {to_string(done.time)}},
                      {"actor", {done.actor.user}},
                      {"uid", {static_cast<std::int64_t>(done.actor.uid)}},
                      {"operation", {done.name}},
                      {"object", text_or_nothing(done.object)},
                      {"reason", text_or_nothing(done.reason)},
                      {"result", {done.result}},
                      {"before", text_or_nothing(done.before)},
                      {"after", text_or_nothing(done.after)}}};
}

// An outcome without a value, or the error.
engine::Outcome finished(Result<void> result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return std::monostate{};
}

template <class Value>
engine::Outcome carried(Result<Value> result) {
  if (!result) return std::unexpected(std::move(result.error()));
  return *std::move(result);
}

engine::Outcome whole(Result<store::Revision> stored) {
  if (!stored) return std::unexpected(std::move(stored.error()));
  engine::Revision revision = to_revision(stored->info);
  revision.document = std::move(stored->document);
  revision.edits = std::move(stored->edits);
  return revision;
}

}  // namespace

Executor::Executor(const Config& config, Box& box, store::Store& store, Reply reply)
    : config_(config), box_(box), store_(store), reply_(std::move(reply)), outbox_(config.outbox) {}

engine::Outcome Executor::execute(engine::Effect& effect, Time now) {
  return std::visit(
      [&](auto& one) -> engine::Outcome {
        if constexpr (requires { do_it(one, now); })
          return do_it(one, now);
        else
          return std::monostate{};
      },
      effect);
}

void Executor::conclude(engine::Effect effect, Time now) {
  if (auto* answer = std::get_if<engine::Answer>(&effect)) {
    reply_(answer->request, std::move(answer->reply));
  } else if (auto* record = std::get_if<engine::Record>(&effect)) {
    // What cannot be recorded is at least said: the journal has it.
    if (auto stored = store_.record(to_operation(record->entry, now)); !stored) {
      log(Severity::error,
          "not recorded: " + record->entry.operation + ": " + to_string(stored.error()));
    }
  } else if (auto* notify = std::get_if<engine::Notify>(&effect)) {
    // Where there is no outbox, nobody wants to be told.
    if (auto put_there = put(std::move(notify->notice), now);
        !put_there && put_there.error().code != ErrorCode::not_found) {
      log(Severity::error, "nobody is told: " + to_string(put_there.error()));
    }
  } else if (auto* with_profile = std::get_if<engine::AnswerWithProfile>(&effect)) {
    auto text = profile(*with_profile);
    if (!text) return reply_(with_profile->request, std::unexpected(Errors{text.error()}));
    std::get<Node::Table>(with_profile->result.value)
        .emplace_back("profile", Node{*std::move(text)});
    reply_(with_profile->request, std::move(with_profile->result));
  }
}

engine::Outcome Executor::do_it(const engine::Install& install, Time) {
  return finished(box_.install(install.desired));
}

engine::Outcome Executor::do_it(const engine::OpenTunnel& open, Time) {
  return finished(box_.open_tunnel(open.desired));
}

engine::Outcome Executor::do_it(const engine::ChangeTables& change, Time) {
  return carried(box_.change_tables(change.diff));
}

engine::Outcome Executor::do_it(const engine::ConfirmTables& confirm, Time) {
  return carried(box_.confirm_tables(confirm.held));
}

engine::Outcome Executor::do_it(const engine::Remark& remark, Time) {
  return finished(box_.remark(remark.space));
}

engine::Outcome Executor::do_it(const engine::ChangePeers& change, Time) {
  return finished(box_.change_peers(change));
}

engine::Outcome Executor::do_it(const engine::PurgeFlows& purge, Time) {
  return carried(box_.purge(purge));
}

engine::Outcome Executor::do_it(const engine::StoreQuarantine& store, Time now) {
  return finished(store_.put_quarantine(store.quarantine, to_operation(store.entry, now)));
}

engine::Outcome Executor::do_it(const engine::StoreRelease& store, Time now) {
  return finished(
      store_.release_quarantine(store.target, store.finding, to_operation(store.entry, now)));
}

engine::Outcome Executor::do_it(const engine::ReadPastQuarantines& read, Time) {
  const auto past = store_.past_quarantines(read.limit);
  if (!past) return std::unexpected(past.error());
  Node::Array rows;
  for (const store::PastQuarantine& each : *past) {
    Node row_of = engine::show_quarantine(each.quarantine);
    auto& table = std::get<Node::Table>(row_of.value);
    table.emplace_back("released_at", Node{to_string(each.released_at)});
    table.emplace_back("released_by", Node{each.released_by});
    table.emplace_back("release_reason", Node{each.release_reason});
    table.emplace_back("finding", Node{each.finding});
    rows.push_back(std::move(row_of));
  }
  return Node{std::move(rows)};
}

engine::Outcome Executor::do_it(const engine::StoreFlag& store, Time now) {
  return carried(store_.add_flag(store.flag, to_operation(store.entry, now)));
}

engine::Outcome Executor::do_it(const engine::FindFlag& find, Time) {
  return carried(store_.find_flag(find.device, find.person, find.source, find.key));
}

engine::Outcome Executor::do_it(const engine::ReadFlag& read, Time) {
  return carried(store_.flag(read.number));
}

engine::Outcome Executor::do_it(const engine::ReadFlags& read, Time) {
  return carried(store_.flags(read.limit));
}

engine::Outcome Executor::do_it(const engine::SetFlag& set, Time now) {
  return finished(
      store_.set_flag(set.number, set.state, set.outcome, to_operation(set.entry, now)));
}

engine::Outcome Executor::do_it(const engine::MakeToken& make, Time now) {
  auto random = random_bytes();
  if (!random) return std::unexpected(std::move(random.error()));
  std::string token = std::string(kTokenBegins) + to_base64(*random);
  random->fill(0);
  auto kept =
      store_.set_device_token(make.device, store::sha256(token), to_operation(make.entry, now));
  if (!kept) return std::unexpected(std::move(kept.error()));
  return token;
}

engine::Outcome Executor::do_it(const engine::FindToken& find, Time) {
  return carried(store_.device_of_token(store::sha256(find.token)));
}

engine::Outcome Executor::do_it(const engine::FindAddresses& find, Time) {
  return carried(store_.next_free_addresses(config_.network.pools, find.taken));
}

engine::Outcome Executor::do_it(engine::StorePending& store, Time now) {
  auto number =
      store_.add_pending({.edit = std::move(store.edit),
                          .document = [&] { return write_policy(*store.policy, Syntax::toml); },
                          .author = store.author,
                          .reason = store.reason,
                          .time = now,
                          .base = store.base,
                          .space = std::move(store.space)});
  if (number) pending_ = *number;
  return carried(std::move(number));
}

engine::Outcome Executor::do_it(const engine::Activate& activate, Time now) {
  store::DeviceChange devices{.remove = activate.devices.remove};
  for (const engine::Registration& each : activate.devices.add) {
    // A device that comes back as it was keeps its preshared key, so its profile still holds.
    auto key = store_.preshared_key(each.device, each.public_key);
    if (!key) {
      auto random = random_bytes();
      if (!random) return std::unexpected(std::move(random.error()));
      key = make_preshared_key(*random);
      random->fill(0);
    }
    devices.add.push_back(
        {.id = each.device,
         .public_key = each.public_key,
         .addresses = each.addresses,
         .preshared_key = *std::move(key),
         .key_made = each.key_made_at_gateway ? store::KeyMade::gateway : store::KeyMade::device});
  }
  std::optional<store::Provisional> provisional;
  if (const auto& on_trial = activate.provisional) {
    provisional = {.back_to = on_trial->back_to,
                   .until = on_trial->until,
                   .length = on_trial->length,
                   .author = on_trial->author,
                   .cuts = on_trial->cuts};
  }
  auto done = store_.activate(pending_, devices, to_operation(activate.entry, now), provisional);
  if (done) pending_ = {};
  return finished(std::move(done));
}

engine::Outcome Executor::do_it(const engine::Confirm& confirm, Time now) {
  return finished(store_.confirm(to_operation(confirm.entry, now)));
}

engine::Outcome Executor::do_it(const engine::Abandon& abandon, Time now) {
  if (!pending_) return std::monostate{};
  auto done = store_.abandon(pending_, to_operation(abandon.entry, now));
  if (done) pending_ = {};
  return finished(std::move(done));
}

engine::Outcome Executor::do_it(const engine::ReadRevision& read, Time) {
  return whole(store_.revision(read.number));
}

engine::Outcome Executor::do_it(const engine::ReadRevisionAt& read, Time) {
  return whole(store_.revision_at(read.at));
}

engine::Outcome Executor::do_it(const engine::ReadHistory& read, Time) {
  auto stored = store_.history(read.limit);
  if (!stored) return std::unexpected(std::move(stored.error()));
  std::vector<engine::Revision> revisions;
  for (const store::RevisionInfo& info : *stored) revisions.push_back(to_revision(info));
  return revisions;
}

engine::Outcome Executor::do_it(const engine::ReadPeers&, Time) {
  return carried(box_.peers());
}

engine::Outcome Executor::do_it(const engine::ReadFlows&, Time) {
  return carried(box_.flows());
}

engine::Outcome Executor::do_it(const engine::Examine& request, Time now) {
  return examine(config_, box_, store_, request.desired, now);
}

engine::Outcome Executor::do_it(const engine::ReadOperations& read, Time) {
  auto stored = store_.operations(read.limit);
  if (!stored) return std::unexpected(std::move(stored.error()));
  Node::Array rows;
  for (const store::RecordedOperation& each : *stored) rows.push_back(row(each));
  return Node{std::move(rows)};
}

engine::Outcome Executor::do_it(const engine::VerifyOperations&, Time) {
  auto broken = store_.verify_operations();
  if (!broken) return std::unexpected(std::move(broken.error()));
  const bool whole = !broken->has_value();
  return Node{Node::Table{
      {"answer", {whole}},
      {"chain",
       {std::string(whole ? "every record follows from the one before"
                          : "a record was changed or removed")}},
      {"first_broken", whole ? Node{} : Node{static_cast<std::int64_t>((*broken)->value())}}}};
}

engine::Outcome Executor::do_it(const engine::SendTest& test, Time now) {
  auto id = put(test.notice, now);
  if (!id) return std::unexpected(std::move(id.error()));
  return Node{*std::move(id)};
}

Result<std::string> Executor::put(notice::Notice notice, Time now) {
  notice.time = now;
  notice.gateway = config_.gateway_name;
  return outbox_.put(std::move(notice));
}

Result<std::string> Executor::profile(const engine::AnswerWithProfile& answer) {
  auto preshared = store_.preshared_key(answer.device, answer.public_key);
  if (!preshared) return std::unexpected(std::move(preshared.error()));
  return engine::client_profile(config_.network, config_.endpoint, answer.addresses,
                                box_.public_key(), *preshared);
}

}  // namespace sekisho::daemon

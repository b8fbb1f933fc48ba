#include "gateway/engine/notices.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/engine/engine.h"

// What people outside are told, and what becomes of it.
namespace sekisho::engine {

namespace {

using std::chrono::minutes;

constexpr minutes kAway{1};            // sekisho-notify starts after sekishod, and may be restarted
constexpr minutes kLate{10};           // a notice should be out by then
constexpr minutes kTellOfFailure{60};  // at most so often, since that too may fail

Node count(std::uint64_t value) {
  return {static_cast<std::int64_t>(value)};
}

Entry notify_entry(std::string object) {
  return {.actor = kGateway, .operation = "notify", .object = std::move(object)};
}

}  // namespace

notice::Notice notice_of(const Entry& entry, notice::Kind kind, notice::Severity severity) {
  notice::Notice notice{.kind = kind,
                        .severity = severity,
                        .object = entry.object,
                        .actor = entry.actor.name,
                        .reason = entry.reason};
  for (const auto& [name, text] :
       {std::pair("operation", &entry.operation), std::pair("result", &entry.result),
        std::pair("before", &entry.before), std::pair("after", &entry.after)}) {
    if (!text->empty()) notice.facts.push_back({name, *text});
  }
  return notice;
}

std::optional<Hindrance> hindrance_of(const notice::Outlook& outbox,
                                      const std::optional<Time>& away_since, Time now) {
  const std::string look = "journalctl -u sekisho-notify";
  const std::string errors = notice::last_errors(outbox.report);
  if (!outbox.set_up) return std::nullopt;
  if (!outbox.trouble.empty()) {
    const std::string lost = std::to_string(outbox.lost) + " notices were lost: ";
    return Hindrance{(outbox.lost > 0 ? lost : "") + outbox.trouble,
                     "make the outbox writable and give it room, then: sekisho notify test"};
  }
  if (away_since && now - *away_since >= kAway)
    return Hindrance{"sekisho-notify is not running", "systemctl start sekisho-notify; " + look};
  if (!outbox.report.trouble.empty()) return Hindrance{outbox.report.trouble, look};
  if (outbox.oldest && now - *outbox.oldest >= kLate) {
    return Hindrance{std::to_string(outbox.waiting) + " notices wait, the first since " +
                         to_string(*outbox.oldest) + (errors.empty() ? "" : ": " + errors),
                     "mend what that says in /etc/sekisho/notify.toml or at the server, then: "
                     "systemctl restart sekisho-notify"};
  }
  if (outbox.kept > 0) {
    return Hindrance{
        std::to_string(outbox.kept) + " notices could not be delivered" +
            (errors.empty() ? "" : ": " + errors),
        "mend what that says; then send them again (mv OUTBOX/failed/*.json OUTBOX/) or "
        "remove them"};
  }
  return std::nullopt;
}

Node show_notify(const notice::Outlook& outbox, const std::optional<Hindrance>& hindrance) {
  if (!outbox.set_up) return {Node::Table{{"state", {std::string("not set up")}}}};
  Node::Table table{{"state", {std::string(hindrance ? "hindered" : "working")}},
                    {"delivered", count(notice::delivered(outbox.report))},
                    {"failed", count(notice::failed(outbox.report))},
                    {"waiting", count(outbox.waiting)}};
  if (outbox.lost > 0) table.emplace_back("lost", count(outbox.lost));
  if (outbox.report.bad > 0) table.emplace_back("bad", count(outbox.report.bad));
  if (const auto last = notice::last_delivery(outbox.report))
    table.emplace_back("last_delivery", Node{to_string(*last)});
  if (const std::string errors = notice::last_errors(outbox.report); !errors.empty())
    table.emplace_back("last_error", Node{errors});
  if (hindrance) table.emplace_back("problem", Node{hindrance->cause});
  return {std::move(table)};
}

Finding notify_finding(const notice::Outlook& outbox, const std::optional<Hindrance>& hindrance) {
  if (hindrance) return {"notices", false, hindrance->cause, hindrance->mend};
  if (!outbox.set_up) return {"notices", true, "not set up: nobody is told by mail or webhook", {}};
  return {"notices",
          true,
          std::to_string(notice::delivered(outbox.report)) + " delivered, " +
              std::to_string(outbox.waiting) + " wait",
          {}};
}

// Each outage is recorded once, with its end; each notice that was given up on, too.
Effects Engine::see(Seen seen, Time now) {
  Effects effects;
  const std::uint64_t failed_before = notice::failed(outbox_.report);
  const bool first = !std::exchange(outbox_seen_, true);
  outbox_ = std::move(seen.outbox);
  if (!outbox_.set_up || outbox_.running)
    away_since_.reset();
  else if (!away_since_)
    away_since_ = now;

  if (const std::uint64_t failed = notice::failed(outbox_.report);
      !first && failed > failed_before) {
    Entry entry = notify_entry("outbox");
    entry.reason = notice::last_errors(outbox_.report);
    entry.result = std::to_string(failed - failed_before) + " notices could not be delivered";
    // Another way out may be open.
    if (outbox_.report.channels.size() > 1 &&
        (!failure_told_ || now - *failure_told_ >= kTellOfFailure)) {
      failure_told_ = now;
      effects.emplace_back(Notify{notice_of(entry, notice::Kind::failed, notice::Severity::high)});
    }
    effects.emplace_back(Record{std::move(entry)});
  }

  notice::Outlook without_kept = outbox_;
  without_kept.kept = 0;  // recorded when they failed
  const auto hindrance = hindrance_of(without_kept, away_since_, now);
  if (hindrance.has_value() == !hindered_.empty()) return effects;
  Entry entry = notify_entry("outbox");
  if (hindrance)
    entry.result = hindrance->cause;
  else
    entry.before = hindered_;
  hindered_ = hindrance ? hindrance->cause : "";
  effects.emplace_back(Record{std::move(entry)});
  return effects;
}

Effects Engine::test_notify(const Asked& asked) {
  const Entry entry{.actor = asked.actor, .operation = "notify.test", .object = "outbox"};
  SendTest test{notice_of(entry, notice::Kind::test, notice::Severity::low)};
  return await(std::move(test), [this, asked, entry](Outcome outcome, Time) -> Effects {
    if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
    Entry done = entry;
    const Node& id = std::get<Node>(*outcome);
    done.after = *id.string();
    Effects effects;
    effects.emplace_back(Record{std::move(done)});
    effects.emplace_back(Answer{
        asked.id, Node{Node::Table{
                      {"notice", id},
                      {"look", {std::string("sekisho status says whether it was delivered")}}}}});
    return effects;
  });
}

}  // namespace sekisho::engine

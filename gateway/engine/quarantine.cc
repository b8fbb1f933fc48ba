#include <algorithm>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/notices.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/engine/views.h"

// What is asked of quarantine: to hold somebody, to look, to let them back, to try it out. Letting
// go is like any other opening: disk first.
namespace sekisho::engine {

using control::OperationId;

namespace {

bool holds_the_same(const Quarantine& one, const Quarantine& other) {
  return one.level == other.level && one.devices == other.devices && one.keys == other.keys &&
         one.two_people == other.two_people && one.people == other.people &&
         one.places == other.places;
}

}  // namespace

// ---- requests ----

Effects Engine::quarantine(const Asked& asked, Time now) {
  switch (asked.request.operation) {
    case OperationId::quarantine_add:
      return add_quarantine(asked, now);
    case OperationId::quarantine_release:
      return release_quarantine(asked, now);
    case OperationId::quarantine_test:
      return drill(asked);
    case OperationId::quarantine_list: {
      if (!flag_parameter(asked.request, "past")) {
        return answer(asked.id, show_quarantines(quarantines_));
      }
      return await(ReadPastQuarantines{kMostListed},
                   [this, id = asked.id](Outcome outcome, Time) -> Effects {
                     if (!outcome) return answer(id, std::unexpected(Errors{outcome.error()}));
                     return answer(id, std::get<Node>(*outcome));
                   });
    }
    default: {
      const auto target = target_of(asked.request, active_->policy.policy());
      if (!target) return answer(asked.id, std::unexpected(Errors{target.error()}));
      const Quarantine* found = find_quarantine(*target);
      if (found == nullptr) {
        return answer(asked.id, std::unexpected(Errors{not_quarantined(*target)}));
      }
      return answer(asked.id, show_quarantine(*found));
    }
  }
}

Effects Engine::add_quarantine(const Asked& asked, Time now) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = text_parameter(asked.request, "target"),
              .reason = text_parameter(asked.request, "reason")};
  auto wanted = quarantine_of(asked.request, active_->policy.policy());
  if (!wanted) return reject(asked, std::move(entry), {std::move(wanted.error())});
  Quarantine quarantine = *std::move(wanted);
  entry.object = to_string(quarantine.target);
  quarantine.by = asked.actor.name;
  quarantine.since = now;
  succeed_former(quarantine, entry);
  const Quarantine* before = find_quarantine(quarantine.target);
  // Whoever says it again while a release waits for a second person objects to that.
  const bool changed = before == nullptr || before->release || !holds_the_same(*before, quarantine);
  if (!changed) quarantine = *before;
  const auto target = quarantine.target;
  Entry again = entry;
  again.result = "it was quarantined already";
  return contain(
      std::move(quarantine), entry,
      [this, asked, target, changed, again](const Containment& done, Time) -> Effects {
        if (!done.errors.empty()) {
          return answer(asked.id,
                        std::unexpected(still_to_do(target, tell(done.proof), done.errors)));
        }
        Node shown = show_quarantine(*find_quarantine(target));
        auto& table = std::get<Node::Table>(shown.value);
        table.emplace_back("changed", Node{changed});
        table.emplace_back("proof", show_proof(done.proof, moment_));
        Effects effects;
        if (!changed) effects.emplace_back(Record{again});
        effects.emplace_back(Answer{asked.id, std::move(shown)});
        return effects;
      },
      now);
}

// ---- letting go ----

Effects Engine::release_quarantine(const Asked& asked, Time now) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = text_parameter(asked.request, "target"),
              .reason = text_parameter(asked.request, "reason")};
  const auto target = target_of(asked.request, active_->policy.policy());
  if (!target) return reject(asked, std::move(entry), {target.error()});
  entry.object = to_string(*target);
  const Quarantine* found = find_quarantine(*target);
  if (found == nullptr) return reject(asked, std::move(entry), {not_quarantined(*target)});
  if (auto given = check_release(asked.request); !given) {
    return reject(asked, std::move(entry), {std::move(given.error())});
  }
  if (!unstored_.empty()) {
    return reject(asked, entry,
                  {{ErrorCode::failed,
                    to_string(*target),
                    "a quarantine has not come to the disk yet",
                    {},
                    "look at the disk (sekisho status, sekisho doctor), then release it"}});
  }
  const std::string finding = text_parameter(asked.request, "finding");
  entry.before = as_toml(*found);
  entry.after = "finding = " + write_text(finding);
  // What the policy asks for by now does not let go of what it asked for when this was ordered.
  const bool two = found->two_people || active_->policy.policy().response.two_people;
  const bool second = found->release && found->release->uid != asked.actor.uid;
  if (!two || second) return let_go(asked, *found, now);
  Quarantine asking = *found;
  asking.release = ReleaseAsked{.by = asked.actor.name,
                                .uid = asked.actor.uid,
                                .at = now,
                                .reason = entry.reason,
                                .finding = finding};
  entry.result = "waits for a second person";
  return await(StoreQuarantine{asking, entry},
               [this, asked, asking, entry](Outcome outcome, Time) -> Effects {
                 if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
                 hold(with(quarantines_, asking));
                 Node shown = show_quarantine(asking);
                 auto& table = std::get<Node::Table>(shown.value);
                 table.emplace_back("released", Node{false});
                 table.emplace_back("waits_for",
                                    Node{std::string("a second person, who says: sekisho "
                                                     "quarantine release ") +
                                         to_string(asking.target)});
                 Effects effects;
                 effects.emplace_back(
                     Notify{notice_of(entry, notice::Kind::release_asked, notice::Severity::high)});
                 effects.emplace_back(Answer{asked.id, std::move(shown)});
                 return effects;
               });
}

Effects Engine::let_go(const Asked& asked, const Quarantine& quarantine, Time) {
  const QuarantineTarget target = quarantine.target;
  const std::string finding = text_parameter(asked.request, "finding");
  const Entry entry{.actor = asked.actor,
                    .operation = control::operation(asked.request.operation).name(),
                    .object = to_string(target),
                    .before = as_toml(quarantine),
                    .after = "finding = " + write_text(finding),
                    .reason = text_parameter(asked.request, "reason")};
  return await(StoreRelease{target, finding, entry},
               [this, asked, target, entry](Outcome outcome, Time now) -> Effects {
                 if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
                 hold(without(quarantines_, target));
                 TablesDiff rules = in_kernel({});
                 return load(
                     std::move(rules), peers_now(now),
                     [this, asked, target, entry](const Outcome& loaded, Time at) -> Effects {
                       Node::Table result{{"target", {to_string(target)}}, {"released", {true}}};
                       Effects effects;
                       if (!loaded) {
                         effects = degrade(to_string(loaded.error()), at);
                         result.emplace_back("problem", Node{degraded_});
                       }
                       effects.emplace_back(Notify{
                           notice_of(entry, notice::Kind::released, notice::Severity::medium)});
                       effects.emplace_back(Answer{asked.id, Node{std::move(result)}});
                       return effects;
                     });
               });
}

// A drill: somebody whom the policy does not have is let in and cut off again, with all that is
// done for a device but its peer. Nobody notices.
Effects Engine::drill(const Asked& asked) {
  Entry entry{.actor = asked.actor,
              .operation = control::operation(asked.request.operation).name(),
              .object = "drill"};
  const std::vector<IpAddress> nobody = unused_addresses(network_, active_->policy.policy());
  if (nobody.empty() || !tables_known_) {
    return reject(asked, std::move(entry),
                  {{ErrorCode::failed,
                    "drill",
                    nobody.empty() ? "every tunnel address is somebody's"
                                   : "the gateway is not enforcing as it should",
                    {},
                    "see: sekisho status"}});
  }
  TablesDiff in;
  in.may_refuse_more = false;
  for (const IpAddress& address : nobody) in.add_cohorts.emplace_back(address, kIsolatedCohort);
  TablesDiff out;
  out.may_pass_more = false;
  out.remove_cohorts = in.add_cohorts;
  PurgeFlows purge;
  purge.addresses.insert(nobody.begin(), nobody.end());
  return await(ChangeTables{std::move(in)}, [=, this](Outcome outcome, Time at) -> Effects {
    auto containment = std::make_shared<Containment>();
    containment->proof.began = moment_;
    containment->target = DeviceId();  // nobody
    containment->steps = {ChangeTables{out}, purge};
    if (!outcome) containment->errors.push_back(std::move(outcome.error()));
    containment->then = [this, asked, entry](const Containment& done, Time) -> Effects {
      if (!done.errors.empty()) return reject(asked, entry, done.errors);
      Effects effects;
      effects.emplace_back(Record{entry});
      effects.emplace_back(
          Answer{asked.id, Node{Node::Table{{"proof", show_proof(done.proof, moment_)}}}});
      return effects;
    };
    return go_on(containment, at);
  });
}

}  // namespace sekisho::engine

#include <algorithm>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/explanations.h"
#include "gateway/engine/notices.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/engine/views.h"
#include "policy/model/document.h"

// What is asked and changes nothing.
namespace sekisho::engine {

namespace {

using control::OperationId;

control::Reply one_result(Result<Node> result) {
  if (result) return *std::move(result);
  return std::unexpected(Errors{std::move(result.error())});
}

}  // namespace

Checked<std::size_t> limit_of(const control::Request& request) {
  const std::int64_t limit = number_parameter(request, "limit").value_or(50);
  if (limit < 1 || limit > static_cast<std::int64_t>(kMostListed)) {
    return std::unexpected(
        Errors{{ErrorCode::invalid,
                "limit",
                std::to_string(limit) + " is no number of rows",
                {},
                "give --limit 1 to " + std::to_string(kMostListed) + ", or leave it out for 50"}});
  }
  return static_cast<std::size_t>(limit);
}

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
    case notice_show:
      return answer(asked.id,
                    show_notice(policy, quarantines_, text_parameter(asked.request, "address")));
    case quota_show:
      return answer(asked.id, show_quota(policy));
    case response_show:
      return answer(asked.id, show_response(policy));
    case service_catalogue:
      return answer(asked.id, one_result(show_catalogue(list_parameter(asked.request, "only"))));
    case policy_check:
    case policy_diff:
      return compare(asked, now);
    case policy_review:
      return answer(asked.id,
                    show_review({active_->policy, active_->compiler.compiled().space}, now));
    case policy_can:
      return look_back(asked, now,
                       [request = asked.request, quarantined = held_at(asked.request)](
                           const ValidPolicy& then, const Compiled*, Time at) {
                         return can(then, quarantined, request, at);
                       });
    case policy_explain:
      return look_back(
          asked, now,
          [request = asked.request, quarantined = held_at(asked.request),
           tables = desired().tables()](const ValidPolicy& then, const Compiled*, Time at) {
            const bool of_now = request.parameters.find("at") == nullptr;
            return explain_flow(then, quarantined, request, at, of_now ? tables.get() : nullptr);
          });
    case policy_matrix:
      return look_back(
          asked, now,
          [request = asked.request](const ValidPolicy& then, const Compiled* compiled, Time at) {
            return show_matrix(then, compiled, request, at);
          });
    default:
      return look_outside(asked);
  }
}

// By the policy that was in force at the time that is asked of; of a time to come by that of now.
// The network is that of now in either case: it is no part of a policy.
Effects Engine::look_back(const Asked& asked, Time now, const Question& question) {
  const bool of_now = asked.request.parameters.find("at") == nullptr;
  const Result<Time> at = of_now ? now : parse_time(text_parameter(asked.request, "at"));
  if (!at) {
    Error error = at.error();
    error.object = "at";
    return answer(asked.id, std::unexpected(Errors{std::move(error)}));
  }
  if (*at >= now)
    return answer(asked.id, question(active_->policy, &active_->compiler.compiled(), *at));
  return await(ReadRevisionAt{*at},
               [this, id = asked.id, at = *at, question](Outcome outcome, Time) -> Effects {
                 if (!outcome)
                   return answer(id, std::unexpected(Errors{std::move(outcome.error())}));
                 auto policy = policy_of(std::get<Revision>(*outcome));
                 if (!policy) return answer(id, std::unexpected(std::move(policy.error())));
                 const auto valid = validate(*std::move(policy), network_, zones_);
                 if (!valid) return answer(id, std::unexpected(valid.error()));
                 return answer(id, question(*valid, nullptr, at));
               });
}

// policy.check and policy.diff: a document, beside the policy in force.
Effects Engine::compare(const Asked& asked, Time now) {
  auto document = read_document(asked.request);
  if (!document) return answer(asked.id, std::unexpected(std::move(document.error())));
  const ValidPolicy& policy = active_->policy;
  const Compiled& compiled = active_->compiler.compiled();
  PolicyEdit edit = difference(policy.policy(), *document);
  auto valid = validate(*std::move(document), network_, zones_);
  if (!valid) {
    locate_in_document(valid.error(), asked.request);
    return answer(asked.id, std::unexpected(std::move(valid.error())));
  }
  if (asked.request.operation == control::OperationId::policy_check) {
    const auto space = cut(*valid, {});
    if (!space) return answer(asked.id, std::unexpected(Errors{space.error()}));
    return answer(asked.id, Node{Node::Table{{"answer", {true}},
                                             {"review", show_review({*valid, *space}, now)}}});
  }
  auto next = compile(*valid, now, &compiled);
  if (!next) return answer(asked.id, std::unexpected(Errors{next.error()}));
  const auto to = std::make_shared<const Comparison>(
      Comparison{*std::move(valid), std::move(edit), *std::move(next)});
  return await(ReadFlows{}, [this, id = asked.id, to](Outcome outcome, Time at) -> Effects {
    if (!outcome) return answer(id, std::unexpected(Errors{std::move(outcome.error())}));
    return answer(id, show_changes(active_->policy, active_->compiler.compiled(), *to,
                                   std::get<std::vector<LiveFlow>>(*outcome), at));
  });
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
      return await(
          Examine{desired()}, then([this](auto& value, Time at) -> control::Reply {
            auto findings = std::get<std::vector<Finding>>(value);
            if (const auto late = overdue(at)) {
              findings.push_back({"trial", false, *late, "sekisho audit list --limit 5"});
            }
            findings.push_back(quarantine_finding(quarantines_, flags_asking_));
            findings.push_back(notify_finding(outbox_, hindrance_of(outbox_, away_since_, at)));
            return show_findings(findings);
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
    case policy_history: {
      auto limit = limit_of(asked.request);
      if (!limit) return answer(id, std::unexpected(std::move(limit.error())));
      return await(ReadHistory{*limit}, then([](auto& value, Time) -> control::Reply {
                     return show_history(std::get<std::vector<Revision>>(value));
                   }));
    }
    case policy_export: {
      const std::string syntax = text_parameter(asked.request, "syntax");
      const auto document = [syntax](RevisionNumber number, const Policy& policy) {
        return Node{Node::Table{
            {"revision", {static_cast<std::int64_t>(number.value())}},
            {"document", {write_policy(policy, syntax == "json" ? Syntax::json : Syntax::toml)}}}};
      };
      const auto revision = number_parameter(asked.request, "revision");
      if (!revision) return answer(id, document(active_->revision, active_->policy.policy()));
      return await(ReadRevision{RevisionNumber(
                       static_cast<std::uint64_t>(std::max<std::int64_t>(*revision, 0)))},
                   then([document](auto& value, Time) -> control::Reply {
                     const auto& stored = std::get<Revision>(value);
                     auto policy = policy_of(stored);
                     if (!policy) return std::unexpected(std::move(policy.error()));
                     return document(stored.number, *policy);
                   }));
    }
    case audit_list: {
      auto limit = limit_of(asked.request);
      if (!limit) return answer(id, std::unexpected(std::move(limit.error())));
      return await(ReadOperations{*limit},
                   then([](auto& value, Time) -> control::Reply { return std::get<Node>(value); }));
    }
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

Node Engine::status(const std::vector<PeerStatus>& peers, Time now) const {
  const Policy& policy = active_->policy.policy();
  const auto count = [](std::size_t n) { return Node{static_cast<std::int64_t>(n)}; };
  const std::string problem = degraded_.empty() ? overdue(now).value_or("") : degraded_;
  Node::Table status{
      {"answer", {problem.empty()}},
      {"state", {std::string(problem.empty() ? "enforcing" : "degraded")}},
      {"problem", problem.empty() ? Node{} : Node{problem}},
      {"revision", {static_cast<std::int64_t>(active_->revision.value())}},
      {"people", count(policy.people.size())},
      {"devices", count(policy.devices.size())},
      {"online", count(static_cast<std::size_t>(online(policy, peers, now)))},
      {"resources", count(policy.resources.size())},
      {"grants", count(policy.grants.size())},
      {"quarantines", count(quarantines_.size())},
      {"flags_asking", count(flags_asking_)},
      {"repairs", count(repairs_)},
      {"last_repair", last_repair_ ? Node{to_string(*last_repair_)} : Node{}},
      {"compared", compared_ ? Node{to_string(*compared_)} : Node{}},
      {"notify", show_notify(outbox_, hindrance_of(outbox_, away_since_, now))},
  };
  if (provisional_) std::ranges::copy(show_provisional(*provisional_), std::back_inserter(status));
  return {std::move(status)};
}

}  // namespace sekisho::engine

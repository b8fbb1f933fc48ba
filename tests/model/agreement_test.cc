#include <gtest/gtest.h>

#include <algorithm>

#include "policy/compile/compile.h"
#include "policy/explain/evaluate.h"
#include "policy/model/document.h"
#include "tests/model/interpreter.h"
#include "tests/model/random_flow.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"
#include "tests/model/shares.h"
#include "tests/support/zoneinfo.h"

// Random policies and flows: what the document says (evaluate) and what the compiled tables do
// (interpret) must be the same, now and at every second until the tables are due again.
namespace sekisho::model {
namespace {

constexpr int kFlows = 50;

std::string story(const ValidPolicy& policy, const Flow& flow, Time now, const Decision& decision,
                  std::uint64_t seed) {
  return to_string(flow) + " at " + sekisho::to_string(now) + ": evaluate says " +
         std::string(to_string(decision.reason)) + " (" + explain(policy, flow, decision) + ")\n" +
         replay(seed) + "\n" + write_policy(policy.policy(), Syntax::json);
}

// Some second at which tables compiled at kNow still hold: soon, or within the days in which hours
// close.
Time random_second(Random& random, const Compiled& compiled) {
  const std::chrono::seconds horizon =
      random.percent(85) ? std::chrono::seconds(25) : std::chrono::hours(80);
  const Time last = compiled.next_opening
                        ? std::min(*compiled.next_opening - std::chrono::seconds(1), kNow + horizon)
                        : kNow + horizon;
  const auto span = static_cast<std::uint64_t>((last - kNow).count());
  return kNow + std::chrono::seconds(static_cast<int>(random.between(0, span)));
}

bool agree(const Decision& decision, const Answer& answer) {
  if (decision.verdict != answer.verdict) return false;
  const bool may_begin =
      decision.verdict == Verdict::permit || decision.reason == Reason::wrong_opening;
  return !may_begin || decision.check == answer.atom.check();
}

TEST(Model, EvaluateAndTablesAgree) {
  const Seeds run = seeds(10'000);
  Shares shares;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const ValidPolicy policy = random_valid_policy(random);
    const auto compiled = compile(policy, kNow, nullptr);
    ASSERT_TRUE(compiled) << to_string(compiled.error()) << replay(seed);
    shares.count_policy(policy);
    for (int i = 0; i < kFlows; ++i) {
      const Flow flow = random_flow(random, policy);
      const Time now = i % 2 == 0 ? kNow : random_second(random, *compiled);
      const Decision decision = evaluate(policy, flow, now);
      shares.count_flow(decision);
      const Answer answer = interpret(compiled->tables, flow, now);
      ASSERT_TRUE(agree(decision, answer)) << story(policy, flow, now, decision, seed);
      ASSERT_EQ(answer.atom, find_atom(compiled->space, flow.destination, flow.protocol, flow.port))
          << story(policy, flow, now, decision, seed);
    }
  }
  shares.print();
  if (shares.policies < 1000) return;  // a replay: shares mean nothing
  shares.expect_enough();
}

// The controls: with one rule broken on one side the comparison must notice.

// How many of the flows of some policies disagree when `policy_for_tables` is compiled instead.
template <class Change>
int disagreements(Change change, Flaw flaw) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    const ValidPolicy policy = random_valid_policy(random);
    Policy changed = policy.policy();
    change(changed);
    const auto valid = validate(std::move(changed), policy.network(), zones());
    if (!valid) continue;
    const auto compiled = compile(*valid, kNow, nullptr);
    for (int i = 0; i < kFlows; ++i) {
      const Flow flow = random_flow(random, policy);
      const Time now = random_second(random, *compiled);
      found += !agree(evaluate(policy, flow, now), interpret(compiled->tables, flow, now, flaw));
    }
  }
  return found;
}

void nothing(Policy&) {}

class BrokenInterpreter : public testing::TestWithParam<Flaw> {};

TEST_P(BrokenInterpreter, IsNoticed) {
  EXPECT_GE(disagreements(nothing, GetParam()), 1);
}

INSTANTIATE_TEST_SUITE_P(Model, BrokenInterpreter,
                         testing::Values(Flaw::ignores_cohort_end, Flaw::ignores_grant_end,
                                         Flaw::ends_a_second_late, Flaw::ignores_check,
                                         Flaw::ignores_protocol, Flaw::ignores_grants));

TEST(BrokenCompiler, AnUnbrokenOneAgrees) {
  EXPECT_EQ(disagreements(nothing, Flaw::none), 0);
}

TEST(BrokenCompiler, IgnoringClassificationIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, resource] : policy.resources) {
                    resource.classification = Classification::public_;
                  }
                },
                Flaw::none),
            1);
}

TEST(BrokenCompiler, IgnoringTheBeginOfGrantsIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, grant] : policy.grants) grant.from.reset();
                },
                Flaw::none),
            1);
}

TEST(BrokenCompiler, IgnoringHoursIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, grant] : policy.grants) grant.conditions.hours = std::nullopt;
                },
                Flaw::none),
            1);
}

TEST(BrokenCompiler, AnotherTimeZoneIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, grant] : policy.grants) {
                    auto& hours = grant.conditions.hours;
                    if (hours && hours->zone != "UTC") hours->zone = "UTC";
                  }
                },
                Flaw::none),
            1);
}

TEST(BrokenCompiler, IgnoringSessionsIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, grant] : policy.grants) grant.conditions.session.reset();
                },
                Flaw::none),
            1);
}

TEST(BrokenCompiler, IgnoringSuspensionIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, person] : policy.people) person.state = PersonState::active;
                },
                Flaw::none),
            1);
}

TEST(BrokenCompiler, IgnoringBlockedDevicesIsNoticed) {
  EXPECT_GE(disagreements(
                [](Policy& policy) {
                  for (auto& [id, device] : policy.devices) device.state = DeviceState::active;
                },
                Flaw::none),
            1);
}

}  // namespace
}  // namespace sekisho::model

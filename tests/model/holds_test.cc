#include "policy/compile/holds.h"

#include <gtest/gtest.h>

#include "policy/compile/compile.h"
#include "policy/explain/evaluate.h"
#include "policy/model/quarantine.h"
#include "tests/model/interpreter.h"
#include "tests/model/random_edit.h"
#include "tests/model/random_flow.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"
#include "tests/model/tables.h"
#include "tests/support/zoneinfo.h"

// Random policies under random quarantines: what is told (evaluate) and what the kernel would hold
// must be the same, and a change of either comes to the same as all of it at once.
namespace sekisho::model {
namespace {

Hold random_hold(Random& random) {
  return random.percent(50) ? Hold::isolate : Hold::cut;
}

Quarantine random_quarantine(Random& random, const ValidPolicy& valid, const AtomSpace& space) {
  const Policy& policy = valid.policy();
  Quarantine quarantine{.target = Everyone{},
                        .level = random_hold(random),
                        .reason = "test",
                        .by = "test",
                        .devices = {},
                        .keys = {}};
  const std::uint64_t kind = random.below(20);
  if (kind < 9 && !policy.devices.empty()) {
    quarantine.target = random.pick_from(policy.devices)->first;
  } else if (kind < 13 && !policy.people.empty()) {
    quarantine.target = random.pick_from(policy.people)->first;
  } else if (kind < 19 && !policy.resources.empty()) {
    quarantine.target = random.percent(10) ? kInternet : random.pick_from(policy.resources)->first;
  }
  catch_devices(quarantine, policy);
  catch_places(quarantine, valid, space);
  return quarantine;
}

// With something that isolated devices still reach.
ValidPolicy mending_policy(Random& random, const Network& network) {
  Policy policy = random_policy(random, network);
  for (const auto& [id, resource] : policy.resources) {
    if (resource.classification != Classification::confidential && !resource.internet &&
        id != kInternet && random.percent(40)) {
      policy.response.remediation = {id};
    }
  }
  return checked(std::move(policy), network);
}

std::vector<Quarantine> random_quarantines(Random& random, const ValidPolicy& policy,
                                           const AtomSpace& space) {
  std::vector<Quarantine> quarantines;
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    quarantines.push_back(random_quarantine(random, policy, space));
  }
  return quarantines;
}

TEST(Holds, EvaluateAndTheHeldTablesAgree) {
  const Seeds run = seeds(3000);
  std::map<Reason, std::uint64_t> seen;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const ValidPolicy policy = mending_policy(random, random_network(random));
    const Compiled compiled = compile(policy, kNow).value();
    const Quarantined quarantined =
        quarantined_by(random_quarantines(random, policy, compiled.space));
    const Tables tables =
        held(compiled.tables, holds_of(policy.policy(), quarantined, compiled.space));
    for (int i = 0; i < 50; ++i) {
      const Flow flow = random_flow(random, policy);
      const Decision decision = evaluate(policy, flow, kNow, quarantined);
      ++seen[decision.reason];
      ASSERT_EQ(decision.verdict, interpret(tables, flow, kNow).verdict)
          << to_string(flow) << ": " << explain(policy, flow, decision) << "\n"
          << replay(seed);
    }
  }
  if (run.count < 1000) return;  // a replay
  for (const Reason reason :
       {Reason::quarantined, Reason::resource_quarantined, Reason::remediation, Reason::granted}) {
    EXPECT_GT(seen[reason], run.count / 10) << to_string(reason);
  }
}

// What was quarantined stays closed, and nothing else, whatever the policy makes of its addresses.
TEST(Holds, PlacesStayClosedExactly) {
  const Seeds run = seeds(1000);
  std::uint64_t closed = 0;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const Network network = random_network(random);
    ValidPolicy policy = mending_policy(random, network);
    const AtomSpace space = cut(policy, {}).value();
    std::vector<Quarantine> quarantines = random_quarantines(random, policy, space);
    Policy next = policy.policy();
    for (int i = 0; i < 6; ++i) random_edit(random, next, network);
    PolicyEdit edit = difference(policy.policy(), next);
    if (!amend(policy, edit, zones())) continue;
    for (Quarantine& each : quarantines) catch_devices(each, policy.policy());
    const Quarantined held_still = quarantined_by(quarantines);
    const Compiled compiled =
        Compiler::start(policy, kNow, {.space = space, .tables = {}, .next_opening = {}},
                        held_still.places)
            ->compiled();
    const Tables tables =
        held(compiled.tables, holds_of(policy.policy(), held_still, compiled.space));
    for (int i = 0; i < 50; ++i) {
      const Flow flow = random_flow(random, policy);
      const Decision decision = evaluate(policy, flow, kNow, held_still);
      closed += decision.reason == Reason::resource_quarantined;
      ASSERT_EQ(decision.verdict, interpret(tables, flow, kNow).verdict)
          << to_string(flow) << ": " << explain(policy, flow, decision) << "\n"
          << replay(seed);
    }
  }
  EXPECT_GT(closed, run.count / 10);
}

TEST(Holds, ChangesComeToTheSameAsAllAtOnce) {
  const Seeds run = seeds(500);
  std::uint64_t elements = 0;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const Network network = random_network(random);
    ValidPolicy policy = mending_policy(random, network);
    Compiler compiler = Compiler::start(policy, kNow).value();
    std::vector<Quarantine> quarantines;
    Holds before;
    for (int i = 0; i < 12; ++i) {
      const Tables held_before = held(compiler.compiled().tables, before);
      TablesDiff changes;
      changes.may_pass_more = changes.may_refuse_more = false;
      if (random.percent(60)) {
        Policy next = policy.policy();
        random_edit(random, next, network);
        PolicyEdit edit = difference(policy.policy(), next);
        const auto undo = amend(policy, edit, zones());
        if (!undo) continue;  // it would take a remediation resource away
        // Where destinations are cut anew all is loaded by way of a transition, not by this.
        const bool recuts = !undo->resources.empty();
        changes = compiler.update(policy, *undo, kNow).value();
        if (recuts) {
          before =
              holds_of(policy.policy(), quarantined_by(quarantines), compiler.compiled().space);
          continue;
        }
      }
      if (random.percent(60))
        quarantines = random_quarantines(random, policy, compiler.compiled().space);
      const Holds after =
          holds_of(policy.policy(), quarantined_by(quarantines), compiler.compiled().space);
      const TablesDiff in_kernel = held(changes, compiler.compiled().tables, before, after);
      const Tables held_after = held(compiler.compiled().tables, after);
      ASSERT_EQ(applied(held_before, in_kernel), held_after) << replay(seed);
      ASSERT_EQ(in_kernel.size(), diff(held_before, held_after).size()) << replay(seed);
      elements += in_kernel.size();
      // It may say that it loosens where it does not, never the other way round.
      const TablesDiff exact = diff(held_before, held_after);
      if (in_kernel.only_tightens()) {
        ASSERT_TRUE(exact.only_tightens()) << replay(seed);
      }
      before = after;
    }
  }
  EXPECT_GT(elements, run.count);
}

TEST(Holds, StoppingEveryoneComesToTheSame) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    const ValidPolicy policy = random_valid_policy(random);
    const Compiled compiled = compile(policy, kNow).value();
    std::vector<Quarantine> quarantines = random_quarantines(random, policy, compiled.space);
    const auto holds = [&] {
      return holds_of(policy.policy(), quarantined_by(quarantines), compiled.space);
    };
    const Tables before = held(compiled.tables, holds());
    quarantines.push_back({.target = Everyone{},
                           .level = random_hold(random),
                           .reason = "test",
                           .by = "test",
                           .devices = {},
                           .keys = {}});
    const Tables stopped = applied(before, stop_everyone());
    EXPECT_TRUE(stopped.cohorts.empty());
    EXPECT_EQ(applied(stopped, let_in(compiled.tables, holds())), held(compiled.tables, holds()));
  }
}

}  // namespace
}  // namespace sekisho::model

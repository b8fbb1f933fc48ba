#include "policy/compile/diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "policy/compile/compile.h"
#include "tests/model/interpreter.h"
#include "tests/model/random_edit.h"
#include "tests/model/random_flow.h"
#include "tests/model/seeds.h"
#include "tests/model/tables.h"

// A diff turns the one into the other, and says truly whether it takes or gives rights.
namespace sekisho::model {
namespace {

struct Seen {
  bool lost = false;    // a flow that passed and is now refused
  bool gained = false;  // the other way
};

Seen try_flows(Random& random, const ValidPolicy& before, const ValidPolicy& after,
               const Tables& from, const Tables& to) {
  Seen seen;
  for (int i = 0; i < 60; ++i) {
    const Flow flow = random_flow(random, i % 2 == 0 ? before : after);
    const Time now = kNow + std::chrono::seconds(static_cast<int>(random.below(25)));
    const bool passed = interpret(from, flow, now).verdict == Verdict::permit;
    const bool passes = interpret(to, flow, now).verdict == Verdict::permit;
    seen.lost |= passed && !passes;
    seen.gained |= passes && !passed;
  }
  return seen;
}

TEST(Diff, TurnsOneIntoTheOtherAndKnowsItsDirection) {
  const Seeds run = seeds(150);
  int losses = 0;
  int gains = 0;
  int one_way = 0;
  int diffs = 0;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    const Network network = random_network(random);
    Policy policy = random_policy(random, network);
    ValidPolicy before = checked(policy, network);
    Compiled from = compile(before, kNow, nullptr).value();
    for (int i = 0; i < 12; ++i) {
      const Edit edit = random_edit(random, policy, network);
      SCOPED_TRACE("edit " + std::to_string(static_cast<int>(edit)));
      const ValidPolicy after = checked(policy, network);
      Compiled to = compile(after, kNow, &from).value();
      const TablesDiff changes = diff(from.tables, to.tables);
      ASSERT_EQ(applied(from.tables, changes), to.tables);
      ASSERT_EQ(changes.empty(), from.tables == to.tables);

      const Seen seen = try_flows(random, before, after, from.tables, to.tables);
      ASSERT_FALSE(seen.lost && changes.only_loosens());
      ASSERT_FALSE(seen.gained && changes.only_tightens());
      // Edits that leave the destination space alone are told apart exactly.
      ASSERT_TRUE(direction_of(edit) != Direction::loosens || changes.only_loosens());
      ASSERT_TRUE(direction_of(edit) != Direction::tightens || changes.only_tightens());
      losses += seen.lost;
      gains += seen.gained;
      one_way += changes.only_loosens() != changes.only_tightens();
      diffs += !changes.empty();
      from = std::move(to);
      before = after;
    }
  }
  std::cout << diffs << " diffs, " << one_way << " of them one way; flows saw " << losses
            << " take a right and " << gains << " give one\n";
  if (run.count < 100) return;  // a replay
  EXPECT_GT(losses, 50);
  EXPECT_GT(gains, 50);
  EXPECT_GT(one_way, 200);
}

// What came about by many edits at once, with cohorts numbered without regard to the other side.
TEST(Diff, BetweenUnrelatedTables) {
  const Seeds run = seeds(150);
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    const Network network = random_network(random);
    Policy policy = random_policy(random, network);
    const ValidPolicy before = checked(policy, network);
    // The same destination space, so that the direction shows in cohorts and grants alone.
    for (int i = 0; i < 3; ++i) apply(random, static_cast<Edit>(random.below(11)), policy, network);
    const ValidPolicy after = checked(policy, network);
    const Tables from = compile(before, kNow, nullptr).value().tables;
    const Tables to = compile(after, kNow, nullptr).value().tables;
    const TablesDiff changes = diff(from, to);
    ASSERT_EQ(applied(from, changes), to);
    const Seen seen = try_flows(random, before, after, from, to);
    ASSERT_FALSE(seen.lost && changes.only_loosens());
    ASSERT_FALSE(seen.gained && changes.only_tightens());
  }
}

}  // namespace
}  // namespace sekisho::model

#include "policy/compile/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/compile/diff.h"
#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

using model::address;
using model::kNow;
using model::PolicyBuilder;
using enum Classification;

Time after(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

Compiled compiled(const PolicyBuilder& policy, const Compiled* before = nullptr) {
  return compile(policy.valid(), kNow, before).value();
}

// A laptop of tanaka's, and two resources.
PolicyBuilder office() {
  PolicyBuilder policy;
  policy.device("laptop", "tanaka", {"10.66.0.2", "fd66::2"})
      .resource("wiki", internal, {"10.1.0.0/24"}, {"https"})
      .resource("shell", internal, {"10.2.0.0/24"}, {"ssh"});
  return policy;
}

Cohort cohort_of(const Compiled& compiled, std::string_view source) {
  const auto entry = compiled.tables.cohorts.find(address(source));
  return entry != compiled.tables.cohorts.end() ? entry->second.cohort : Cohort{};
}

AtomMark mark_at(const Compiled& compiled, std::string_view to, std::uint16_t port,
                 Protocol protocol = Protocol::tcp) {
  return find_atom(compiled.space, address(to), protocol, Port(port));
}

// The end of the right to use the resource at `to`; no value at all where there is no right.
std::optional<std::optional<Time>> right(const Compiled& compiled, std::string_view source,
                                         std::string_view to, std::uint16_t port) {
  const auto grant =
      compiled.tables.grants.find({cohort_of(compiled, source), mark_at(compiled, to, port)});
  if (grant == compiled.tables.grants.end()) return std::nullopt;
  return grant->second;
}

// What right() says of a right that ends, and of one that does not.
std::optional<std::optional<Time>> until(int seconds) {
  return std::optional(after(seconds));
}
constexpr std::optional<std::optional<Time>> kForever{std::optional<Time>{}};

TEST(Compile, AGrantOpensItsResourceAlone) {
  PolicyBuilder policy = office();
  policy.grant("g", "tanaka", "wiki");
  const Compiled result = compiled(policy);
  EXPECT_EQ(right(result, "10.66.0.2", "10.1.0.7", 443), kForever);
  EXPECT_EQ(right(result, "fd66::2", "10.1.0.7", 443), kForever);
  EXPECT_EQ(right(result, "10.66.0.2", "10.2.0.7", 22), std::nullopt);
  EXPECT_FALSE(cohort_of(result, "10.66.0.3"));
}

TEST(Compile, WithoutGrantsThereAreTheGatewaysServices) {
  const Compiled result = compiled(office());
  EXPECT_EQ(right(result, "10.66.0.2", "10.66.0.1", 53), kForever);
  EXPECT_EQ(right(result, "10.66.0.2", "fd66::1", 53), kForever);
  EXPECT_EQ(right(result, "10.66.0.2", "10.66.0.1", 80), kForever);
  EXPECT_EQ(result.tables.grants.size(), 2U) << "theirs, and what waits for isolated devices";
  EXPECT_TRUE(mark_at(result, "10.66.0.1", 53, Protocol::udp));
}

TEST(Compile, ARoleGivesToItsMembers) {
  PolicyBuilder policy = office();
  policy.person("tanaka", {"sales"}).device("phone", "sato", {"10.66.0.3"});
  policy.grant("g", "role:sales", "wiki");
  const Compiled result = compiled(policy);
  EXPECT_EQ(right(result, "10.66.0.2", "10.1.0.7", 443), kForever);
  EXPECT_EQ(right(result, "10.66.0.3", "10.1.0.7", 443), std::nullopt);
  EXPECT_NE(cohort_of(result, "10.66.0.2"), cohort_of(result, "10.66.0.3"));
}

TEST(Compile, OnlyGoodStandingHasACohort) {
  PolicyBuilder policy = office();
  policy.grant("g", "tanaka", "wiki");
  PolicyBuilder blocked = policy;
  blocked.policy.devices.begin()->second.state = DeviceState::blocked;
  EXPECT_TRUE(compiled(blocked).tables.cohorts.empty());
  EXPECT_EQ(compiled(blocked).tables.grants.size(), 1U) << "what waits for isolated devices";
  PolicyBuilder suspended = policy;
  suspended.policy.people.begin()->second.state = PersonState::suspended;
  EXPECT_TRUE(compiled(suspended).tables.cohorts.empty());
  EXPECT_TRUE(compiled(policy.person("tanaka", {}, kNow)).tables.cohorts.empty());
  EXPECT_EQ(compiled(policy.person("tanaka", {}, after(1))).tables.cohorts.size(), 2U);
}

// kNow is 08:00 UTC of a Friday.
WeeklyHours utc_hours(std::string_view span) {
  return {.spans = {DailyHours::parse(span).value()}, .zone = "UTC"};
}

TEST(Compile, HoursCloseInTheKernelAndOpenByTheDaemon) {
  PolicyBuilder policy = office();
  policy.grant("g", "tanaka", "wiki");
  auto& hours = policy.policy.grants.at(GrantId("g")).conditions.hours;
  hours = utc_hours("mon-fri 07:00-08:10");
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), until(600));
  EXPECT_EQ(compiled(policy).next_opening, after(3 * 86'400 - 3'600)) << "Monday, 07:00";
  hours = utc_hours("mon-fri 08:00-08:10");
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), until(600));
  hours = utc_hours("mon-fri 07:00-08:00");
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), std::nullopt);
  hours = utc_hours("mon-fri 08:01-18:00");
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), std::nullopt);
  EXPECT_EQ(compiled(policy).next_opening, after(60));
}

TEST(Compile, HoursLieWithinBeginningAndEnd) {
  PolicyBuilder policy = office();
  const auto with = [&](std::optional<Time> from, std::optional<Time> end) {
    policy.grant("g", "tanaka", "wiki", from, end);
    policy.policy.grants.at(GrantId("g")).conditions.hours = utc_hours("mon-fri 07:00-08:10");
    return compiled(policy);
  };
  EXPECT_EQ(right(with({}, after(60)), "10.66.0.2", "10.1.0.7", 443), until(60));
  EXPECT_EQ(with({}, after(60)).next_opening, std::nullopt) << "over before Monday";
  EXPECT_EQ(right(with(after(60), {}), "10.66.0.2", "10.1.0.7", 443), std::nullopt);
  EXPECT_EQ(with(after(60), {}).next_opening, after(60)) << "in the middle of its hours";
  EXPECT_EQ(with(after(600), {}).next_opening, after(3 * 86'400 - 3'600)) << "as they close";
  EXPECT_EQ(right(with(after(-60), after(9'000)), "10.66.0.2", "10.1.0.7", 443), until(600));
}

TEST(Compile, OfSeveralHoursTheLatestCloses) {
  PolicyBuilder policy = office();
  policy.person("tanaka", {"sales"}).grant("g", "tanaka", "wiki").grant("h", "role:sales", "wiki");
  policy.policy.grants.at(GrantId("g")).conditions.hours = utc_hours("fri 07:00-08:10");
  policy.policy.grants.at(GrantId("h")).conditions.hours = utc_hours("fri 07:00-08:20");
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), until(1'200));
  policy.policy.grants.at(GrantId("h")).conditions.hours = std::nullopt;
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), kForever);
}

TEST(Compile, WhatAsksForASignInOpensNothingYet) {
  PolicyBuilder policy = office();
  policy.grant("g", "tanaka", "wiki").grant("soon", "tanaka", "shell", after(60));
  for (auto& [id, grant] : policy.policy.grants) {
    grant.conditions.session = std::chrono::minutes(15);
  }
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), std::nullopt);
  EXPECT_EQ(compiled(policy).next_opening, std::nullopt);
}

TEST(Compile, WhatIsOnTheInternetHasItsOwnAtoms) {
  PolicyBuilder policy = office();
  policy.resource("mail", public_, {}, {"tls:993"}).grant("g", "tanaka", "mail");
  policy.policy.resources.at(ResourceId("mail")).internet = true;
  const Compiled result = compiled(policy);
  EXPECT_EQ(right(result, "10.66.0.2", "8.8.8.8", 993), kForever);
  EXPECT_EQ(right(result, "10.66.0.2", "8.8.8.8", 443), std::nullopt);
  EXPECT_TRUE(mark_at(result, "8.8.8.8", 443)) << "of the built-in resource";
  EXPECT_FALSE(mark_at(result, "10.1.0.7", 993)) << "no part of the internet";
}

TEST(Compile, APersonsEndIsThatOfTheirDevices) {
  PolicyBuilder policy = office();
  policy.person("tanaka", {}, after(60)).grant("g", "tanaka", "wiki", {}, after(90));
  const Compiled result = compiled(policy);
  EXPECT_EQ(result.tables.cohorts.at(address("10.66.0.2")).until, after(60));
  EXPECT_EQ(result.tables.cohorts.at(address("fd66::2")).until, after(60));
  EXPECT_EQ(right(result, "10.66.0.2", "10.1.0.7", 443), until(90));
}

TEST(Compile, AGrantRunsFromItsFirstSecondToBeforeItsEnd) {
  PolicyBuilder policy = office();
  policy.grant("a", "tanaka", "wiki", kNow, after(1)).grant("b", "tanaka", "shell", after(1));
  const Compiled now = compiled(policy);
  EXPECT_EQ(right(now, "10.66.0.2", "10.1.0.7", 443), until(1));
  EXPECT_EQ(right(now, "10.66.0.2", "10.2.0.7", 22), std::nullopt);
  EXPECT_EQ(now.next_opening, after(1));
  const Compiled then = compile(policy.valid(), after(1), &now).value();
  EXPECT_EQ(right(then, "10.66.0.2", "10.1.0.7", 443), std::nullopt);
  EXPECT_EQ(right(then, "10.66.0.2", "10.2.0.7", 22), kForever);
  EXPECT_EQ(then.next_opening, std::nullopt);
}

TEST(Compile, TheLatestEndWins) {
  PolicyBuilder policy = office();
  policy.person("tanaka", {"sales"});
  policy.grant("a", "tanaka", "wiki", {}, after(10))
      .grant("b", "role:sales", "wiki", {}, after(20));
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), until(20));
  policy.grant("c", "tanaka", "wiki");
  EXPECT_EQ(right(compiled(policy), "10.66.0.2", "10.1.0.7", 443), kForever);
}

TEST(Compile, EqualRightsShareACohort) {
  PolicyBuilder policy = office();
  policy.device("phone", "sato", {"10.66.0.3"}).device("tablet", "mori", {"10.66.0.4"});
  policy.grant("a", "tanaka", "wiki").grant("b", "sato", "wiki");
  policy.grant("c", "mori", "wiki", {}, after(10));
  const Compiled result = compiled(policy);
  EXPECT_EQ(cohort_of(result, "10.66.0.2"), cohort_of(result, "10.66.0.3"));
  EXPECT_NE(cohort_of(result, "10.66.0.2"), cohort_of(result, "10.66.0.4"));
}

TEST(Compile, OneGrantMoreIsOneElement) {
  PolicyBuilder policy = office();
  policy.device("phone", "sato", {"10.66.0.3"}).grant("a", "sato", "wiki");
  const Compiled before = compiled(policy);
  policy.grant("b", "tanaka", "shell");
  const TablesDiff more = diff(before.tables, compiled(policy, &before).tables);
  EXPECT_EQ(more.size(), 1U);
  EXPECT_EQ(more.add_grants.size(), 1U);
  EXPECT_TRUE(more.only_loosens());
}

TEST(Compile, CohortNumbersStayWithTheirRights) {
  PolicyBuilder policy = office();
  policy.device("phone", "sato", {"10.66.0.3"}).grant("a", "sato", "wiki");
  const Compiled before = compiled(policy);
  policy.device("desk", "abe", {"10.66.0.9"}).grant("b", "abe", "shell");
  const Compiled result = compiled(policy, &before);
  EXPECT_EQ(cohort_of(result, "10.66.0.2"), cohort_of(before, "10.66.0.2"));
  EXPECT_EQ(cohort_of(result, "10.66.0.3"), cohort_of(before, "10.66.0.3"));
  EXPECT_EQ(compiled(policy, &result).tables, result.tables);
}

TEST(Compile, TheSpaceFollowsTheNetwork) {
  PolicyBuilder policy = office();
  const Compiled before = compiled(policy);
  policy.network.public_prefixes = {model::prefix("203.0.113.0/24")};
  const Compiled wider = compiled(policy, &before);
  EXPECT_NE(wider.space, before.space);
  EXPECT_TRUE(mark_at(wider, "203.0.113.1", 443));
}

// A role of many whose rights change alike keeps its cohort: one element, however many they are.
TEST(Compiler, OneGrantToARoleIsOneElement) {
  PolicyBuilder policy = office();
  for (int i = 10; i < 60; ++i) {
    const std::string name = "clerk-" + std::to_string(i);
    policy.person(name, {"sales"});
    policy.device(name, name, {"10.66.0." + std::to_string(i)});
  }
  policy.grant("others-may-otherwise", "tanaka", "shell");
  ValidPolicy valid = policy.valid();
  Compiler compiler = Compiler::start(valid, kNow).value();
  policy.grant("a", "role:sales", "wiki");
  PolicyEdit edit = difference(valid.policy(), policy.policy);
  PolicyEdit undo = amend(valid, edit).value();
  const TablesDiff more = compiler.update(valid, undo, kNow).value();
  EXPECT_EQ(more.size(), 1U);
  EXPECT_TRUE(more.only_loosens());
  ASSERT_TRUE(amend(valid, undo));
  const TablesDiff less = compiler.update(valid, edit, kNow).value();
  EXPECT_EQ(less.size(), 1U);
  EXPECT_TRUE(less.only_tightens());
}

}  // namespace
}  // namespace sekisho

#include "gateway/kernel/nftables/comparison.h"

#include <gmock/gmock.h>

#include "gateway/kernel/nftables/expressions.h"

namespace sekisho::kernel {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

const Time kNow = parse_time("2026-11-22T09:00:00Z").value();

Ruleset ruleset() {
  Network network;
  network.pools = {Prefix::parse("10.66.0.0/16").value()};
  return make_ruleset(network);
}

// The state of a kernel that holds exactly this.
TableState state_of(const Ruleset& ruleset, const Contents& contents) {
  TableState state;
  state.present = true;
  for (const auto& chain : ruleset.chains) {
    auto& there = state.chains[chain.name];
    there.declared = declaration_of(chain);
    for (const auto& rule : chain.rules) {
      there.rules.push_back(canonical(*make_rule(ruleset.table, chain.name, rule)));
    }
  }
  for (const auto& set : ruleset.sets) state.sets[set.name] = declaration_of(set);
  for (const auto& counter : ruleset.counters) state.objects.emplace(1U, counter.name);
  state.contents = contents;
  return state;
}

Contents one_cohort(std::optional<Time> until) {
  Tables tables;
  tables.cohorts[IpAddress::parse("10.66.0.2").value()] = {Cohort(1), until};
  return contents_of(tables, kNow);
}

std::vector<std::string> lines(const TableState& there, const Contents& wanted) {
  return compare(there, ruleset(), wanted).lines;
}

TEST(Comparison, OfTheSameSaysNothing) {
  const auto contents = one_cohort({});
  EXPECT_THAT(lines(state_of(ruleset(), contents), contents), IsEmpty());
}

TEST(Comparison, NamesRulesByTheirPlace) {
  const auto contents = one_cohort({});
  auto there = state_of(ruleset(), contents);
  auto& rules = there.chains["input"].rules;
  rules.insert(rules.begin(), "intruder");
  EXPECT_THAT(lines(there, contents), ElementsAre("rule 1 of chain input is not ours: intruder"));
  rules.pop_back();
  EXPECT_THAT(lines(there, contents),
              ElementsAre(testing::HasSubstr("rule 1 of chain input is missing: iifname"),
                          "rule 1 of chain input is not ours: intruder"));
}

TEST(Comparison, SeesAnotherOrder) {
  const auto contents = one_cohort({});
  auto there = state_of(ruleset(), contents);
  auto& rules = there.chains["forward"].rules;
  std::swap(rules[0], rules[1]);
  const auto found = compare(there, ruleset(), contents);
  EXPECT_THAT(found.chains_to_fill, ElementsAre("forward"));
  EXPECT_EQ(found.lines.size(), 2u);
}

TEST(Comparison, ForgivesWhatIsAboutToEnd) {
  const auto nothing = contents_of({}, kNow);
  const auto soon = one_cohort(kNow + std::chrono::seconds(2));
  const auto later = one_cohort(kNow + std::chrono::seconds(3));
  EXPECT_THAT(lines(state_of(ruleset(), nothing), soon), IsEmpty()) << "gone a moment early";
  EXPECT_THAT(lines(state_of(ruleset(), soon), nothing), IsEmpty()) << "not gone yet";
  EXPECT_THAT(lines(state_of(ruleset(), nothing), later),
              ElementsAre("element 10.66.0.2 of cohort4 is missing"));
  EXPECT_THAT(lines(state_of(ruleset(), later), nothing),
              ElementsAre("element 10.66.0.2 of cohort4 is not ours"));
}

TEST(Comparison, TellsEndsApart) {
  const auto hour = one_cohort(kNow + std::chrono::hours(1));
  const auto never = one_cohort({});
  EXPECT_THAT(lines(state_of(ruleset(), never), hour),
              ElementsAre("element 10.66.0.2 of cohort4 never ends, where it ends in 3600 s"));
  const auto near = one_cohort(kNow + std::chrono::seconds(3598));
  EXPECT_THAT(lines(state_of(ruleset(), near), hour), IsEmpty());
}

TEST(Comparison, AMissingTableIsOneLine) {
  const auto found = compare(TableState{}, ruleset(), one_cohort({}));
  EXPECT_THAT(found.lines, ElementsAre("table sekisho is missing"));
  EXPECT_EQ(found.chains_to_make.size(), ruleset().chains.size());
  EXPECT_EQ(found.to_add.at("cohort4").size(), 1u);
}

TEST(Comparison, ListsAHundredDifferencesAndCountsTheRest) {
  Tables tables;
  for (std::uint16_t i = 1; i <= 250; ++i) {
    tables.grants[{Cohort(i), AtomMark(0x1001, Check::tls)}] = {};
  }
  const auto found =
      compare(state_of(ruleset(), contents_of({}, kNow)), ruleset(), contents_of(tables, kNow));
  ASSERT_EQ(found.lines.size(), 101u);
  EXPECT_EQ(found.lines.back(), "and 150 more differences");
  EXPECT_EQ(found.to_add.at("grants").size(), 250u) << "all of them are repaired";
}

}  // namespace
}  // namespace sekisho::kernel

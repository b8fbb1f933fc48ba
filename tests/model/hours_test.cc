#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "policy/compile/compile.h"
#include "policy/explain/evaluate.h"
#include "tests/model/interpreter.h"
#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"
#include "tests/support/zoneinfo.h"

// Grants with hours through the days on which clocks change: the gateway compiles when an opening
// is due and not otherwise, the kernel lets entries end; at every second that matters the tables
// and the document say the same.
namespace sekisho::model {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A zone, and the beginning of a week in which its clocks change.
struct Week {
  const char* zone;
  const char* begin;
};
constexpr std::initializer_list<Week> kWeeks{
    {"Asia/Tokyo", "2027-01-14T00:00:00Z"},       {"Europe/Berlin", "2027-03-25T00:00:00Z"},
    {"Europe/Berlin", "2027-10-28T00:00:00Z"},    {"America/New_York", "2027-03-11T00:00:00Z"},
    {"America/New_York", "2027-11-04T00:00:00Z"}, {"Australia/Lord_Howe", "2027-04-01T00:00:00Z"},
};

PolicyBuilder one_person() {
  PolicyBuilder policy;
  policy.device("laptop", "tanaka", {"10.66.0.2"});
  policy.resource("wiki", Classification::internal, {"10.1.0.0/24"}, {"https"});
  return policy;
}

// Around the edges of what may be: of all minutes that begin or end a span, and of the changes of
// the clocks, the seconds before, at and after.
std::set<Time> seconds_that_matter(const Policy& policy, const TimeZone& place, Time begin,
                                   Time end) {
  std::set<Time> edges;
  for (Time hour = begin; hour < end; hour += hours(1)) {
    if (place.offset_at(hour) != place.offset_at(hour - hours(1))) edges.insert(hour);
  }
  for (const auto& [id, grant] : policy.grants) {
    for (const DailyHours& span : grant.conditions.hours->spans) {
      for (auto day = std::chrono::floor<std::chrono::days>(begin) - std::chrono::days(2);
           day < end; day += std::chrono::days(1)) {
        const LocalTime midnight(day.time_since_epoch());
        for (const minutes at : {span.begin, span.end}) {
          const auto [first, last] = place.moments_of(midnight + at);
          edges.insert({first, last});
        }
      }
    }
  }
  std::set<Time> result;
  for (const Time edge : edges) {
    for (const int shift : {-1, 0, 1}) {
      const Time time = edge + seconds(shift);
      if (begin <= time && time < end) result.insert(time);
    }
  }
  return result;
}

DailyHours random_span(Random& random) {
  const auto quarter = [&] { return minutes(15 * static_cast<int>(random.below(96))); };
  DailyHours span{
      .days = static_cast<std::uint8_t>(random.between(1, 127)),
      .begin = random.percent(50) ? minutes(15 * static_cast<int>(random.below(20))) : quarter(),
      .end = {}};
  span.end = span.begin + minutes(15 * static_cast<int>(random.between(1, 60)));
  return span;
}

struct Walk {
  int disagreements = 0;
  int seconds = 0;
  int compiled = 0;
  int open = 0;
};

// A week of the gateway's life, in which it wakes `late`.
Walk walk(const ValidPolicy& policy, const Week& week, seconds late) {
  const Time begin = parse_time(week.begin).value();
  const Time end = begin + hours(8 * 24);
  const Flow flow{.source = address("10.66.0.2"),
                  .destination = address("10.1.0.7"),
                  .protocol = Protocol::tcp,
                  .port = Port(443)};
  Walk result;
  Compiled tables = compile(policy, begin, nullptr).value();
  for (const Time now :
       seconds_that_matter(policy.policy(), policy.zones().begin()->second, begin, end)) {
    while (tables.next_opening && *tables.next_opening + late <= now) {
      tables = compile(policy, *tables.next_opening, &tables).value();
      ++result.compiled;
    }
    const Verdict expected = evaluate(policy, flow, now).verdict;
    result.disagreements += interpret(tables.tables, flow, now).verdict != expected;
    result.open += expected == Verdict::permit;
    ++result.seconds;
  }
  return result;
}

Walk walk_all(seconds late) {
  Walk all;
  const Seeds run = seeds(30);
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    for (const Week& week : kWeeks) {
      PolicyBuilder policy = one_person();
      for (const char* id : {"a", "b"}) {
        policy.grant(id, "tanaka", "wiki");
        auto& conditions = policy.policy.grants.at(GrantId(id)).conditions;
        conditions.hours = WeeklyHours{.spans = {random_span(random)}, .zone = week.zone};
        if (random.percent(50)) conditions.hours->spans.push_back(random_span(random));
      }
      const auto valid = validate(policy.policy, policy.network, zones({week.zone}));
      if (!valid) continue;  // the whole week
      const Walk one = walk(*valid, week, late);
      EXPECT_TRUE(one.disagreements == 0 || late != seconds(0)) << week.begin << replay(seed);
      all.disagreements += one.disagreements;
      all.seconds += one.seconds;
      all.compiled += one.compiled;
      all.open += one.open;
    }
  }
  return all;
}

TEST(Hours, TablesFollowThemThroughChangesOfTheClocks) {
  const Walk all = walk_all(seconds(0));
  std::cout << all.seconds << " seconds looked at, " << all.open << " of them open, "
            << all.compiled << " times compiled anew\n";
  EXPECT_EQ(all.disagreements, 0);
  EXPECT_GT(all.open, all.seconds / 20);
  EXPECT_GT(all.seconds - all.open, all.seconds / 20);
}

// The control: a gateway that wakes a second late is noticed.
TEST(Hours, ALateOpeningIsNoticed) {
  EXPECT_GT(walk_all(seconds(1)).disagreements, 0);
}

}  // namespace
}  // namespace sekisho::model

#include "policy/explain/term.h"

#include <gtest/gtest.h>

#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

using model::kNow;

Time after(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

Term hours(std::string_view spans) {
  Term term;
  term.conditions.hours = WeeklyHours{{DailyHours::parse(spans).value()}, "Asia/Tokyo"};
  return term;
}

TEST(Term, IsTheGrantsCutShortByItsPerson) {
  const Person there{.name = "A", .roles = {}, .state = PersonState::active};
  Person leaving = there;
  leaving.valid_until = after(10);
  Person away = there;
  away.state = PersonState::suspended;
  const Grant grant{.who = PersonId("a"), .resource = ResourceId("r"), .reason = "work"};
  Grant long_one = grant;
  long_one.until = after(20);
  Grant coming = grant;
  coming.from = after(15);
  EXPECT_EQ(term_of(grant, there, kNow), Term{});
  EXPECT_EQ(term_of(long_one, leaving, kNow), Term{.until = after(10)});
  EXPECT_EQ(term_of(grant, leaving, after(9)), Term{.until = after(10)});
  EXPECT_EQ(term_of(grant, leaving, after(10)), std::nullopt);
  EXPECT_EQ(term_of(coming, there, kNow), Term{.from = after(15)});
  EXPECT_EQ(term_of(coming, there, after(15)), Term{});
  EXPECT_EQ(term_of(coming, leaving, kNow), std::nullopt) << "it begins when they have left";
  EXPECT_EQ(term_of(grant, away, kNow), std::nullopt);
}

TEST(Term, OneCoversTheOther) {
  const Term always;
  const Term ends{.until = after(10)};
  const Term comes{.from = after(5)};
  EXPECT_TRUE(covers(always, ends));
  EXPECT_FALSE(covers(ends, always));
  EXPECT_TRUE(covers(always, comes));
  EXPECT_FALSE(covers(comes, always));
  EXPECT_FALSE(covers(comes, ends));
  EXPECT_TRUE(covers(ends, Term{.from = after(5), .until = after(10)}));
  EXPECT_TRUE(covers(always, hours("mon-fri 09:00-18:00")));
  EXPECT_FALSE(covers(hours("mon-fri 09:00-18:00"), always));
  EXPECT_TRUE(covers(hours("mon-fri 09:00-18:00"), hours("mon-fri 09:00-18:00")));
  EXPECT_TRUE(covers(hours("mon-sun 00:00-24:00"), always)) << "no minute is outside";
  Term fresh;
  fresh.conditions.session = std::chrono::minutes(15);
  Term older;
  older.conditions.session = std::chrono::hours(8);
  EXPECT_TRUE(covers(older, fresh));
  EXPECT_FALSE(covers(fresh, older));
  EXPECT_FALSE(covers(older, always));
}

TEST(Term, OfSeveralTheWidestStay) {
  const Term soon{.until = after(10)};
  const Term late{.until = after(20)};
  EXPECT_EQ(widest({soon, late, soon}), Terms{late});
  EXPECT_EQ(widest({late, hours("mon 09:00-10:00")}).size(), 2u);
  EXPECT_EQ(widest({late, hours("mon 09:00-10:00"), Term{}}), Terms{Term{}});
  EXPECT_TRUE(covers(Terms{}, Terms{}));
  EXPECT_FALSE(covers(Terms{}, Terms{soon}));
}

TEST(Term, Words) {
  EXPECT_EQ(to_string(Term{}), "always");
  Term term = hours("mon-fri 09:00-18:00");
  term.from = Time(std::chrono::sys_days{std::chrono::year{2027} / 1 / 5});
  term.until = Time(std::chrono::sys_days{std::chrono::year{2027} / 4 / 1});
  term.conditions.session = std::chrono::minutes(15);
  EXPECT_EQ(to_string(term),
            "from 2027-01-05T00:00:00Z, until 2027-04-01T00:00:00Z, mon-fri 09:00-18:00, "
            "Asia/Tokyo, with a sign-in within 15m");
  EXPECT_EQ(to_string(Terms{Term{}, Term{}}), "always; always");
}

}  // namespace
}  // namespace sekisho

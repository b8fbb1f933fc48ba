#include "policy/base/time.h"

#include <gtest/gtest.h>

#include <random>

namespace sekisho {
namespace {

TEST(Time, ReadsRfc3339AndDates) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"2026-11-22", "2026-11-22T00:00:00Z"},
      {"2026-11-22T18:00:00+09:00", "2026-11-22T09:00:00Z"},
      {"2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"},
      {"2026-11-22t09:00:00z", "2026-11-22T09:00:00Z"},
      {"2026-12-31T23:30:00-00:45", "2027-01-01T00:15:00Z"},
      {"2028-02-29", "2028-02-29T00:00:00Z"},
      {"1970-01-01", "1970-01-01T00:00:00Z"},
      {"1970-01-01T09:00:00+09:00", "1970-01-01T00:00:00Z"},
      {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
  };
  for (const auto& [in, out] : table) EXPECT_EQ(to_string(parse_time(in).value()), out) << in;
  EXPECT_EQ(parse_time("2001-09-09T01:46:40Z").value().time_since_epoch().count(), 1'000'000'000);
}

TEST(Time, RefusesEverythingElse) {
  for (const auto* text : {"",
                           "2026",
                           "2026-11",
                           "2026-11-31",
                           "2027-02-29",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-1-1",
                           "2026/11/22",
                           "2026-11-22 09:00:00Z",
                           "2026-11-22T09:00:00",
                           "2026-11-22T09:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T09:60:00Z",
                           "2026-11-22T09:00:60Z",
                           "2026-11-22T09:00:00.5Z",
                           "2026-11-22T09:00:00+9:00",
                           "2026-11-22T09:00:00+0900",
                           "2026-11-22T09:00:00+24:00",
                           "2026-11-22T09:00:00+09:60",
                           "2026-11-22T09:00:00*09:00",
                           "2026-11-22T09:00:00Zz",
                           "2026-11-22x",
                           "1969-12-31",
                           "1970-01-01T00:00:00+00:01",
                           "9999-12-31T23:59:59-00:01",
                           "10000-01-01",
                           "+026-11-22",
                           "2026-11-22T09:00:00 09:00"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Time, TextIsAnExactRoundTrip) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const Time time{std::chrono::seconds(random() % 253'402'300'800)};
    ASSERT_EQ(parse_time(to_string(time)).value(), time) << to_string(time);
  }
}

TEST(Time, TheEarlierOfTwoThatMayNotBeThere) {
  const Time first{std::chrono::seconds(1)};
  const Time second{std::chrono::seconds(2)};
  EXPECT_EQ(earlier(first, second), first);
  EXPECT_EQ(earlier(second, first), first);
  EXPECT_EQ(earlier({}, second), second);
  EXPECT_EQ(earlier(first, {}), first);
  EXPECT_EQ(earlier({}, {}), std::nullopt);
}

}  // namespace
}  // namespace sekisho

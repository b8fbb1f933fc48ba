#include "policy/model/hours.h"

#include <gmock/gmock.h>

#include "policy/base/time.h"
#include "tests/support/zoneinfo.h"

namespace sekisho {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Time utc(const std::string& text) {
  return parse_time(text).value();
}

WeeklyHours weekly(std::initializer_list<const char*> spans, const char* zone) {
  WeeklyHours result{.spans = {}, .zone = zone};
  for (const char* span : spans) result.spans.push_back(DailyHours::parse(span).value());
  return result;
}

// "begin end, begin end"
std::string periods(const WeeklyHours& weekly_hours, const std::string& from) {
  std::string text;
  for (const OpenPeriod& period : open_periods(weekly_hours, zone(weekly_hours.zone), utc(from))) {
    text += (text.empty() ? "" : ", ") + to_string(period.begin) + " " + to_string(period.end);
  }
  return text;
}

TEST(Hours, HaveOneText) {
  for (const char* text : {"mon-fri 09:00-18:00", "sun 00:00-24:00", "sat,sun 22:00-06:00",
                           "mon,wed-fri 00:00-00:01", "mon-sun 23:59-24:00"}) {
    EXPECT_EQ(DailyHours::parse(text).value().to_string(), text);
  }
  const std::vector<std::pair<const char*, const char*>> table = {
      {"fri-mon 09:00-18:00", "mon,fri-sun 09:00-18:00"},
      {"tue,mon 22:00-00:00", "mon,tue 22:00-24:00"},
      {"mon,mon-tue,wed 09:00-10:00", "mon-wed 09:00-10:00"},
      {"sun-sat 09:00-10:00", "mon-sun 09:00-10:00"},
  };
  for (const auto& [text, canonical] : table) {
    EXPECT_EQ(DailyHours::parse(text).value().to_string(), canonical);
  }
}

TEST(Hours, RefuseEverythingElse) {
  for (const char* text : {"",
                           " ",
                           "mon",
                           "mon-fri",
                           "09:00-18:00",
                           "Mon 09:00-18:00",
                           "monday 09:00-18:00",
                           "mon 9:00-18:00",
                           "mon 09:00",
                           "mon 09:00-18:00 ",
                           "mon  09:00-18:00",
                           "mon 09:00 - 18:00",
                           "mon 09:00-24:01",
                           "mon 24:00-06:00",
                           "mon 09:60-18:00",
                           "mon 25:00-26:00",
                           "mon 09:00-09:00",
                           "mon 00:00-00:00",
                           "mon, 09:00-10:00",
                           ",mon 09:00-10:00",
                           "mon-tue-wed 09:00-10:00",
                           "mon- 09:00-10:00",
                           "mon 09-00-18-00",
                           "mon 09:00-18:00:00"}) {
    EXPECT_FALSE(DailyHours::parse(text)) << text;
  }
}

TEST(Hours, KnowTheWholeWeek) {
  EXPECT_TRUE(covers_whole_week(weekly({"mon-sun 00:00-24:00"}, "UTC")));
  EXPECT_TRUE(covers_whole_week(weekly({"mon-sun 06:00-18:00", "sun-sat 18:00-06:00"}, "UTC")));
  EXPECT_FALSE(covers_whole_week(weekly({"mon-sun 00:00-23:59"}, "UTC")));
  EXPECT_FALSE(covers_whole_week(weekly({"mon-sat 00:00-24:00"}, "UTC")));
}

TEST(Hours, OfficeDaysOfAPlace) {
  const WeeklyHours office = weekly({"mon-fri 09:00-18:00"}, "Asia/Tokyo");
  const TimeZone tokyo = zone("Asia/Tokyo");
  // 2026-11-27 is a Friday.
  EXPECT_FALSE(is_open(office, tokyo, utc("2026-11-26T23:59:59Z")));
  EXPECT_TRUE(is_open(office, tokyo, utc("2026-11-27T00:00:00Z")));
  EXPECT_TRUE(is_open(office, tokyo, utc("2026-11-27T08:59:59Z")));
  EXPECT_FALSE(is_open(office, tokyo, utc("2026-11-27T09:00:00Z")));
  EXPECT_FALSE(is_open(office, tokyo, utc("2026-11-28T03:00:00Z")));
  EXPECT_EQ(periods(office, "2026-11-27T03:00:00Z"),
            "2026-11-27T00:00:00Z 2026-11-27T09:00:00Z, 2026-11-30T00:00:00Z 2026-11-30T09:00:00Z");
  EXPECT_EQ(periods(office, "2026-11-27T09:00:00Z"),
            "2026-11-30T00:00:00Z 2026-11-30T09:00:00Z, 2026-12-01T00:00:00Z 2026-12-01T09:00:00Z");
}

TEST(Hours, WhatTouchesIsOnePeriod) {
  EXPECT_EQ(periods(weekly({"mon-fri 09:00-12:00", "mon-fri 12:00-18:00"}, "UTC"),
                    "2026-11-27T10:00:00Z"),
            "2026-11-27T09:00:00Z 2026-11-27T18:00:00Z, 2026-11-30T09:00:00Z 2026-11-30T18:00:00Z");
  // Three days without a break, past two midnights.
  EXPECT_EQ(periods(weekly({"fri-sun 00:00-24:00"}, "UTC"), "2026-11-27T10:00:00Z"),
            "2026-11-27T00:00:00Z 2026-11-30T00:00:00Z, 2026-12-04T00:00:00Z 2026-12-07T00:00:00Z");
}

TEST(Hours, NightsReachIntoTheNextDay) {
  const WeeklyHours nights = weekly({"fri 22:00-06:00"}, "UTC");
  EXPECT_TRUE(is_open(nights, zone("UTC"), utc("2026-11-28T05:59:59Z")));
  EXPECT_FALSE(is_open(nights, zone("UTC"), utc("2026-11-28T06:00:00Z")));
  EXPECT_FALSE(is_open(nights, zone("UTC"), utc("2026-11-27T05:00:00Z")));
  EXPECT_EQ(periods(nights, "2026-11-27T23:00:00Z"),
            "2026-11-27T22:00:00Z 2026-11-28T06:00:00Z, 2026-12-04T22:00:00Z 2026-12-05T06:00:00Z");
}

// Berlin, 2027: clocks go from 02:00 to 03:00 on 28 March and from 03:00 back to 02:00 on 31
// October; New York: 14 March and 7 November. All Sundays.
TEST(Hours, TheSameHourOfTheClockInSummerAndWinter) {
  const WeeklyHours office = weekly({"mon-fri 09:00-18:00"}, "Europe/Berlin");
  EXPECT_EQ(periods(office, "2027-03-26T10:00:00Z"),
            "2027-03-26T08:00:00Z 2027-03-26T17:00:00Z, 2027-03-29T07:00:00Z 2027-03-29T16:00:00Z");
  EXPECT_EQ(periods(weekly({"fri,mon 09:00-17:00"}, "America/New_York"), "2027-11-05T15:00:00Z"),
            "2027-11-05T13:00:00Z 2027-11-05T21:00:00Z, 2027-11-08T14:00:00Z 2027-11-08T22:00:00Z");
}

TEST(Hours, AnHourThatIsLeftOutIsNotOpen) {
  const WeeklyHours night = weekly({"sun 01:30-02:30"}, "Europe/Berlin");
  EXPECT_EQ(periods(night, "2027-03-28T00:00:00Z").substr(0, 41),
            "2027-03-28T00:30:00Z 2027-03-28T01:00:00Z");
  const WeeklyHours after = weekly({"sun 02:30-03:30"}, "Europe/Berlin");
  EXPECT_EQ(periods(after, "2027-03-28T00:00:00Z").substr(0, 41),
            "2027-03-28T01:00:00Z 2027-03-28T01:30:00Z");
  // All of it is left out: the next Sunday, by then an hour earlier in UTC.
  EXPECT_EQ(periods(weekly({"sun 02:10-02:50"}, "Europe/Berlin"), "2027-03-28T00:00:00Z"),
            "2027-04-04T00:10:00Z 2027-04-04T00:50:00Z, 2027-04-11T00:10:00Z 2027-04-11T00:50:00Z");
}

TEST(Hours, AnHourThatComesTwiceClosesTheFirstTimeAndOpensTheSecond) {
  const TimeZone berlin = zone("Europe/Berlin");
  const WeeklyHours ends = weekly({"sun 01:00-02:30"}, "Europe/Berlin");
  EXPECT_EQ(periods(ends, "2027-10-30T22:00:00Z").substr(0, 41),
            "2027-10-30T23:00:00Z 2027-10-31T00:30:00Z");
  EXPECT_FALSE(is_open(ends, berlin, utc("2027-10-31T01:15:00Z"))) << "02:15 the second time";
  const WeeklyHours begins = weekly({"sun 02:30-04:00"}, "Europe/Berlin");
  EXPECT_EQ(periods(begins, "2027-10-30T22:00:00Z").substr(0, 41),
            "2027-10-31T01:30:00Z 2027-10-31T03:00:00Z");
  EXPECT_FALSE(is_open(begins, berlin, utc("2027-10-31T00:45:00Z"))) << "02:45 the first time";
  // What begins and ends in it is closed that night.
  EXPECT_FALSE(
      is_open(weekly({"sun 02:10-02:50"}, "Europe/Berlin"), berlin, utc("2027-10-31T01:30:00Z")));
  // A night around it is an hour longer, without a break.
  EXPECT_EQ(
      periods(weekly({"sat 22:00-06:00"}, "Europe/Berlin"), "2027-10-30T22:00:00Z").substr(0, 41),
      "2027-10-30T20:00:00Z 2027-10-31T05:00:00Z");
}

// Whatever the clocks do: open is never longer than what is written plus the time they are set back
// by, and is_open() and open_periods() say the same at every second that matters.
TEST(Hours, BothAnswersAgreeAroundEveryChange) {
  const std::vector<WeeklyHours> all{
      weekly({"mon-sun 01:00-02:30", "sun 02:45-03:15"}, "Europe/Berlin"),
      weekly({"sat 22:00-06:00", "sun 01:15-01:45"}, "America/New_York"),
      weekly({"mon-sun 00:00-01:00", "sun 01:30-02:15"}, "Australia/Lord_Howe"),
      weekly({"thu-sat 09:00-18:00"}, "Pacific/Apia"),
      weekly({"fri,sat 00:00-24:00"}, "Africa/Cairo"),
  };
  for (const WeeklyHours& some : all) {
    const TimeZone place = zone(some.zone);
    for (Time from = utc("2011-12-01"); from < utc("2031-12-01"); from += hours(11)) {
      const auto found = open_periods(some, place, from);
      ASSERT_EQ(found.size(), 2U) << some.to_string() << " from " << to_string(from);
      EXPECT_EQ(is_open(some, place, from), found[0].begin <= from);
      EXPECT_LT(found[0].end, found[1].begin);
      for (const OpenPeriod& period : found) {
        EXPECT_FALSE(is_open(some, place, period.end)) << to_string(period.end);
        EXPECT_TRUE(is_open(some, place, period.end - seconds(1))) << to_string(period.end);
        if (period.begin <= from) continue;
        EXPECT_TRUE(is_open(some, place, period.begin)) << to_string(period.begin);
        EXPECT_FALSE(is_open(some, place, period.begin - seconds(1))) << to_string(period.begin);
      }
    }
  }
}

}  // namespace
}  // namespace sekisho

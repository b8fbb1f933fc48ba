#include "policy/base/time_zone.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <filesystem>
#include <random>
#include <set>
#include <vector>

#include "tests/support/zoneinfo.h"

namespace sekisho {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Time utc(const std::string& text) {
  return parse_time(text).value();
}
LocalTime local(const std::string& text) {
  return LocalTime(utc(text + "Z").time_since_epoch());
}
std::string moments(const char* name, const std::string& shown) {
  const auto [first, last] = zone(name).moments_of(local(shown));
  return to_string(first) + (first == last ? "" : " " + to_string(last));
}

// One name of each zone in this machine's database, without the copies that count leap seconds.
std::vector<std::string> all_names() {
  std::set<std::string> contents;
  std::vector<std::string> names;
  namespace fs = std::filesystem;
  for (auto entry = fs::recursive_directory_iterator(kZoneInfo); entry != fs::end(entry); ++entry) {
    const std::string name = entry->path().string().substr(std::string(kZoneInfo).size());
    if (name == "posix" || name == "right") {
      entry.disable_recursion_pending();
    } else if (const std::string file = entry->is_regular_file() ? zone_file(name) : "";
               file.starts_with("TZif") && contents.insert(file).second) {
      names.push_back(name);
    }
  }
  return names;
}

TEST(TimeZone, KnowsPlacesThatNeverChange) {
  const TimeZone tokyo = zone("Asia/Tokyo");
  EXPECT_EQ(tokyo.offset_at(utc("2026-11-25T00:00:00Z")), hours(9));
  EXPECT_EQ(tokyo.offset_at(utc("9999-12-31T00:00:00Z")), hours(9));
  EXPECT_EQ(moments("Asia/Tokyo", "2026-11-25T09:00:00"), "2026-11-25T00:00:00Z");
  EXPECT_EQ(zone("UTC").offset_at(utc("2026-11-25")), seconds(0));
  EXPECT_EQ(zone("Asia/Kathmandu").offset_at(utc("2026-11-25")), hours(5) + minutes(45));
}

TEST(TimeZone, ClocksThatAreSetForwardShowNothingInBetween) {
  EXPECT_EQ(moments("Europe/Berlin", "2027-03-28T01:59:59"), "2027-03-28T00:59:59Z");
  EXPECT_EQ(moments("Europe/Berlin", "2027-03-28T02:00:00"), "2027-03-28T01:00:00Z");
  EXPECT_EQ(moments("Europe/Berlin", "2027-03-28T02:30:00"), "2027-03-28T01:00:00Z");
  EXPECT_EQ(moments("Europe/Berlin", "2027-03-28T03:00:00"), "2027-03-28T01:00:00Z");
  EXPECT_EQ(moments("America/New_York", "2027-03-14T02:30:00"), "2027-03-14T07:00:00Z");
  // Samoa left out a whole day.
  EXPECT_EQ(moments("Pacific/Apia", "2011-12-30T12:00:00"), "2011-12-30T10:00:00Z");
}

TEST(TimeZone, ClocksThatAreSetBackShowAnHourTwice) {
  EXPECT_EQ(moments("Europe/Berlin", "2027-10-31T01:59:59"), "2027-10-30T23:59:59Z");
  EXPECT_EQ(moments("Europe/Berlin", "2027-10-31T02:30:00"),
            "2027-10-31T00:30:00Z 2027-10-31T01:30:00Z");
  EXPECT_EQ(moments("Europe/Berlin", "2027-10-31T03:00:00"), "2027-10-31T02:00:00Z");
  EXPECT_EQ(moments("America/New_York", "2027-11-07T01:30:00"),
            "2027-11-07T05:30:00Z 2027-11-07T06:30:00Z");
  // Half an hour.
  EXPECT_EQ(moments("Australia/Lord_Howe", "2027-04-04T01:45:00"),
            "2027-04-03T14:45:00Z 2027-04-03T15:15:00Z");
}

TEST(TimeZone, TheRuleHoldsBeyondTheList) {
  EXPECT_EQ(moments("America/New_York", "2060-03-14T02:30:00"), "2060-03-14T07:00:00Z");
  EXPECT_EQ(moments("America/New_York", "2060-07-01T12:00:00"), "2060-07-01T16:00:00Z");
  EXPECT_EQ(zone("Europe/Berlin").offset_at(utc("9999-07-01")), hours(2));
}

// The C library reads the same files: every zone, its changes to the second, and random moments.
TEST(TimeZone, AgreesWithTheCLibraryEverywhere) {
  std::mt19937_64 random(20'261'125);
  const auto names = all_names();
  ASSERT_GT(names.size(), 300U);
  for (const std::string& name : names) {
    const auto zone = TimeZone::parse(zone_file(name));
    ASSERT_TRUE(zone) << name << ": " << to_string(zone.error());
    setenv("TZ", (":" + name).c_str(), 1);
    tzset();
    const auto expected = [](Time time) {
      const time_t moment = time.time_since_epoch().count();
      tm shown{};
      localtime_r(&moment, &shown);
      return seconds(shown.tm_gmtoff);
    };
    // The changes from 1970 to 2069, found by halving the weeks in which the offset changes.
    constexpr auto kWeek = hours(24 * 7);
    for (Time week = utc("1970-01-01"); week < utc("2070-01-01"); week += kWeek) {
      Time from = week;
      Time to = week + kWeek;
      if (expected(from) == expected(to)) continue;
      while (to - from > seconds(1)) {
        const Time middle = from + (to - from) / 2;
        (expected(middle) == expected(from) ? from : to) = middle;
      }
      ASSERT_EQ(zone->offset_at(from), expected(from)) << name << " at " << to_string(from);
      ASSERT_EQ(zone->offset_at(to), expected(to)) << name << " at " << to_string(to);
    }
    for (int i = 0; i < 200; ++i) {
      const Time time(seconds(random() % 8'000'000'000));
      ASSERT_EQ(zone->offset_at(time), expected(time)) << name << " at " << to_string(time);
    }
  }
  unsetenv("TZ");
  tzset();
}

// Whatever clocks show at a moment, that moment is among those at which they show it.
TEST(TimeZone, MomentsAreWhenClocksShowIt) {
  std::mt19937_64 random(20'261'125);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Pacific/Apia", "Africa/Casablanca",
                           "Australia/Lord_Howe", "Asia/Tokyo", "Europe/Dublin"}) {
    const TimeZone place = zone(name);
    for (int i = 0; i < 20'000; ++i) {
      const Time time(seconds(random() % 4'000'000'000));
      const LocalTime shown((time + place.offset_at(time)).time_since_epoch());
      const auto [first, last] = place.moments_of(shown);
      ASSERT_LE(first, time) << name << " at " << to_string(time);
      ASSERT_GE(last, time) << name << " at " << to_string(time);
      for (const Time moment : {first, last}) {
        ASSERT_EQ(moment + place.offset_at(moment), Time(shown.time_since_epoch())) << name;
      }
    }
  }
}

TEST(TimeZone, RefusesWhatIsNoneAndNeverReadsBeyond) {
  const std::string berlin = zone_file("Europe/Berlin");
  for (std::size_t size = 0; size < berlin.size(); ++size) {
    EXPECT_FALSE(TimeZone::parse(std::string_view(berlin).substr(0, size))) << size;
  }
  EXPECT_FALSE(TimeZone::parse("[person.tanaka]"));
  std::string old = berlin;
  old[4] = '\0';
  EXPECT_FALSE(TimeZone::parse(old));
  EXPECT_EQ(TimeZone::parse(zone_file("right/Europe/Berlin")).error().cause, "counts leap seconds");
}

// A byte changed anywhere gives a zone or an error, never anything worse (the sanitizers watch).
TEST(TimeZone, DamagedFilesAreRefusedOrRead) {
  std::mt19937_64 random(20'261'125);
  for (const char* name : {"Europe/Berlin", "Asia/Tokyo", "Africa/Casablanca"}) {
    const std::string whole = zone_file(name);
    for (int i = 0; i < 20'000; ++i) {
      std::string damaged = whole;
      damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
      const auto read = TimeZone::parse(damaged);
      if (!read) continue;
      static_cast<void>(read->offset_at(Time(seconds(random() % 8'000'000'000))));
      static_cast<void>(read->moments_of(LocalTime(seconds(random() % 8'000'000'000))));
    }
  }
}

TEST(TimeZone, RefusesRulesThatMeanNothing) {
  const std::string tokyo = zone_file("Asia/Tokyo");
  const auto with_rule = [&](const std::string& rule) {
    const std::size_t footer = tokyo.rfind('\n', tokyo.size() - 2);
    return TimeZone::parse(tokyo.substr(0, footer + 1) + rule + "\n");
  };
  const Time summer = utc("2050-07-01");
  EXPECT_EQ(with_rule("JST-9").value().offset_at(summer), hours(9));
  EXPECT_EQ(with_rule("<+0330>-3:30").value().offset_at(summer), hours(3) + minutes(30));
  EXPECT_EQ(with_rule("A-1").has_value(), false);
  EXPECT_EQ(with_rule("CET-1CEST,M3.5.0,M10.5.0/3").value().offset_at(summer), hours(2));
  EXPECT_EQ(with_rule("CET-1CEST,J60,J300").value().offset_at(summer), hours(2));
  EXPECT_EQ(with_rule("CET-1CEST,59/-1,299/30").value().offset_at(summer), hours(2));
  EXPECT_EQ(with_rule("XXX3EDT4,0/0,J365/23").value().offset_at(summer), hours(-4));
  for (const char* rule :
       {"CET", "-9", "JST-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J300",
        "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,M3.5.0,M10.5.0,", "CET-1:60", "JST-9999999999",
        "<+09-9"}) {
    EXPECT_FALSE(with_rule(rule)) << rule;
  }
}

}  // namespace
}  // namespace sekisho

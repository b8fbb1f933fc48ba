#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/result.h"
#include "policy/base/time.h"

namespace sekisho {

// What a clock on the wall of some place shows, whole seconds.
using LocalTime = std::chrono::local_seconds;

// The rules of one time zone as a value: the contents of a file of the IANA time zone database
// (TZif, RFC 9636), which whoever may read files hands in.
class TimeZone {
 public:
  // Refuses what is no TZif of version 2 or later, what contradicts itself, and the zones that
  // count leap seconds ("right/...").
  static Result<TimeZone> parse(std::string_view tzif);

  // How far local clocks are ahead of UTC.
  std::chrono::seconds offset_at(Time time) const;

  // When clocks show `local`. Twice where they were set back over it; where they were set forward
  // over it, first and last are both the moment of that change.
  struct Moments {
    Time first;
    Time last;
  };
  Moments moments_of(LocalTime local) const;

  bool operator==(const TimeZone&) const = default;

 private:
  // Clocks run `offset` ahead of UTC from `at` on.
  struct Change {
    Time at;
    std::chrono::seconds offset;
    bool operator==(const Change&) const = default;
  };
  // A day of every year and a time of it: "M3.5.0/2", "J60", "59".
  struct YearlyDate {
    enum class Kind { weekday_of_month, day_without_leap, day_of_year };
    Kind kind = Kind::weekday_of_month;
    std::array<int, 3> numbers{};  // month, week, weekday; or the day
    std::chrono::seconds time{std::chrono::hours(2)};
    LocalTime in(std::chrono::year year) const;
    bool operator==(const YearlyDate&) const = default;
  };
  struct Daylight {
    std::chrono::seconds offset{};
    YearlyDate begins;
    YearlyDate ends;
    bool operator==(const Daylight&) const = default;
  };
  // What holds after the last listed change.
  struct Rule {
    std::chrono::seconds standard{};
    std::optional<Daylight> daylight;
    void append(std::chrono::year year, std::vector<Change>& changes) const;
    bool operator==(const Rule&) const = default;
  };
  class Reader;
  class RuleReader;

  // The offset that holds at `from`, as a change there, and those after it until `to`.
  std::vector<Change> changes(Time from, Time to) const;

  std::chrono::seconds first_offset_{};
  std::vector<Change> changes_;  // sorted
  std::optional<Rule> rule_;
};

// By name: "Asia/Tokyo".
using TimeZones = std::map<std::string, TimeZone, std::less<>>;

}  // namespace sekisho

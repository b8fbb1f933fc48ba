#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/result.h"
#include "policy/base/time_zone.h"

namespace sekisho {

// "mon-fri 09:00-18:00", "sat,sun 22:00-06:00": some days of the week, from a minute to before
// another, which lies in the next day where it comes first. Local time of some zone.
struct DailyHours {
  std::uint8_t days = 0;  // bit 0 Monday to bit 6 Sunday: on which it begins
  std::chrono::minutes begin{};
  std::chrono::minutes end{};  // counted from the same midnight: 30 h is 06:00 of the next day

  std::string to_string() const;
  static Result<DailyHours> parse(std::string_view text);
  auto operator<=>(const DailyHours&) const = default;
};

struct WeeklyHours {
  std::vector<DailyHours> spans;  // sorted
  std::string zone;               // "Asia/Tokyo"
  // "mon-fri 09:00-18:00, Asia/Tokyo"
  std::string to_string() const;
  auto operator<=>(const WeeklyHours&) const = default;
};

// True where no minute of the week is outside.
bool covers_whole_week(const WeeklyHours& hours);

// A time without a break in which it is open.
struct OpenPeriod {
  Time begin;  // included
  Time end;    // excluded
  bool operator==(const OpenPeriod&) const = default;
};

// Where clocks are set back over a beginning it counts from the second time they show it, over an
// end until the first; where they are set forward over either it is the moment of that change. So a
// change of the clocks may shorten what is open and never lengthens it beyond what was written.
bool is_open(const WeeklyHours& hours, const TimeZone& zone, Time at);
// The next two periods that end after `time`, none touching another. Fewer only where the hours
// name no day.
std::vector<OpenPeriod> open_periods(const WeeklyHours& hours, const TimeZone& zone, Time time);

}  // namespace sekisho

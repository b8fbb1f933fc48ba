#include "policy/model/hours.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "policy/base/text.h"

namespace sekisho {
namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr minutes kDay{24 * 60};
constexpr unsigned kDaysOfWeek = 7;
constexpr std::array<std::string_view, kDaysOfWeek> kNames{"mon", "tue", "wed", "thu",
                                                           "fri", "sat", "sun"};

std::optional<unsigned> parse_day(std::string_view text) {
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<unsigned>(found - kNames.begin());
}

// "mon-fri", "sat-mon", "mon,wed,fri-sun"
std::optional<std::uint8_t> parse_days(std::string_view text) {
  std::uint8_t result = 0;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const std::size_t dash = item.find('-');
    const auto first = parse_day(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_day(item.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    for (unsigned day = *first;; day = (day + 1) % kDaysOfWeek) {
      result = static_cast<std::uint8_t>(result | 1U << day);
      if (day == *last) break;
    }
    if (comma == std::string_view::npos) return result;
    text.remove_prefix(comma + 1);
  }
}

std::string days_text(std::uint8_t set) {
  std::string text;
  for (unsigned day = 0; day < kDaysOfWeek; ++day) {
    if ((set >> day & 1) == 0) continue;
    unsigned last = day;
    while (last + 1 < kDaysOfWeek && (set >> (last + 1) & 1) != 0) ++last;
    if (!text.empty()) text += ',';
    text += kNames[day];
    if (last > day) text += (last == day + 1 ? "," : "-") + std::string(kNames[last]);
    day = last;
  }
  return text;
}

// "09:00"; "24:00" is the end of a day.
std::optional<minutes> parse_clock(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  if (!digit(0) || !digit(1) || !digit(3) || !digit(4)) return std::nullopt;
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  const minutes time{hour * 60 + minute};
  if (minute > 59 || time > kDay) return std::nullopt;
  return time;
}

std::string clock_text(minutes time) {
  if (time > kDay) time -= kDay;
  return fmt::format("{:02}:{:02}", time.count() / 60, time.count() % 60);
}

std::optional<DailyHours> parse_span(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto on = parse_days(text.substr(0, space));
  const std::string_view clocks = text.substr(space + 1);
  const std::size_t dash = clocks.find('-');
  if (!on || dash == std::string_view::npos) return std::nullopt;
  const auto begin = parse_clock(clocks.substr(0, dash));
  auto end = parse_clock(clocks.substr(dash + 1));
  // A span that ends as it begins is nothing to one reader and a whole day to another.
  if (!begin || !end || *begin == *end || *begin == kDay) return std::nullopt;
  if (*end == minutes(0)) end = kDay;
  if (*end < *begin) *end += kDay;
  return DailyHours{*on, *begin, *end};
}

// What `span` opens on the local day `day`; nothing where a change of the clocks leaves nothing.
std::optional<OpenPeriod> period_on(const DailyHours& span, const TimeZone& zone,
                                    std::chrono::local_days day) {
  const unsigned weekday = std::chrono::weekday(day).iso_encoding() - 1;
  if ((span.days >> weekday & 1) == 0) return std::nullopt;
  const OpenPeriod period{.begin = zone.moments_of(day + span.begin).last,
                          .end = zone.moments_of(day + span.end).first};
  return period.begin < period.end ? std::optional(period) : std::nullopt;
}

std::chrono::local_days local_day(const TimeZone& zone, Time time) {
  return std::chrono::floor<days>(LocalTime((time + zone.offset_at(time)).time_since_epoch()));
}

// What opens on the local days from `before` days before that of `time` to `after` days after it.
// A period reaches into the next day, and a change of the clocks may move either end by a day.
std::vector<OpenPeriod> around(const WeeklyHours& hours, const TimeZone& zone, Time time,
                               int before, int after) {
  std::vector<OpenPeriod> all;
  const auto today = local_day(zone, time);
  for (auto day = today - days(before); day <= today + days(after); day += days(1)) {
    for (const DailyHours& span : hours.spans) {
      if (const auto period = period_on(span, zone, day)) all.push_back(*period);
    }
  }
  return all;
}

}  // namespace

std::string DailyHours::to_string() const {
  return days_text(days) + ' ' + clock_text(begin) + '-' + clock_text(end);
}

Result<DailyHours> DailyHours::parse(std::string_view text) {
  if (const auto span = parse_span(text)) return *span;
  return fail(ErrorCode::invalid, "hours", quote(text) + " are no hours of the week",
              "write \"mon-fri 09:00-18:00\" or \"sat,sun 22:00-06:00\"");
}

std::string WeeklyHours::to_string() const {
  std::string text;
  for (const DailyHours& span : spans) text += span.to_string() + ", ";
  return text + zone;
}

bool covers_whole_week(const WeeklyHours& hours) {
  constexpr auto kMinutes = static_cast<std::size_t>(kDaysOfWeek * kDay.count());
  std::vector<bool> open(kMinutes);
  for (const DailyHours& span : hours.spans) {
    for (unsigned day = 0; day < kDaysOfWeek; ++day) {
      if ((span.days >> day & 1) == 0) continue;
      const auto midnight = static_cast<std::int64_t>(day) * kDay.count();
      for (auto at = midnight + span.begin.count(); at < midnight + span.end.count(); ++at) {
        open[static_cast<std::size_t>(at) % kMinutes] = true;
      }
    }
  }
  return std::ranges::count(open, false) == 0;
}

bool is_open(const WeeklyHours& hours, const TimeZone& zone, Time at) {
  return std::ranges::any_of(around(hours, zone, at, 2, 1), [&](const OpenPeriod& period) {
    return period.begin <= at && at < period.end;
  });
}

std::vector<OpenPeriod> open_periods(const WeeklyHours& hours, const TimeZone& zone, Time time) {
  // What is not the whole week is closed once a week; what is open once a week may be swallowed by
  // a change of the clocks now and then.
  constexpr int kDaysBefore = 2;
  constexpr int kDaysAhead = 31;
  auto all = around(hours, zone, time, kDaysBefore, kDaysAhead);
  std::ranges::sort(all, {}, &OpenPeriod::begin);
  std::vector<OpenPeriod> merged;
  for (const OpenPeriod& period : all) {
    if (!merged.empty() && period.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, period.end);
    } else {
      merged.push_back(period);
    }
  }
  std::erase_if(merged, [&](const OpenPeriod& period) { return period.end <= time; });
  if (merged.size() > 2) merged.resize(2);
  return merged;
}

}  // namespace sekisho

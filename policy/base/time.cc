#include "policy/base/time.h"

#include <algorithm>
#include <optional>

#include "policy/base/text.h"

namespace sekisho {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// The number that `count` digits at `at` write; nothing where there are other characters.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<Time> parse_date(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// "Z" or "+09:00": how far local time is ahead of UTC.
std::optional<seconds> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return seconds(0);
  const auto hour = digits(text, 1, 2);
  const auto minute = digits(text, 4, 2);
  if (text.size() != 6 || !hour || !minute || *hour > 23 || *minute > 59 || text[3] != ':') {
    return std::nullopt;
  }
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  const seconds ahead = hours(*hour) + minutes(*minute);
  return text[0] == '+' ? ahead : -ahead;
}

std::optional<Time> parse_strictly(std::string_view text) {
  const auto date = parse_date(text);
  if (!date || text.size() == 10) return date;
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!hour || !minute || !second || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':' || *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  const auto offset = parse_offset(text.substr(19));
  if (!offset) return std::nullopt;
  return *date + hours(*hour) + minutes(*minute) + seconds(*second) - *offset;
}

}  // namespace

Result<Time> parse_time(std::string_view text) {
  constexpr Time kFirst{};
  constexpr Time kAfterLast = std::chrono::sys_days(std::chrono::year(10000) / 1 / 1);
  const auto time = parse_strictly(text);
  if (!time || *time < kFirst || *time >= kAfterLast) {
    return fail(ErrorCode::invalid, "time",
                quote(text) + " is not a date or a time from 1970 to 9999",
                "write 2026-11-22 or 2026-11-22T18:00:00+09:00");
  }
  return *time;
}

std::string to_string(Time time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  const auto padded = [](auto number, std::size_t width) {
    const std::string text = std::to_string(number);
    return std::string(width - std::min(width, text.size()), '0') + text;
  };
  return padded(static_cast<int>(date.year()), 4) + '-' +
         padded(static_cast<unsigned>(date.month()), 2) + '-' +
         padded(static_cast<unsigned>(date.day()), 2) + 'T' + padded(clock.hours().count(), 2) +
         ':' + padded(clock.minutes().count(), 2) + ':' + padded(clock.seconds().count(), 2) + 'Z';
}

std::optional<Time> earlier(const std::optional<Time>& a, const std::optional<Time>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace sekisho

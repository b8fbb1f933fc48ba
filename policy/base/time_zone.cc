#include "policy/base/time_zone.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "policy/base/text.h"

namespace sekisho {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Beyond every real offset from UTC (-12:14 to +15:13 in all of the database).
constexpr seconds kLargestOffset = hours(26);
// Transitions of distant centuries say nothing here, and would overflow what is reckoned from them.
constexpr std::int64_t kFarthest = std::int64_t{1} << 40;

std::unexpected<Error> unreadable(std::string cause) {
  return fail(ErrorCode::invalid, "time zone", std::move(cause),
              "install Debian's package tzdata anew");
}

std::chrono::year year_of(Time time) {
  return std::chrono::year_month_day(std::chrono::floor<days>(time)).year();
}

}  // namespace

// ---- the file (RFC 9636 section 3) ----

class TimeZone::Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  Result<TimeZone> read();

 private:
  // How many of each; the header's order.
  struct Counts {
    std::size_t ut, standard, leap, changes, types, letters;
  };
  std::optional<std::string_view> take(std::size_t count) {
    if (left_.size() < count) return std::nullopt;
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  static std::int64_t number(std::string_view bytes) {
    std::uint64_t value = static_cast<unsigned char>(bytes.front()) >= 0x80 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(value);
  }
  std::optional<Counts> header();
  static std::size_t size_of(const Counts& counts, std::size_t time_bytes) {
    return counts.changes * (time_bytes + 1) + counts.types * 6 + counts.letters +
           counts.leap * (time_bytes + 4) + counts.standard + counts.ut;
  }

  std::string_view left_;
};

// "NAME[-]HH[:MM[:SS]][NAME[offset][,date[/time],date[/time]]]" (POSIX TZ, with RFC 9636's times of
// -167 to 167 hours).
class TimeZone::RuleReader {
 public:
  explicit RuleReader(std::string_view text) : left_(text) {}

  std::optional<Rule> read() {
    Rule rule;
    if (!name()) return std::nullopt;
    const auto west = clock(24);
    if (!west) return std::nullopt;
    rule.standard = -*west;
    if (left_.empty()) return rule;
    Daylight daylight{.offset = rule.standard + hours(1), .begins = {}, .ends = {}};
    if (!name()) return std::nullopt;
    if (!left_.starts_with(',')) {
      const auto summer = clock(24);
      if (!summer) return std::nullopt;
      daylight.offset = -*summer;
    }
    const auto begins = date();
    const auto ends = date();
    if (!begins || !ends || !left_.empty()) return std::nullopt;
    daylight.begins = *begins;
    daylight.ends = *ends;
    rule.daylight = daylight;
    return rule;
  }

 private:
  bool skip(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  bool name() {
    if (skip('<')) {
      const std::size_t end = left_.find('>');
      if (end == std::string_view::npos) return false;
      left_.remove_prefix(end + 1);
      return true;
    }
    const std::size_t end = std::min(left_.find_first_of("0123456789+-,"), left_.size());
    left_.remove_prefix(end);
    return end >= 3;
  }
  std::optional<int> number(int most) {
    int value = 0;
    std::size_t digits = 0;
    while (!left_.empty() && left_.front() >= '0' && left_.front() <= '9' && ++digits <= 3) {
      value = value * 10 + (left_.front() - '0');
      left_.remove_prefix(1);
    }
    if (digits == 0 || digits > 3 || value > most) return std::nullopt;
    return value;
  }
  std::optional<seconds> clock(int most_hours) {
    const bool negative = skip('-');
    if (!negative) skip('+');
    const auto hour = number(most_hours);
    if (!hour) return std::nullopt;
    seconds time = hours(*hour);
    for (const seconds unit : {seconds(minutes(1)), seconds(1)}) {
      if (!skip(':')) break;
      const auto part = number(59);
      if (!part) return std::nullopt;
      time += *part * unit;
    }
    return negative ? -time : time;
  }
  std::optional<YearlyDate> date() {
    if (!skip(',')) return std::nullopt;
    YearlyDate date;
    if (skip('M')) {
      const auto month = number(12);
      const auto week = skip('.') ? number(5) : std::nullopt;
      const auto weekday = skip('.') ? number(6) : std::nullopt;
      if (!month || !week || !weekday || *month == 0 || *week == 0) return std::nullopt;
      date.numbers = {*month, *week, *weekday};
    } else {
      const bool without_leap = skip('J');
      const auto day = number(365);
      if (!day || (without_leap && *day == 0)) return std::nullopt;
      date.kind = without_leap ? YearlyDate::Kind::day_without_leap : YearlyDate::Kind::day_of_year;
      date.numbers = {*day, 0, 0};
    }
    if (skip('/')) {
      const auto time = clock(167);
      if (!time) return std::nullopt;
      date.time = *time;
    }
    return date;
  }

  std::string_view left_;
};

std::optional<TimeZone::Reader::Counts> TimeZone::Reader::header() {
  const auto bytes = take(44);
  if (!bytes || !bytes->starts_with("TZif") || (*bytes)[4] < '2') return std::nullopt;
  std::array<std::size_t, 6> counts{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    counts[i] = static_cast<std::size_t>(number(bytes->substr(20 + 4 * i, 4)) & 0xffffffff);
    if (counts[i] > 100'000) return std::nullopt;
  }
  return Counts{counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]};
}

Result<TimeZone> TimeZone::Reader::read() {
  const auto old = header();
  if (!old) return unreadable("is no TZif file of version 2 or later");
  if (!take(size_of(*old, 4))) return unreadable("the file is cut short");
  const auto counts = header();
  if (!counts || left_.size() < size_of(*counts, 8)) return unreadable("the file is cut short");
  if (counts->leap != 0) return unreadable("counts leap seconds");
  if (counts->types == 0) return unreadable("has no kinds of local time");
  const std::string_view times = *take(counts->changes * 8);
  const std::string_view indexes = *take(counts->changes);
  const std::string_view types = *take(counts->types * 6);
  take(counts->letters + counts->standard + counts->ut);

  std::vector<seconds> offsets;
  for (std::size_t i = 0; i < counts->types; ++i) {
    offsets.emplace_back(number(types.substr(i * 6, 4)));
    if (offsets.back() < -kLargestOffset || offsets.back() > kLargestOffset) {
      return unreadable("has an impossible offset from UTC");
    }
  }
  TimeZone zone;
  zone.first_offset_ = offsets.front();
  for (std::size_t i = 0; i < counts->changes; ++i) {
    const std::int64_t at = number(times.substr(i * 8, 8));
    const auto type = static_cast<unsigned char>(indexes[i]);
    if (type >= offsets.size()) return unreadable("a change leads to no kind of local time");
    if (at < -kFarthest || at > kFarthest) continue;
    const Time time{seconds(at)};
    if (!zone.changes_.empty() && zone.changes_.back().at >= time) {
      return unreadable("its changes are not in order");
    }
    zone.changes_.push_back({time, offsets[type]});
  }
  const std::size_t end = left_.size() > 1 ? left_.find('\n', 1) : std::string_view::npos;
  if (!left_.starts_with('\n') || end == std::string_view::npos) {
    return unreadable("the file is cut short");
  }
  const std::string_view footer = left_.substr(1, end - 1);
  if (footer.empty()) return zone;
  zone.rule_ = RuleReader(footer).read();
  if (!zone.rule_)
    return unreadable("its rule for the future, " + quote(footer) + ", means nothing");
  return zone;
}

Result<TimeZone> TimeZone::parse(std::string_view tzif) {
  return Reader(tzif).read();
}

// ---- what clocks show ----

LocalTime TimeZone::YearlyDate::in(std::chrono::year year) const {
  using std::chrono::local_days;
  const local_days first(year / 1 / 1);
  if (kind == Kind::day_of_year) return first + days(numbers[0]) + time;
  if (kind == Kind::day_without_leap) {
    constexpr int kLastOfFebruary = 59;
    const int leap = year.is_leap() && numbers[0] > kLastOfFebruary ? 1 : 0;
    return first + days(numbers[0] - 1 + leap) + time;
  }
  const auto month = year / std::chrono::month(static_cast<unsigned>(numbers[0]));
  const std::chrono::weekday weekday(static_cast<unsigned>(numbers[2]));
  constexpr int kLastWeek = 5;
  const local_days day = numbers[1] == kLastWeek
                             ? local_days(month / weekday[std::chrono::last])
                             : local_days(month / weekday[static_cast<unsigned>(numbers[1])]);
  return day + time;
}

// A year's changes. Where summer ends as the next begins (all year long), the beginning counts: it
// comes later in the list.
void TimeZone::Rule::append(std::chrono::year year, std::vector<Change>& changes) const {
  const auto begins = daylight->begins.in(year).time_since_epoch() - standard;
  const auto ends = daylight->ends.in(year).time_since_epoch() - daylight->offset;
  changes.push_back({Time(ends), standard});
  changes.push_back({Time(begins), daylight->offset});
}

std::vector<TimeZone::Change> TimeZone::changes(Time from, Time to) const {
  std::vector<Change> all;
  const auto listed = std::ranges::upper_bound(changes_, from, {}, &Change::at);
  all.push_back({from, listed == changes_.begin() ? first_offset_ : std::prev(listed)->offset});
  std::copy_if(listed, changes_.end(), std::back_inserter(all),
               [&](const Change& change) { return change.at <= to; });
  if (!rule_) return all;
  std::vector<Change> ruled;
  if (rule_->daylight) {
    for (auto year = year_of(from) - std::chrono::years(2); year <= year_of(to); ++year) {
      rule_->append(year, ruled);
    }
    rule_->append(year_of(to) + std::chrono::years(1), ruled);
    std::ranges::stable_sort(ruled, {}, &Change::at);
  } else {
    ruled.push_back({changes_.empty() ? from : changes_.back().at, rule_->standard});
  }
  for (const Change& change : ruled) {
    if (!changes_.empty() && change.at < changes_.back().at) continue;
    if (change.at <= from) {
      all.front().offset = change.offset;
    } else if (change.at <= to) {
      all.push_back(change);
    }
  }
  return all;
}

seconds TimeZone::offset_at(Time time) const {
  return changes(time, time).back().offset;
}

TimeZone::Moments TimeZone::moments_of(LocalTime local) const {
  const Time shown{local.time_since_epoch()};  // as if it were UTC
  const auto around = changes(shown - 2 * kLargestOffset, shown + 2 * kLargestOffset);
  std::optional<Moments> found;
  std::optional<Time> jump;
  for (std::size_t i = 0; i < around.size(); ++i) {
    const Time moment = shown - around[i].offset;
    const bool before_end = i + 1 == around.size() || moment < around[i + 1].at;
    if (moment >= around[i].at && before_end) {
      found = Moments{found ? found->first : moment, moment};
    }
    // Clocks were behind `local` before this change and are past it after.
    if (i > 0 && !jump && moment < around[i].at && shown - around[i - 1].offset >= around[i].at) {
      jump = around[i].at;
    }
  }
  if (found) return *found;
  // No change around hides `local` unless it jumped over it.
  return {jump.value_or(shown), jump.value_or(shown)};
}

}  // namespace sekisho

#include <cstdint>
#include <string_view>

#include "policy/base/text.h"
#include "policy/model/hours.h"
#include "tests/fuzz/document_check.h"

// Whatever stands in a zone's file is refused or is a zone: moments and offsets fit together, and
// what is open says so of itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sekisho;
  using std::chrono::seconds;
  const auto zone = TimeZone::parse({reinterpret_cast<const char*>(data), size});
  if (!zone) {
    check_messages({zone.error()});
    return 0;
  }
  const WeeklyHours office{.spans = {DailyHours::parse("mon-fri 09:00-18:00").value(),
                                     DailyHours::parse("sat,sun 22:00-06:00").value()},
                           .zone = "UTC"};
  for (const std::int64_t at : {0LL, 1'000'000'000LL, 1'800'000'000LL, 4'000'000'000LL}) {
    const Time time{seconds(at)};
    const LocalTime shown((time + zone->offset_at(time)).time_since_epoch());
    const auto [first, last] = zone->moments_of(shown);
    require(first <= time && time <= last);
    for (const OpenPeriod& period : open_periods(office, *zone, time)) {
      require(period.begin < period.end && time < period.end);
      require(!is_open(office, *zone, period.end));
      require(is_open(office, *zone, period.end - seconds(1)));
    }
  }
  return 0;
}

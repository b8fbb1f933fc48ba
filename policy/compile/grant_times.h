#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "policy/base/time_zone.h"
#include "policy/model/policy.h"

namespace sekisho {

// When grants open: their beginning and end, their hours, their further conditions.
class GrantTimes {
 public:
  // `zones` outlives this, and has those that the grants name.
  GrantTimes(const TimeZones& zones, Time now) : zones_(zones), now_(now) {}

  struct Stretch {
    bool open = false;             // now
    std::optional<Time> end;       // where open: the first second without the right; none: never
    std::optional<Time> opens_at;  // the next time that it opens
  };
  Stretch of(const Grant& grant);
  Time now() const { return now_; }

 private:
  const std::vector<OpenPeriod>& periods_after(const WeeklyHours& hours, Time time);

  const TimeZones& zones_;
  Time now_;
  // Most grants share their hours with many.
  std::map<std::pair<WeeklyHours, Time>, std::vector<OpenPeriod>> known_;
};

}  // namespace sekisho

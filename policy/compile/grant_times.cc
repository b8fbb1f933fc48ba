#include "policy/compile/grant_times.h"

#include <algorithm>

namespace sekisho {

GrantTimes::Stretch GrantTimes::of(const Grant& grant) {
  Stretch stretch;
  // Until people can sign in, what asks for a fresh sign-in opens nothing.
  if (grant.conditions.session) return stretch;
  const Time from = grant.from ? std::max(*grant.from, now_) : now_;
  if (grant.until && *grant.until <= from) return stretch;
  if (!grant.conditions.hours) {
    stretch.open = from == now_;
    if (stretch.open)
      stretch.end = grant.until;
    else
      stretch.opens_at = from;
    return stretch;
  }
  for (const OpenPeriod& period : periods_after(*grant.conditions.hours, from)) {
    const Time begin = std::max(period.begin, from);
    if (grant.until && *grant.until <= begin) break;
    if (begin > now_) {
      stretch.opens_at = begin;
      break;
    }
    stretch.open = true;
    stretch.end = grant.until ? std::min(period.end, *grant.until) : period.end;
  }
  return stretch;
}

const std::vector<OpenPeriod>& GrantTimes::periods_after(const WeeklyHours& hours, Time time) {
  const auto [entry, fresh] = known_.try_emplace({hours, time});
  if (fresh) entry->second = open_periods(hours, zones_.find(hours.zone)->second, time);
  return entry->second;
}

}  // namespace sekisho

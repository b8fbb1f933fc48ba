#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "policy/base/result.h"

namespace sekisho {

// Wall clock, whole seconds, UTC. Grants begin and end on the second.
using Time = std::chrono::sys_seconds;

// RFC 3339 with any offset ("2026-11-22T18:00:00+09:00"), or a date alone ("2026-11-22": its first
// second, UTC). Years 1970 to 9999; no leap seconds, no fractions.
Result<Time> parse_time(std::string_view text);
// "2026-11-22T09:00:00Z"
std::string to_string(Time time);

// The earlier of the two; where one is not there, the other.
std::optional<Time> earlier(const std::optional<Time>& a, const std::optional<Time>& b);

}  // namespace sekisho

#pragma once

#include <filesystem>

#include "policy/base/time_zone.h"

namespace sekisho::daemon {

inline constexpr const char* kZoneInfo = "/usr/share/zoneinfo";

// The time zone database of this box. What cannot be read is logged and left out: grants cannot
// name it then.
TimeZones load_time_zones(const std::filesystem::path& folder = kZoneInfo);

}  // namespace sekisho::daemon

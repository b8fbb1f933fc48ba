#pragma once

#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>

#include "policy/base/time_zone.h"

namespace sekisho {

inline constexpr const char* kZoneInfo = "/usr/share/zoneinfo/";

inline std::string zone_file(const std::string& name) {
  std::ifstream file(kZoneInfo + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// As this machine's time zone database has it.
inline TimeZone zone(const std::string& name) {
  return TimeZone::parse(zone_file(name)).value();
}

inline TimeZones zones(std::initializer_list<const char*> names = {"Asia/Tokyo", "Europe/Berlin",
                                                                   "America/New_York", "UTC"}) {
  TimeZones result;
  for (const char* name : names) result.emplace(name, zone(name));
  return result;
}

}  // namespace sekisho

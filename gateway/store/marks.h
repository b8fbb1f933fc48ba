#pragma once

#include <string_view>

#include "gateway/store/database.h"
#include "policy/base/time.h"

// Numbers that only ever grow; a trigger holds it.
namespace sekisho::store {

inline constexpr std::string_view kNextAtom = "next_atom";
inline constexpr std::string_view kNewestTime = "newest_time";  // seconds since 1970

Result<std::int64_t> read_mark(Database& database, std::string_view name);
// Leaves it where `value` is lower.
Result<void> raise_mark(Database& database, std::string_view name, std::int64_t value);

inline std::int64_t to_seconds(Time time) {
  return time.time_since_epoch().count();
}
inline Time to_time(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

}  // namespace sekisho::store

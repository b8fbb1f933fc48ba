#include "gateway/daemon/zones.h"

#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>

#include "gateway/daemon/log.h"

namespace sekisho::daemon {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 1 << 20;

// Copies of the whole database, one of them with leap seconds, and what is no name of a place.
bool is_no_place(const fs::path& name) {
  return name == "posix" || name == "right" || name == "posixrules" || name == "localtime";
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TimeZones load_time_zones(const fs::path& folder) {
  TimeZones zones;
  std::error_code error;
  auto entry = fs::recursive_directory_iterator(folder, error);
  for (; !error && entry != fs::end(entry); entry.increment(error)) {
    const fs::path name = entry->path().lexically_relative(folder);
    if (is_no_place(name)) {
      entry.disable_recursion_pending();
      continue;
    }
    std::error_code unreadable;
    if (!entry->is_regular_file(unreadable) || entry->file_size(unreadable) > kLargestFile)
      continue;
    const std::string bytes = read(entry->path());
    if (!bytes.starts_with("TZif")) continue;  // lists of zones lie beside them
    auto zone = TimeZone::parse(bytes);
    if (zone)
      zones.emplace(name.string(), *std::move(zone));
    else
      log(Severity::warning, entry->path().string() + ": " + to_string(zone.error()));
  }
  if (zones.empty()) {
    log(Severity::warning,
        "no time zones in " + folder.string() + (error ? ": " + error.message() : "") +
            "; no grant can have hours until Debian's package tzdata is installed");
  }
  return zones;
}

}  // namespace sekisho::daemon

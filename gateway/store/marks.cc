#include "gateway/store/marks.h"

#include <string>

#include "gateway/store/store.h"

namespace sekisho::store {

Result<std::int64_t> read_mark(Database& database, std::string_view name) {
  Statement read(database, "SELECT value FROM marks WHERE name = ?", name);
  const auto row = read.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(database.damaged("it has no mark " + std::string(name)));
  return read.integer(0);
}

Result<void> raise_mark(Database& database, std::string_view name, std::int64_t value) {
  return Statement(database, "UPDATE marks SET value = ?2 WHERE name = ?1 AND value < ?2", name,
                   value)
      .run();
}

Result<Time> Store::newest_time() {
  const auto seconds = read_mark(*database_, kNewestTime);
  if (!seconds) return std::unexpected(seconds.error());
  return to_time(*seconds);
}

}  // namespace sekisho::store

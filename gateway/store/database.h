#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "policy/base/result.h"

// SQLite with the errors as values. No other header of the folder's users sees it.
namespace sekisho::store {

// An open database file, and the lock (a file descriptor, closed at the end) that makes it ours.
class Database {
 public:
  // The file must exist. Waits up to kBusyMs for others that hold it (an admin's sqlite3).
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& file, int lock);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Any number of statements without values.
  Result<void> execute(const std::string& sql);
  // All that `body` writes, or nothing of it.
  template <class Body>
  Result<void> transaction(const Body& body);

  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_); }
  int changes() const { return sqlite3_changes(handle_); }

  const std::string& file() const { return file_; }
  // What to tell about a result code of SQLite, and about contents that cannot be.
  Error error(int code) const;
  // Whether the last error told was that of a full disk.
  bool was_full() const { return was_full_; }
  Error damaged(std::string what) const;

 private:
  friend class Statement;
  static constexpr int kBusyMs = 2000;

  Database(const std::filesystem::path& file, int lock) : file_(file.string()), lock_(lock) {}
  Result<void> commit(Result<void> done);

  std::string file_;
  mutable bool was_full_ = false;
  int lock_;
  sqlite3* handle_ = nullptr;
};

// One statement with its values, bound in order. What fails while it is prepared or bound is told
// by the first step.
class Statement {
 public:
  template <class... Values>
  Statement(Database& database, std::string_view sql, const Values&... values)
      : Statement(database, sql, std::in_place) {
    (bind(values), ...);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // True where there is a row to read.
  Result<bool> step();
  // To the end, rows not looked at.
  Result<void> run();
  // `row` is called on this statement for each row, gives Result<void>, and ends the reading by an
  // error.
  template <class Row>
  Result<void> each(Row row);

  // Column of the present row, from 0.
  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) const;
  // Valid until the next step.
  std::span<const std::uint8_t> blob(int column) const;
  bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  Statement(Database& database, std::string_view sql, std::in_place_t);
  void bind(std::int64_t value);
  void bind(std::string_view value);
  void bind(const std::string& value) { bind(std::string_view(value)); }
  void bind(const std::optional<std::string>& value);  // NULL where there is none
  void bind(std::span<const std::uint8_t> value);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  int failed_ = SQLITE_OK;
};

// Values for "WHERE number < ?" (with none: all) and "LIMIT ?".
template <class Number>
std::int64_t below(Number before) {
  return before ? static_cast<std::int64_t>(before.value())
                : std::numeric_limits<std::int64_t>::max();
}
inline std::int64_t at_most(std::size_t limit) {
  return static_cast<std::int64_t>(
      std::min(limit, std::size_t{std::numeric_limits<std::int32_t>::max()}));
}

// For a step of a transaction whose value nobody needs.
template <class T>
Result<void> drop_value(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

template <class Body>
Result<void> Database::transaction(const Body& body) {
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  return commit(body());
}

template <class Row>
Result<void> Statement::each(Row row) {
  for (;;) {
    const auto found = step();
    if (!found) return std::unexpected(found.error());
    if (!*found) return {};
    if (auto read = row(); !read) return read;
  }
}

}  // namespace sekisho::store

#include "gateway/store/database.h"

#include <unistd.h>

#include <cstring>
#include <limits>
#include <utility>

namespace sekisho::store {

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file, int lock) {
  std::unique_ptr<Database> database(new Database(file, lock));
  // Without SQLITE_OPEN_CREATE: a state that vanished must be noticed, not begun anew.
  const int code = sqlite3_open_v2(file.c_str(), &database->handle_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return std::unexpected(database->error(code));
  sqlite3_extended_result_codes(database->handle_, 1);
  sqlite3_busy_timeout(database->handle_, kBusyMs);
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (auto set = database->execute("PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                                   "PRAGMA cell_size_check=ON");
      !set) {
    return std::unexpected(set.error());
  }
  return database;
}

Database::~Database() {
  sqlite3_close_v2(handle_);
  if (lock_ >= 0) close(lock_);
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error(code));
  return {};
}

Result<void> Database::commit(Result<void> done) {
  if (done) done = execute("COMMIT");
  // Some failures have rolled back already; asking again would only hide the first error.
  if (!done && sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  return done;
}

Error Database::error(int code) const {
  const int system = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
  const std::string detail = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
  const std::string reason = system == 0 ? detail : detail + ": " + std::strerror(system);
  Error error{.object = file_, .cause = reason};
  was_full_ = (code & 0xff) == SQLITE_FULL;
  switch (code & 0xff) {
    case SQLITE_FULL:
      error.cause = "the disk is full (" + detail + "); nothing was written";
      error.advice = "free space on the file system that holds it, then try again";
      break;
    case SQLITE_READONLY:
      error.cause = "cannot be written to (" + reason + "); nothing was written";
      error.advice =
          "check that its file system is mounted writable and that the file is the daemon's";
      break;
    case SQLITE_IOERR:
      error.cause = "input/output error (" + reason + "); nothing was written";
      error.advice = "look for disk errors in the kernel's log";
      break;
    case SQLITE_BUSY:
      error.cause = "another program holds it (" + detail + "); nothing was written";
      error.advice = "end the program that has the file open (fuser names it), then try again";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damaged(detail);
    default:
      break;
  }
  return error;
}

Error Database::damaged(std::string what) const {
  return {.object = file_,
          .cause = "is damaged: " + std::move(what),
          .advice = "keep the file, and restore the state from a backup"};
}

Statement::Statement(Database& database, std::string_view sql, std::in_place_t)
    : database_(database),
      failed_(sqlite3_prepare_v2(database.handle_, sql.data(), static_cast<int>(sql.size()),
                                 &statement_, nullptr)) {}

void Statement::bind(std::int64_t value) {
  if (failed_ == SQLITE_OK) failed_ = sqlite3_bind_int64(statement_, ++bound_, value);
}

// SQLITE_STATIC: the caller's values live until the statement ends.
void Statement::bind(std::string_view value) {
  const char* data = value.empty() ? "" : value.data();
  if (failed_ == SQLITE_OK) {
    failed_ =
        sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
}

void Statement::bind(const std::optional<std::string>& value) {
  if (value) return bind(std::string_view(*value));
  ++bound_;
}

void Statement::bind(std::span<const std::uint8_t> value) {
  if (failed_ == SQLITE_OK) {
    failed_ = sqlite3_bind_blob64(statement_, ++bound_, value.data(), value.size(), SQLITE_STATIC);
  }
}

Result<bool> Statement::step() {
  if (failed_ == SQLITE_OK) {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    failed_ = code;
  }
  return std::unexpected(database_.error(failed_));
}

Result<void> Statement::run() {
  return each([] { return Result<void>{}; });
}

std::string Statement::text(int column) const {
  const auto bytes = blob(column);
  return {bytes.begin(), bytes.end()};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::span<const std::uint8_t>{}
                         : std::span(data, static_cast<std::size_t>(size));
}

}  // namespace sekisho::store

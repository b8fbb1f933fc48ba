#include "gateway/store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "gateway/store/database.h"
#include "gateway/store/operations.h"
#include "gateway/store/revisions.h"
#include "gateway/store/schema.h"

namespace sekisho::store {
namespace {

constexpr const char* kFile = "state.db";
constexpr const char* kReserve = "reserve";
constexpr const char* kFileInTheMaking = "state.db.new";

class FileDescriptor {
 public:
  explicit FileDescriptor(int value) : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&&) = delete;
  ~FileDescriptor() {
    if (value_ >= 0) close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

std::unexpected<Error> system_failure(const std::filesystem::path& object,
                                      const std::string& what) {
  return fail(ErrorCode::failed, object.string(), what + ": " + std::strerror(errno),
              "check the path, its owner and its file system");
}

// The directory, open, ours, closed to others' writes, and locked.
Result<FileDescriptor> hold_directory(const std::filesystem::path& directory) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_failure(directory, "cannot be made");
  }
  FileDescriptor held(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status{};
  if (held.get() < 0 || fstat(held.get(), &status) != 0) {
    return system_failure(directory, "cannot be opened");
  }
  if (status.st_uid != geteuid()) {
    return fail(ErrorCode::failed, directory.string(),
                "belongs to uid " + std::to_string(status.st_uid) + ", not to uid " +
                    std::to_string(geteuid()) + " that runs this program",
                "run the program as its owner, or chown the directory");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(ErrorCode::failed, directory.string(), "can be written to by others",
                "chmod 0700 it, after looking what was put there");
  }
  if (flock(held.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_failure(directory, "cannot be locked");
    return fail(ErrorCode::conflict, directory.string(), "another sekishod is using this state",
                "stop that one first; one state serves one daemon");
  }
  return held;
}

// Made aside and renamed when it is whole, so that state.db is never half made; one that is empty
// was damaged later, and is not begun anew.
Result<void> make_database(const std::filesystem::path& directory, int directory_descriptor) {
  const auto file = directory / kFileInTheMaking;
  for (const char* leftover : {"", "-journal"}) {
    const auto name = file.string() + leftover;
    if (unlink(name.c_str()) != 0 && errno != ENOENT)
      return system_failure(name, "cannot be removed");
  }
  {
    const FileDescriptor made(open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (made.get() < 0) return system_failure(file, "cannot be made");
    auto database = Database::open(file, -1);
    if (!database) return std::unexpected(database.error());
    if (auto filled = make_schema(**database); !filled) return filled;
  }
  if (rename(file.c_str(), (directory / kFile).c_str()) != 0 || fsync(directory_descriptor) != 0) {
    return system_failure(directory / kFile, "cannot be made");
  }
  return {};
}

// The database file, there and closed to others; made where the directory has no state yet.
Result<void> prepare_file(const std::filesystem::path& directory, int directory_descriptor) {
  const auto file = directory / kFile;
  struct stat status{};
  if (lstat(file.c_str(), &status) != 0) {
    if (errno != ENOENT) return system_failure(file, "cannot be read");
    // A log left without its database would be played into the new one.
    if (lstat((file.string() + "-wal").c_str(), &status) == 0) {
      return fail(ErrorCode::failed, file.string(), "is gone, but its log state.db-wal is there",
                  "restore both from a backup, or move the log away to begin with an empty state");
    }
    return make_database(directory, directory_descriptor);
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::failed, file.string(), "is not a regular file");
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorCode::failed, file.string(), "holds secret keys and others have rights to it",
                "chmod 0600 it, and make new keys if somebody may have read it");
  }
  if (access(file.c_str(), R_OK | W_OK) != 0) return system_failure(file, "cannot be written to");
  return {};
}

Result<void> check(Database& database) {
  Statement check(database, "PRAGMA quick_check(1)");
  const auto row = check.step();
  if (!row) return std::unexpected(row.error());
  if (!*row || check.text(0) != "ok") return std::unexpected(database.damaged(check.text(0)));
  return {};
}

Result<void> abandon_what_was_pending(Database& database, Time now) {
  const auto pending = revision_in(database, RevisionState::pending);
  if (!pending) return std::unexpected(pending.error());
  if (!*pending) return {};
  const Operation entry{.time = now,
                        .actor = {.user = "sekishod", .uid = geteuid()},
                        .via = Via::daemon,
                        .name = "policy.abandon",
                        .object = "revision:" + std::to_string((*pending)->value()),
                        .result = "the daemon ended before the revision was active"};
  return database.transaction([&] { return give_up(database, **pending, entry); });
}

}  // namespace

Result<Store> Store::open(const std::filesystem::path& directory, Time now) {
  auto held = hold_directory(directory);
  if (!held) return std::unexpected(held.error());
  if (auto ready = prepare_file(directory, held->get()); !ready) {
    return std::unexpected(ready.error());
  }
  auto database = Database::open(directory / kFile, held->release());
  if (!database) return std::unexpected(database.error());
  for (const auto step : {check, migrate}) {
    if (auto done = step(**database); !done) return std::unexpected(done.error());
  }
  if (auto done = (*database)->execute("PRAGMA journal_mode=WAL"); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = abandon_what_was_pending(**database, now); !done) {
    return std::unexpected(done.error());
  }
  Reserve reserve(directory / kReserve);
  reserve.fill();
  return Store(std::move(*database), std::move(reserve));
}

Store::Store(std::unique_ptr<Database> database, Reserve reserve)
    : database_(std::move(database)), reserve_(std::move(reserve)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

}  // namespace sekisho::store

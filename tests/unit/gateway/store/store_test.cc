#include "gateway/store/store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "gateway/store/database.h"
#include "tests/unit/gateway/store/sample_state.h"

namespace sekisho::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

std::string why_not_open(const Directory& directory) {
  const auto opened = Store::open(directory.state(), kNow);
  return opened ? "it opened" : to_string(opened.error());
}

void make_state(const Directory& directory) {
  Store store = must(Store::open(directory.state(), kNow));
  must(store.record(operation("policy.set")));
}

TEST(Store, MakesDirectoryAndFilesForItselfAlone) {
  const Directory directory;
  const mode_t former = umask(0);
  Store store = must(Store::open(directory.state(), kNow));
  umask(former);
  EXPECT_EQ(mode_of(directory.state()), mode_t{0700});
  must(store.record(operation("policy.set")));
  for (const auto& file : std::filesystem::directory_iterator(directory.state())) {
    EXPECT_EQ(mode_of(file.path()), mode_t{0600}) << file.path();
  }
  EXPECT_TRUE(std::filesystem::exists(directory.file().string() + "-wal"));
}

TEST(Store, WritesAreSyncedAndForeignKeysHold) {
  const Directory directory;
  make_state(directory);
  auto database = must(Database::open(directory.file(), -1));
  const auto number = [&](const char* pragma) {
    Statement read(*database, pragma);
    EXPECT_TRUE(must(read.step()));
    return read.text(0);
  };
  EXPECT_EQ(number("PRAGMA synchronous"), "2");
  EXPECT_EQ(number("PRAGMA foreign_keys"), "1");
  EXPECT_EQ(number("PRAGMA journal_mode"), "wal");
}

TEST(Store, RefusesDirectoryThatOthersCanWriteTo) {
  for (const mode_t mode : {mode_t{0720}, mode_t{0702}}) {
    const Directory directory;
    make_state(directory);
    ASSERT_EQ(chmod(directory.state().c_str(), mode), 0);
    EXPECT_THAT(why_not_open(directory), HasSubstr("can be written to by others"));
    ASSERT_EQ(chmod(directory.state().c_str(), 0700), 0);
    EXPECT_EQ(why_not_open(directory), "it opened");
  }
}

TEST(Store, RefusesDatabaseThatOthersCanRead) {
  const Directory directory;
  make_state(directory);
  ASSERT_EQ(chmod(directory.file().c_str(), 0640), 0);
  EXPECT_THAT(why_not_open(directory), HasSubstr("others have rights to it"));
}

TEST(Store, ServesOneDaemonAtATime) {
  const Directory directory;
  {
    Store store = must(Store::open(directory.state(), kNow));
    const auto second = Store::open(directory.state(), kNow);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
    EXPECT_THAT(second.error().cause, HasSubstr("another sekishod"));
    // A failed second try must not have let go of the first one's lock.
    EXPECT_FALSE(Store::open(directory.state(), kNow));
  }
  EXPECT_EQ(why_not_open(directory), "it opened");
}

TEST(Store, RefusesNewerSchemaAndNamesBothVersions) {
  const Directory directory;
  make_state(directory);
  tamper(directory.file(), "PRAGMA user_version=7");
  EXPECT_THAT(why_not_open(directory),
              AllOf(HasSubstr("version 7"), HasSubstr("program's version 4"), HasSubstr("backup")));
  EXPECT_EQ(tamper(directory.file(), "PRAGMA user_version"), "7");
}

TEST(Store, RefusesDatabaseOfAnotherProgram) {
  const Directory directory;
  make_state(directory);
  tamper(directory.file(), "PRAGMA application_id=1");
  EXPECT_THAT(why_not_open(directory), HasSubstr("does not say that it is a Sekisho state"));
}

TEST(Store, NeverBeginsAnewWhereAStateWasLost) {
  for (const std::string contents : {"", "not a database, only some text that is long enough"}) {
    const Directory directory;
    make_state(directory);
    {
      std::ofstream(directory.file(), std::ios::trunc) << contents;
    }
    EXPECT_THAT(why_not_open(directory), HasSubstr("is damaged"));
    EXPECT_EQ(std::filesystem::file_size(directory.file()), contents.size());
  }
}

TEST(Store, RefusesLogWithoutItsDatabase) {
  const Directory directory;
  make_state(directory);
  std::filesystem::rename(directory.file(), directory.file().string() + "-wal");
  EXPECT_THAT(why_not_open(directory), HasSubstr("state.db-wal"));
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
}

TEST(Store, FinishesAMakingThatWasInterrupted) {
  const Directory directory;
  ASSERT_EQ(mkdir(directory.state().c_str(), 0700), 0);
  {
    std::ofstream(directory.state() / "state.db.new") << "half";
  }
  EXPECT_EQ(why_not_open(directory), "it opened");
  EXPECT_FALSE(std::filesystem::exists(directory.state() / "state.db.new"));
}

TEST(Store, NamesTheDirectoryThatCannotBeMade) {
  const auto opened = Store::open("/proc/no-such-place/state", kNow);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().object, "/proc/no-such-place/state");
}

TEST(Store, GatewayKeyIsMadeOnce) {
  const Directory directory;
  int made = 0;
  const auto make = [&] { return PrivateKey(key_bytes(static_cast<unsigned>(++made))); };
  {
    Store store = must(Store::open(directory.state(), kNow));
    EXPECT_EQ(must(store.gateway_key(make)).reveal(), key_bytes(1));
    EXPECT_EQ(must(store.gateway_key(make)).reveal(), key_bytes(1));
  }
  Store store = must(Store::open(directory.state(), kNow));
  EXPECT_EQ(must(store.gateway_key(make)).reveal(), key_bytes(1));
  EXPECT_EQ(made, 1);
}

TEST(Store, GatewayKeyIsNeverReplacedSilently) {
  const Directory directory;
  const auto make = [] { return PrivateKey(key_bytes(1)); };
  {
    Store store = must(Store::open(directory.state(), kNow));
    must(store.gateway_key(make));
    must(store.change_devices(adding(device("laptop", 1, {})), operation("device.add")));
  }
  tamper(directory.file(), "UPDATE secrets SET value = CAST(x'00' || substr(value, 2) AS BLOB)");
  {
    Store store = must(Store::open(directory.state(), kNow));
    const auto key = store.gateway_key(make);
    ASSERT_FALSE(key);
    EXPECT_THAT(key.error().cause, HasSubstr("does not match its digest"));
  }
  tamper(directory.file(), "DELETE FROM secrets");
  Store store = must(Store::open(directory.state(), kNow));
  const auto key = store.gateway_key(make);
  ASSERT_FALSE(key);
  EXPECT_THAT(key.error().cause, HasSubstr("not the gateway's key"));
}

TEST(Store, NewestTimeNeverGoesBack) {
  const Directory directory;
  Store store = must(Store::open(directory.state(), kNow));
  EXPECT_EQ(must(store.newest_time()), Time{});
  must(store.record(operation("a", later(100))));
  must(store.record(operation("b", later(50))));
  EXPECT_EQ(must(store.newest_time()), later(100));
  auto newer = revision("x", {});
  newer.time = later(200);
  must(store.add_pending(newer));
  EXPECT_EQ(must(store.newest_time()), later(200));
}

}  // namespace
}  // namespace sekisho::store

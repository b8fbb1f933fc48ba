#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cstdio>
#include <random>

#include "gateway/store/store.h"
#include "tests/unit/gateway/store/whole_changes.h"

// What the machine does to the store: no room, a holder of the file, and death.
namespace sekisho::store {
namespace {

using testing::HasSubstr;

// Files may not grow beyond `bytes` while this lives: a full disk, as far as a process can tell.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &former_);
    handler_ = signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = former_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &former_);
    signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit former_{};
  sighandler_t handler_ = SIG_DFL;
};

TEST(StoreFaults, AFileThatCannotGrowIsAnErrorAndNothingIsHalfWritten) {
  const Directory directory;
  Store store = must(Store::open(directory.state(), kNow));
  unsigned done = 0;
  std::string why;
  {
    const FileSizeLimit limit(512 * 1024);
    while (done < 1000 && why.empty()) {
      const auto changed = one_change(store, done + 1);
      if (changed) ++done;
      if (!changed) why = to_string(changed.error());
    }
    EXPECT_EQ(whole_changes(store), done);
  }
  EXPECT_GT(done, 0U);
  EXPECT_THAT(why, HasSubstr(directory.file().string()));
  EXPECT_THAT(why, HasSubstr("nothing was written"));

  // With room again it goes on, in the same process and in the next.
  {
    const Store closed = std::move(store);
  }
  Store again = must(Store::open(directory.state(), kNow));
  EXPECT_EQ(whole_changes(again), done);
  must(one_change(again, done + 1));
  EXPECT_EQ(whole_changes(again), done + 1);
}

TEST(StoreFaults, NoRoomForTheFirstFileLeavesNoState) {
  const Directory directory;
  {
    const FileSizeLimit limit(8 * 1024);
    const auto opened = Store::open(directory.state(), kNow);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().object, HasSubstr("state.db"));
  }
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
  EXPECT_TRUE(Store::open(directory.state(), kNow));
}

TEST(StoreFaults, AHolderOfTheFileIsAnErrorAfterAWhile) {
  const Directory directory;
  Store store = must(Store::open(directory.state(), kNow));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(directory.file().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto held = store.record(operation("a"));
  ASSERT_FALSE(held);
  EXPECT_THAT(held.error().cause, HasSubstr("another program holds it"));
  sqlite3_close(other);
  EXPECT_EQ(must(store.record(operation("a"))), Sequence(1));
}

// Changes state until it is killed; tells each change that was acknowledged by one byte.
[[noreturn]] void change_until_killed(const std::filesystem::path& state, unsigned from, int pipe) {
  auto store = Store::open(state, kNow);
  for (unsigned n = from + 1; store && one_change(*store, n); ++n) {
    if (write(pipe, "x", 1) != 1) break;
  }
  _exit(1);
}

// Kills it `delay_us` after the acknowledgement number `wait_for`; gives how many there were.
unsigned killed_after(const std::filesystem::path& state, unsigned from, unsigned wait_for,
                      useconds_t delay_us) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) change_until_killed(state, from, ends[1]);
  close(ends[1]);
  unsigned acknowledged = 0;
  char byte = 0;
  while (acknowledged < wait_for && read(ends[0], &byte, 1) == 1) ++acknowledged;
  usleep(delay_us);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself";
  while (read(ends[0], &byte, 1) == 1) ++acknowledged;
  close(ends[0]);
  return acknowledged;
}

TEST(StoreFaults, DeathInTheMiddleLosesNothingAcknowledgedAndHalvesNothing) {
  const Directory directory;
  std::minstd_rand random(1);
  unsigned count = 0, in_the_middle = 0;
  for (int round = 0; round < 60; ++round) {
    // Every third dies at any moment of its opening, the others in their first changes.
    const unsigned wait_for = static_cast<unsigned>(round % 3);
    const unsigned acknowledged =
        killed_after(directory.state(), count, wait_for, static_cast<useconds_t>(random() % 5'000));
    Store store = must(Store::open(directory.state(), kNow));
    const unsigned held = whole_changes(store);
    EXPECT_GE(held, count + acknowledged);
    // One more where death came between the commit and the byte.
    EXPECT_LE(held, count + acknowledged + 1);
    for (const auto& info : must(store.history(1))) {
      if (info.state == RevisionState::abandoned) ++in_the_middle;
    }
    count = held;
  }
  std::printf("60 deaths, %u changes, %u between pending and active\n", count, in_the_middle);
  EXPECT_GE(count, 60U);
  EXPECT_GT(in_the_middle, 0U);
}

}  // namespace
}  // namespace sekisho::store

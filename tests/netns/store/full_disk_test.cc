#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "gateway/store/store.h"
#include "tests/unit/gateway/store/whole_changes.h"

// A file system that is really full or really read-only, in a mount namespace of the test's own.
// Root.
namespace sekisho::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class SmallDisk : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(geteuid(), 0U) << "needs root: run it by sudo";
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mkdir(disk().c_str(), 0700), 0);
    ASSERT_EQ(mount("tmpfs", disk().c_str(), "tmpfs", 0, "size=1m,mode=0700"), 0);
  }
  void TearDown() override { EXPECT_EQ(umount2(disk().c_str(), MNT_DETACH), 0); }

  std::filesystem::path disk() const { return mount_point_.state(); }
  std::filesystem::path state() const { return disk() / "state"; }
  // Takes what room is left.
  void fill() {
    std::ofstream ballast(disk() / "ballast", std::ios::binary);
    const std::string page(4096, 'x');
    while (ballast.write(page.data(), 4096).flush()) {
    }
  }
  void free() { std::filesystem::remove(disk() / "ballast"); }
  void remount(unsigned long flags) {
    ASSERT_EQ(mount("tmpfs", disk().c_str(), "tmpfs", MS_REMOUNT | flags, "size=1m"), 0);
  }

  Directory mount_point_;
};

// Until nothing more fits; gives the error.
std::string change_until_refused(Store& store, unsigned& done) {
  while (done < 10'000) {
    const auto changed = one_change(store, done + 1);
    if (!changed) return to_string(changed.error());
    ++done;
  }
  return "it never failed";
}

TEST_F(SmallDisk, FullIsAnErrorThatLeavesAllOfWhatWasThere) {
  unsigned done = 0;
  {
    Store store = must(Store::open(state(), kNow));
    for (; done < 3; ++done) must(one_change(store, done + 1));
    fill();
    EXPECT_THAT(
        change_until_refused(store, done),
        AllOf(HasSubstr("state.db"), HasSubstr("the disk is full"), HasSubstr("free space")));
    EXPECT_EQ(whole_changes(store), done);
    // Still full: still an error, and still whole.
    const auto base = must(store.active())->info.number;
    EXPECT_FALSE(store.add_pending(revision(std::string(1 << 20, 'x'), base, 5000)));
    EXPECT_EQ(whole_changes(store), done);
    free();
    must(one_change(store, done + 1));
    ++done;
  }
  Store again = must(Store::open(state(), kNow));
  EXPECT_EQ(whole_changes(again), done);
}

TEST_F(SmallDisk, FullWhileItIsMadeLeavesNoState) {
  fill();
  const auto opened = Store::open(state(), kNow);
  ASSERT_FALSE(opened);
  EXPECT_FALSE(std::filesystem::exists(state() / "state.db"));
  free();
  EXPECT_TRUE(Store::open(state(), kNow));
}

TEST_F(SmallDisk, ReadOnlyIsAnErrorThatNamesTheFile) {
  {
    Store store = must(Store::open(state(), kNow));
    must(one_change(store, 1));
  }
  remount(MS_RDONLY);
  const auto opened = Store::open(state(), kNow);
  ASSERT_FALSE(opened);
  EXPECT_THAT(to_string(opened.error()),
              AllOf(HasSubstr("state.db"), HasSubstr("Read-only file system")));
  remount(0);
  Store again = must(Store::open(state(), kNow));
  EXPECT_EQ(whole_changes(again), 1U);
}

}  // namespace
}  // namespace sekisho::store

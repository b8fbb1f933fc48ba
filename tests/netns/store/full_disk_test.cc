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

// Until nothing more fits: the quarantine of one target with ever more devices, and a flag each.
TEST_F(SmallDisk, FullKeepsTheQuarantineAndTheFlagsThatWereTold) {
  const QuarantineTarget everyone = Everyone{};
  Quarantine told = quarantine(everyone);
  std::vector<Flag> flags;
  const auto put_more = [&](Store& store) -> Result<void> {
    Quarantine more = told;
    more.devices.emplace_back(std::string(500, 'x') + std::to_string(told.devices.size()));
    if (auto put = store.put_quarantine(more, operation("quarantine.add")); !put) return put;
    told = more;
    Flag flagged = flag("laptop", std::to_string(flags.size()));
    const auto added = store.add_flag(flagged, operation("flag.add"));
    if (!added) return std::unexpected(added.error());
    flagged.number = *added;
    flags.insert(flags.begin(), flagged);
    return {};
  };
  const auto expect_told = [&](Store& store) {
    EXPECT_EQ(must(store.quarantines()), std::vector{told});
    EXPECT_EQ(must(store.flags(10'000)), flags);
    EXPECT_EQ(must(store.verify_operations()), std::nullopt);
  };
  {
    Store store = must(Store::open(state(), kNow));
    must(put_more(store));
    fill();
    Result<void> last;
    for (int more = 0; more < 10'000 && last; ++more) last = put_more(store);
    EXPECT_THAT(to_string(why(last)), AllOf(HasSubstr("state.db"), HasSubstr("the disk is full")));
    expect_told(store);
    // Still full.
    EXPECT_FALSE(store.set_flag(flags.front().number, FlagState::acted, std::string(1 << 20, 'y'),
                                operation("flag.act")));
    expect_told(store);
    free();
    must(put_more(store));
    expect_told(store);
    must(store.release_quarantine(everyone, "nothing", operation("quarantine.release")));
  }
  Store again = must(Store::open(state(), kNow));
  EXPECT_TRUE(must(again.quarantines()).empty());
  ASSERT_EQ(must(again.past_quarantines(10)).size(), 1U);
  EXPECT_EQ(must(again.past_quarantines(10)).front().quarantine, told);
  EXPECT_EQ(must(again.flags(10'000)), flags);
}

// Who is put off the network on a full disk stays off after a restart. The control: without the
// room that is kept for it.
TEST_F(SmallDisk, AQuarantineHasRoomOnAFullDisk) {
  for (const bool kept : {true, false}) {
    SCOPED_TRACE(kept);
    std::filesystem::remove_all(state());
    {
      Store store = must(Store::open(state(), kNow));
      unsigned done = 0;
      fill();
      change_until_refused(store, done);
      if (!kept) {
        std::filesystem::remove(state() / "reserve");
        std::ofstream more(disk() / "more", std::ios::binary);
        const std::string page(4096, 'x');
        while (more.write(page.data(), 4096).flush()) {
        }
      }
      EXPECT_EQ(
          store.put_quarantine(quarantine(Everyone{}), operation("quarantine.add")).has_value(),
          kept);
      EXPECT_EQ(store.add_flag(flag("laptop", "a"), operation("flag.add")).has_value(), kept);
    }
    std::filesystem::remove(disk() / "more");
    free();
    Store again = must(Store::open(state(), kNow));
    EXPECT_EQ(must(again.quarantines()).size(), kept ? 1U : 0U);
    EXPECT_TRUE(std::filesystem::exists(state() / "reserve")) << "made anew";
  }
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

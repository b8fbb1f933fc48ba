// Hearing of what others do to the ruleset.
#include <poll.h>

#include "tests/netns/gateway/nftables.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class Watch : public testing::Test {
 protected:
  std::vector<ForeignChange> heard(int wait_ms = 0) {
    pollfd waiting{nftables_.watcher().fd(), POLLIN, 0};
    ::poll(&waiting, 1, wait_ms);
    const auto changes = nftables_.watcher().read();
    EXPECT_TRUE(changes.has_value());
    return *changes;
  }

  netns::Namespace space_;
  netns::Inside inside_{space_};
  Nftables nftables_ = open_nftables();
  Ruleset ruleset_ = make_ruleset(network());
  Tables tables_ = some_tables();
};

TEST_F(Watch, DoesNotHearOurselves) {
  install(nftables_, ruleset_, tables_);
  Tables more = tables_;
  more.cohorts[ip("10.66.0.9")] = {Cohort(9)};
  apply(nftables_, tables_, more);
  EXPECT_THAT(heard(50), IsEmpty());
}

TEST_F(Watch, HearsWhoChangedWhat) {
  install(nftables_, ruleset_, tables_);
  must("nft delete element inet sekisho cohort4 '{ 10.66.0.3 }'");
  const auto changes = heard(1000);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].program, "nft");
  EXPECT_GT(changes[0].pid, 1u);
  EXPECT_THAT(changes[0].tables, ElementsAre("sekisho"));
  EXPECT_FALSE(changes[0].lost);
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(Watch, HearsOfOtherTablesToo) {
  install(nftables_, ruleset_, tables_);
  must("nft 'add table ip a; add table ip6 b'");
  const auto changes = heard(1000);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0].tables, ElementsAre("a", "b"));
}

TEST_F(Watch, HearsAFlush) {
  install(nftables_, ruleset_, tables_);
  must("nft flush ruleset");
  const auto changes = heard(1000);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0].tables, Contains("sekisho"));
}

TEST_F(Watch, SaysWhenItLostSome) {
  install(nftables_, ruleset_, tables_);
  must("nft add set inet sekisho many '{ type mark; }'");
  must("{ echo 'add element inet sekisho many {'; seq -s, 1 150000; echo '}'; } | nft -f -");
  const auto changes = heard(1000);
  EXPECT_TRUE(std::ranges::any_of(changes, &ForeignChange::lost));
}

TEST_F(Watch, KeepsWhatItHeardDuringAnInstall) {
  install(nftables_, ruleset_, tables_);
  must("nft flush chain inet sekisho forward");
  install(nftables_, ruleset_, tables_);
  const auto changes = heard();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].program, "nft");
}

TEST_F(Watch, GenerationMovesWithEveryChange) {
  install(nftables_, ruleset_, tables_);
  const auto before = nftables_.generation().value();
  EXPECT_EQ(nftables_.generation().value(), before);
  must("nft add table ip other");
  EXPECT_EQ(nftables_.generation().value(), before + 1);
}

}  // namespace
}  // namespace sekisho::kernel

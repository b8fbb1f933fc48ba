// A table that only its owner changes, and that outlives him.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/netns/gateway/nftables.h"

namespace sekisho::kernel {
namespace {

using netns::output_of;
using netns::run;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Owner : public testing::Test {
 protected:
  static Installed install(Nftables& nftables, const Tables& tables) {
    const auto installed = nftables.install(make_ruleset(network()), tables, now());
    EXPECT_TRUE(installed.has_value()) << (installed ? "" : to_string(installed.error()));
    return installed ? *installed : Installed{};
  }
  static std::string rules() {
    return output_of("nft list ruleset | grep -v flags | sed 's/ # progname.*//'");
  }

  netns::Namespace space_;
  netns::Inside inside_{space_};
};

#define REQUIRE_PERSISTENT_TABLES(installed) \
  if (!(installed).owned) GTEST_SKIP() << "this kernel has no tables that persist (Linux 6.9)"

TEST_F(Owner, OthersCannotChangeItButSeeIt) {
  auto nftables = open_nftables(Ownership::owned);
  const auto installed = install(nftables, some_tables());
  REQUIRE_PERSISTENT_TABLES(installed);
  const auto before = rules();
  EXPECT_THAT(before, HasSubstr("chain forward"));
  run("nft flush ruleset");
  EXPECT_EQ(rules(), before);
  EXPECT_NE(run("nft delete table inet sekisho 2>/dev/null"), 0);
  EXPECT_NE(run("nft insert rule inet sekisho forward accept 2>/dev/null"), 0);
  EXPECT_NE(run("nft delete element inet sekisho cohort4 '{ 10.66.0.2 }' 2>/dev/null"), 0);
  EXPECT_EQ(rules(), before);
}

// The control: what is not owned does not stand a flush.
TEST_F(Owner, ASharedTableIsFlushed) {
  auto nftables = open_nftables(Ownership::shared);
  EXPECT_FALSE(install(nftables, some_tables()).owned);
  run("nft flush ruleset");
  EXPECT_THAT(rules(), Not(HasSubstr("chain forward")));
}

TEST_F(Owner, TheTableOutlivesAKilledOwnerAndIsOwnedAgain) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    auto nftables = open_nftables(Ownership::owned);
    const char done = install(nftables, some_tables()).owned ? 'o' : 's';
    if (::write(ready[1], &done, 1) == 1) ::pause();
    ::_exit(1);
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  const auto before = rules();
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_EQ(rules(), before);
  if (done != 'o') GTEST_SKIP() << "this kernel has no tables that persist (Linux 6.9)";

  auto heir = open_nftables(Ownership::owned);
  const auto handles = output_of("nft -a list chain inet sekisho forward");
  const auto installed = install(heir, some_tables());
  EXPECT_TRUE(installed.owned);
  EXPECT_THAT(installed.changes, IsEmpty());
  EXPECT_EQ(output_of("nft -a list chain inet sekisho forward"), handles);
  run("nft flush ruleset");
  EXPECT_EQ(rules(), before);

  Tables more = some_tables();
  more.cohorts[ip("10.66.0.9")] = {Cohort(9)};
  apply(heir, some_tables(), more);
  EXPECT_THAT(rules(), HasSubstr("10.66.0.9"));
}

TEST_F(Owner, AnotherLivingOwnerIsNamed) {
  auto first = open_nftables(Ownership::owned);
  REQUIRE_PERSISTENT_TABLES(install(first, some_tables()));
  auto second = open_nftables(Ownership::owned);
  const auto installed = second.install(make_ruleset(network()), {}, now());
  ASSERT_FALSE(installed.has_value());
  EXPECT_THAT(to_string(installed.error()), HasSubstr("EPERM"));
}

TEST_F(Owner, ATableThatIsSharedStaysShared) {
  auto shared = open_nftables(Ownership::shared);
  install(shared, some_tables());
  auto owner = open_nftables(Ownership::owned);
  const auto installed = install(owner, some_tables());
  EXPECT_FALSE(installed.owned);
  EXPECT_THAT(installed.changes, IsEmpty());
}

TEST_F(Owner, ALeftTableMayBeShared) {
  {
    auto owner = open_nftables(Ownership::owned);
    REQUIRE_PERSISTENT_TABLES(install(owner, some_tables()));
  }
  auto shared = open_nftables(Ownership::shared);
  const auto installed = install(shared, {});
  EXPECT_FALSE(installed.owned);
  EXPECT_THAT(installed.changes, Not(IsEmpty()));
}

}  // namespace
}  // namespace sekisho::kernel

// One change of contents, as one batch.
#include <thread>

#include "tests/netns/gateway/nftables.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Apply : public testing::Test {
 protected:
  void SetUp() override { install(nftables_, ruleset_, tables_); }

  // Changes policy to what `edit` makes of it.
  template <class Edit>
  void change(Edit edit) {
    const Tables before = tables_;
    edit(tables_);
    apply(nftables_, before, tables_);
  }
  static std::string list(const std::string& set) {
    return output_of("nft list set inet sekisho " + set +
                     " 2>/dev/null || nft list map inet sekisho " + set);
  }
  std::vector<std::string> observe() { return kernel::observe(nftables_, ruleset_, tables_); }

  netns::Namespace space_;
  netns::Inside inside_{space_};
  Nftables nftables_ = open_nftables();
  Ruleset ruleset_ = make_ruleset(network());
  Tables tables_ = some_tables();
};

TEST_F(Apply, AddsAndRemovesInEverySet) {
  change([](Tables& t) {
    t.cohorts[ip("10.66.0.9")] = {Cohort(9)};
    t.cohorts[ip("fd66::9")] = {Cohort(9)};
    t.cohorts.erase(ip("fd66::2"));
    t.grants[{Cohort(9), kTls}] = {};
    t.grants.erase({Cohort(1), kTls});
    t.atoms[destination("198.51.100.7", "198.51.100.9", Protocol::udp, 443)] = kQuic;
    t.atoms.erase(destination("2001:db8::1", "2001:db8::ffff", Protocol::tcp, 443));
  });
  EXPECT_THAT(observe(), IsEmpty());
  EXPECT_THAT(list("cohort4"), HasSubstr("10.66.0.9 : 0x00000009"));
  EXPECT_THAT(list("cohort6"), HasSubstr("{ fd66::9 : 0x00000009 }"));
  EXPECT_THAT(list("grants"), HasSubstr("0x00000009 . 0x00010017"));
  EXPECT_THAT(list("grants"), Not(HasSubstr("0x00000001 . 0x00010017")));
  EXPECT_THAT(list("atoms4"), HasSubstr("198.51.100.7-198.51.100.9 . udp . 443 : 0x0001004c"));
  EXPECT_THAT(list("atoms6"), Not(HasSubstr("elements")));
}

TEST_F(Apply, ChangesACohortInOneStep) {
  const auto before = nftables_.generation().value();
  change([](Tables& t) { t.cohorts[ip("10.66.0.2")] = {Cohort(0xffff)}; });
  EXPECT_THAT(list("cohort4"), HasSubstr("10.66.0.2 : 0x0000ffff"));
  EXPECT_EQ(nftables_.generation().value(), before + 1);
}

TEST_F(Apply, ReplacesAnAtomByOverlappingPieces) {
  change([](Tables& t) {
    t.atoms.erase(destination("203.0.113.0", "203.0.113.255", Protocol::tcp, 443));
    t.atoms[destination("203.0.113.0", "203.0.113.99", Protocol::tcp, 443)] =
        AtomMark(0x1010, Check::tls);
    t.atoms[destination("203.0.113.100", "203.0.113.255", Protocol::tcp, 443)] =
        AtomMark(0x1011, Check::tls);
  });
  EXPECT_THAT(observe(), IsEmpty());
}

TEST_F(Apply, WhatEndsEndsByItself) {
  change([](Tables& t) {
    t.grants[{Cohort(2), kTls}] = in_seconds(2);
    t.cohorts[ip("10.66.0.8")] = {Cohort(8), in_seconds(2)};
    t.cohorts[ip("fd66::8")] = {Cohort(8), in_seconds(3600)};
  });
  EXPECT_THAT(list("grants"), HasSubstr("0x00000002 . 0x00010017 timeout"));
  std::this_thread::sleep_for(milliseconds(2100));
  EXPECT_THAT(list("grants"), Not(HasSubstr("0x00000002 . 0x00010017")));
  EXPECT_THAT(list("cohort4"), Not(HasSubstr("10.66.0.8")));
  EXPECT_THAT(list("cohort6"), HasSubstr("fd66::8 timeout"));
  EXPECT_THAT(observe(), IsEmpty()) << "what has ended is as it should be";
}

TEST_F(Apply, AnEndIsPutOffAndTakenAway) {
  change([](Tables& t) { t.grants[{Cohort(2), kTls}] = in_seconds(2); });
  change([](Tables& t) { t.grants[{Cohort(2), kTls}] = in_seconds(3600); });
  EXPECT_THAT(list("grants"), testing::ContainsRegex("0x00010017 timeout (1h|59m5)"));
  change([](Tables& t) { t.grants[{Cohort(2), kTls}] = std::nullopt; });
  EXPECT_THAT(list("grants"), Not(HasSubstr("timeout 1h")));
  EXPECT_THAT(observe(), IsEmpty());
  change([](Tables& t) { t.grants[{Cohort(2), kTls}] = in_seconds(3); });
  EXPECT_THAT(list("grants"), HasSubstr("0x00010017 timeout"));
}

// What ended a moment ago is removed without a complaint; so is what nobody knows of.
TEST_F(Apply, RemovesWhatHasEnded) {
  change([](Tables& t) {
    t.grants[{Cohort(2), kTls}] = in_seconds(1);
    t.cohorts[ip("10.66.0.8")] = {Cohort(8), in_seconds(1)};
  });
  std::this_thread::sleep_for(milliseconds(1100));
  change([](Tables& t) {
    t.grants.erase({Cohort(2), kTls});
    t.cohorts.erase(ip("10.66.0.8"));
    t.cohorts[ip("10.66.0.10")] = {Cohort(10)};
  });
  EXPECT_THAT(observe(), IsEmpty());
  EXPECT_THAT(list("cohort4"), HasSubstr("10.66.0.10"));
}

TEST_F(Apply, DoesNotAddWhatHasEndedAlready) {
  change([](Tables& t) { t.cohorts[ip("10.66.0.8")] = {Cohort(8), in_seconds(-1)}; });
  EXPECT_THAT(list("cohort4"), Not(HasSubstr("10.66.0.8")));
  EXPECT_THAT(observe(), IsEmpty());
}

TEST_F(Apply, AFailedBatchChangesNothingAndNamesTheObject) {
  const auto before = output_of("nft list ruleset");
  TablesDiff diff;
  diff.add_cohorts = {{ip("10.66.0.77"), {Cohort(7)}}};
  diff.add_atoms = {{destination("203.0.113.7", "203.0.113.8", Protocol::tcp, 443), kSsh}};
  diff.add_grants = {{{Cohort(7), kSsh}, std::nullopt}};
  const auto applied = nftables_.apply(diff, now());
  ASSERT_FALSE(applied.has_value()) << "it overlaps 203.0.113.0/24 . tcp . 443";
  EXPECT_THAT(to_string(applied.error()),
              HasSubstr("203.0.113.7-203.0.113.8 . 6 . 443 added to atoms4"));
  EXPECT_EQ(output_of("nft list ruleset"), before);

  diff.add_atoms.clear();
  EXPECT_TRUE(nftables_.apply(diff, now()).has_value()) << "the rest of it was right";
}

TEST_F(Apply, NamesTheSetThatIsGone) {
  must("nft flush ruleset");
  TablesDiff diff;
  diff.add_cohorts = {{ip("10.66.0.77"), {Cohort(7)}}};
  const auto applied = nftables_.apply(diff, now());
  ASSERT_FALSE(applied.has_value());
  EXPECT_THAT(to_string(applied.error()), HasSubstr("element 10.66.0.77 added to cohort4"));
  EXPECT_THAT(to_string(applied.error()), HasSubstr("ENOENT"));
}

TEST_F(Apply, MissesAnAtomThatSomebodyTook) {
  must("nft delete element inet sekisho atoms4 '{ 203.0.113.0/24 . tcp . 443 }'");
  const Tables before = tables_;
  tables_.atoms.erase(destination("203.0.113.0", "203.0.113.255", Protocol::tcp, 443));
  const auto applied = nftables_.apply(diff(before, tables_), now());
  ASSERT_FALSE(applied.has_value());
  EXPECT_THAT(to_string(applied.error()), HasSubstr("203.0.113.0-203.0.113.255 . 6 . 443"));
}

// A mark that somebody changed: the removal may not take another's element for ours unseen.
TEST_F(Apply, MissesACohortThatSomebodyChanged) {
  must(
      "nft 'delete element inet sekisho cohort4 { 10.66.0.3 }; "
      "add element inet sekisho cohort4 { 10.66.0.3 : 1 }'");
  const Tables before = tables_;
  tables_.cohorts.erase(ip("10.66.0.3"));
  const auto applied = nftables_.apply(diff(before, tables_), now());
  ASSERT_FALSE(applied.has_value());
  EXPECT_THAT(to_string(applied.error()), HasSubstr("10.66.0.3"));
  install(nftables_, ruleset_, tables_);
  EXPECT_THAT(list("cohort4"), Not(HasSubstr("10.66.0.3")));
}

}  // namespace
}  // namespace sekisho::kernel

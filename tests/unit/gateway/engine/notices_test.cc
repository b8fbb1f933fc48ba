#include "gateway/engine/notices.h"

#include <gmock/gmock.h>

#include "world.h"

namespace sekisho::engine {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class Notices : public testing::Test {
 protected:
  void SetUp() override {
    world.tell(Started{});
    outbox.set_up = outbox.running = true;
    outbox.report.channels.resize(1);
    outbox.report.channels[0].name = "mail.a";
  }
  void look() { world.tell(Seen{outbox}); }
  std::vector<Entry> recorded() const {
    std::vector<Entry> entries;
    for (const Entry& entry : world.record)
      if (entry.operation == "notify") entries.push_back(entry);
    return entries;
  }
  std::string state() { return *world.ask("status", {})->find("notify")->find("state")->string(); }

  World world{test_network()};
  notice::Outlook outbox;
};

TEST_F(Notices, ADriftIsToldWithWhatTheRecordSays) {
  world.tell(Drifted{{"chain from_tunnel"}, "nft (pid 7)"});
  ASSERT_EQ(world.notices.size(), 1U);
  EXPECT_EQ(world.notices[0].kind, notice::Kind::drift);
  EXPECT_EQ(world.notices[0].object, "kernel");
  EXPECT_EQ(world.notices[0].reason, "changed by nft (pid 7)");
  EXPECT_THAT(world.notices[0].facts, testing::Contains(notice::Fact{"result", "repaired"}));
  EXPECT_THAT(world.notices[0].facts,
              testing::Contains(notice::Fact{"before", "chain from_tunnel"}));
}

TEST_F(Notices, ADriftThatStaysIsToldOnceAndItsEnd) {
  world.fate = [] { return Fate::fails; };
  for (int i = 0; i < 3; ++i) world.tell(Drifted{{"x"}, {}});
  ASSERT_EQ(world.notices.size(), 1U);
  EXPECT_EQ(world.notices[0].severity, notice::Severity::critical);
  world.fate = [] { return Fate::done; };
  world.now += seconds(5);
  world.tell(Woke{});
  ASSERT_EQ(world.notices.size(), 2U);
  EXPECT_EQ(world.notices[1].severity, notice::Severity::low);
}

TEST_F(Notices, NotRunningIsRaisedOnceAfterAWhile) {
  outbox.running = false;
  look();
  world.now += seconds(59);
  look();
  EXPECT_TRUE(recorded().empty());
  EXPECT_EQ(state(), "working");
  for (int i = 0; i < 3; ++i) {
    world.now += seconds(10);
    look();
  }
  ASSERT_EQ(recorded().size(), 1U);
  EXPECT_EQ(recorded()[0].result, "sekisho-notify is not running");
  EXPECT_EQ(state(), "hindered");
  outbox.running = true;
  look();
  ASSERT_EQ(recorded().size(), 2U);
  EXPECT_EQ(recorded()[1].before, "sekisho-notify is not running");
  EXPECT_EQ(state(), "working");
}

TEST_F(Notices, AFailureIsRaisedOnceAndNotThoseOfBefore) {
  outbox.report.channels[0].failed = 7;
  look();
  EXPECT_TRUE(recorded().empty());
  outbox.report.channels[0].failed = 9;
  outbox.report.channels[0].last_error = "550 no";
  outbox.kept = 2;
  look();
  look();
  ASSERT_EQ(recorded().size(), 1U);
  EXPECT_EQ(recorded()[0].result, "2 notices could not be delivered");
  EXPECT_EQ(recorded()[0].reason, "mail.a: 550 no");
  EXPECT_EQ(state(), "hindered");
  EXPECT_TRUE(world.notices.empty());  // there is no other way out
  outbox.report.channels.push_back(outbox.report.channels[0]);
  look();  // 9 more, by another channel
  ASSERT_EQ(world.notices.size(), 1U);
  EXPECT_EQ(world.notices[0].kind, notice::Kind::failed);
  outbox.report.channels[0].failed += 1;  // that one, perhaps: no more words within the hour
  look();
  EXPECT_EQ(world.notices.size(), 1U);
}

TEST_F(Notices, WhatWaitsLongIsRaised) {
  outbox.waiting = 3;
  outbox.oldest = world.now;
  look();
  EXPECT_TRUE(recorded().empty());
  world.now += minutes(10);
  look();
  ASSERT_EQ(recorded().size(), 1U);
  EXPECT_THAT(recorded()[0].result, HasSubstr("3 notices wait, the first since"));
}

TEST_F(Notices, WithoutAnOutboxAllIsWell) {
  outbox = {};
  look();
  world.now += minutes(100);
  look();
  EXPECT_TRUE(recorded().empty());
  EXPECT_EQ(state(), "not set up");
}

TEST_F(Notices, TheTestIsRecordedWithItsId) {
  const auto reply = world.ask("notify.test", {});
  ASSERT_TRUE(reply.has_value());
  ASSERT_EQ(world.notices.size(), 1U);
  EXPECT_EQ(world.notices[0].actor, "officer");
  EXPECT_EQ(world.record.back().operation, "notify.test");
  EXPECT_EQ(world.record.back().after, *reply->find("notice")->string());
  world.fate = [] { return Fate::fails; };
  EXPECT_FALSE(world.ask("notify.test", {}).has_value());
  EXPECT_NE(world.record.back().result, "ok");
  EXPECT_FALSE(world.ask("notify.test", {}, control::Authority::auditor).has_value());
}

}  // namespace
}  // namespace sekisho::engine

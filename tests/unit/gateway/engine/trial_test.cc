#include <gmock/gmock.h>

#include "office.h"
#include "policy/model/document.h"

// A policy on trial: policy apply --confirm.
namespace sekisho::engine {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;

class TrialTest : public EngineTest {
 protected:
  // The policy of now without the grant on the internet.
  std::string without_web() const {
    Policy without = policy();
    without.grants.erase(GrantId("web"));
    return write_policy(without, Syntax::toml);
  }
  Node apply(std::string_view confirm = "60s") {
    return must("policy.apply", {{"document", text(without_web())}, {"confirm", text(confirm)}});
  }
  std::string last_word() const { return world.record.back().reason; }
};

TEST_F(TrialTest, ReturnsByItselfUnlessConfirmed) {
  const std::int64_t before = static_cast<std::int64_t>(world.active.value());
  const Node answer = apply();
  EXPECT_EQ(std::get<std::int64_t>(answer.find("returns_to")->value), before);
  EXPECT_EQ(*answer.find("confirm_by")->string(), "2026-11-22T00:01:00Z");
  EXPECT_EQ(*must("status", {}).find("confirm_by")->string(), "2026-11-22T00:01:00Z");
  EXPECT_FALSE(https(kLaptop, kWeb));
  pass(seconds(59));
  EXPECT_FALSE(https(kLaptop, kWeb));
  pass(seconds(1));
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_EQ(must("status", {}).find("confirm_by"), nullptr);
  EXPECT_FALSE(world.provisional);
  EXPECT_EQ(world.record.back().actor.name, "sekishod");
  EXPECT_EQ(world.record.back().operation, "policy.rollback");
  EXPECT_EQ(last_word(), "revision " + std::to_string(before + 1) +
                             " of officer was not confirmed by 2026-11-22T00:01:00Z");
}

TEST_F(TrialTest, StaysWhenConfirmed) {
  apply();
  pass(seconds(30));
  must("policy.confirm", {});
  EXPECT_EQ(world.record.back().operation, "policy.confirm");
  EXPECT_FALSE(world.provisional);
  pass(seconds(300));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_EQ(refused("policy.confirm", {}), ErrorCode::not_found);
}

TEST_F(TrialTest, OtherChangesWaitAndNothingIsLost) {
  apply();
  const auto reply = world.ask("person.add", {{"id", text("mori")}});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().front().code, ErrorCode::conflict);
  EXPECT_THAT(to_string(reply.error().front()),
              AllOf(HasSubstr("of officer is on trial until 2026-11-22T00:01:00Z"),
                    HasSubstr("policy confirm"), HasSubstr("policy rollback")));
  EXPECT_EQ(refused("policy.apply", {{"document", text("")}}), ErrorCode::conflict);
  must("policy.confirm", {});
  must("person.add", {{"id", text("mori")}});
}

// A device that is lost must not wait.
TEST_F(TrialTest, WhatIsCutOffMeanwhileStaysCutOff) {
  apply();
  must("device.set", {{"id", text("phone")}, {"state", text("blocked")}, {"reason", text("lost")}});
  must("person.set", {{"id", text("tanaka")}, {"state", text("suspended")}});
  EXPECT_EQ(world.provisional->cuts, (std::vector<std::string>{"device.phone", "person.tanaka"}));
  world.restart();
  pass(seconds(60));
  EXPECT_FALSE(world.provisional);
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_FALSE(https(kPhone, kWiki));
  must("person.set", {{"id", text("tanaka")}, {"state", text("active")}});
  EXPECT_TRUE(https(kLaptop, kWeb)) << "the grant is back, only she was away";
}

TEST_F(TrialTest, NothingElseOfDevicesAndPeopleChangesMeanwhile) {
  apply();
  const auto waits = [&](std::string_view operation, Node::Table parameters) {
    return refused(operation, std::move(parameters)) == ErrorCode::conflict;
  };
  EXPECT_TRUE(
      waits("device.add", {{"id", text("tablet")},
                           {"person", text("suzuki")},
                           {"public_key", text("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=")}}));
  EXPECT_TRUE(waits("device.remove", {{"id", text("phone")}}));
  EXPECT_TRUE(waits("device.set", {{"id", text("phone")}, {"state", text("active")}}));
  EXPECT_TRUE(
      waits("device.set",
            {{"id", text("phone")}, {"state", text("blocked")}, {"person", text("tanaka")}}));
  EXPECT_TRUE(
      waits("person.set",
            {{"id", text("suzuki")}, {"state", text("suspended")}, {"roles", texts({"sales"})}}));
}

// The lock-out that it is for: a document without one's own device.
TEST_F(TrialTest, DevicesReturnToo) {
  const Policy before =
      read_policy(world.revisions.at(world.active).document, Syntax::toml, "now").value();
  Policy policy = before;
  policy.devices.erase(DeviceId("laptop"));
  policy.devices.at(DeviceId("phone")).state = DeviceState::blocked;
  policy.devices.at(DeviceId("phone")).public_key =
      PublicKey::parse("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=").value();
  must("policy.apply",
       {{"document", text(write_policy(policy, Syntax::toml))}, {"confirm", text("5s")}});
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_EQ(world.peers.size(), 0U);
  pass(seconds(5));
  EXPECT_FALSE(world.provisional);
  EXPECT_EQ(read_policy(world.revisions.at(world.active).document, Syntax::toml, "now").value(),
            before);
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_TRUE(https(kPhone, kWiki));
  EXPECT_EQ(world.peers.size(), 2U);
}

TEST_F(TrialTest, AReturnThatFailsIsTold) {
  apply();
  world.failing = {world.effects};  // the reading of what was before
  pass(seconds(60));
  world.now += seconds(1);
  EXPECT_EQ(*must("status", {}).find("state")->string(), "degraded");
  const Node status = must("status", {});
  EXPECT_THAT(*status.find("problem")->string(), HasSubstr("could not be taken back"));
  const Node doctor = must("doctor", {});
  EXPECT_FALSE(std::get<bool>(doctor.find("answer")->value));
  world.failing.clear();
  pass(seconds(10));
  EXPECT_EQ(*must("status", {}).find("state")->string(), "enforcing");
}

TEST_F(TrialTest, ARollbackEndsIt) {
  const std::int64_t before = static_cast<std::int64_t>(world.active.value());
  apply();
  must("policy.rollback", {{"revision", {before}}});
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_FALSE(world.provisional);
  const RevisionNumber now = world.active;
  pass(seconds(100));
  EXPECT_EQ(world.active, now);
}

TEST_F(TrialTest, OutlivesTheDaemon) {
  for (const int late : {0, 3600}) {
    apply();
    world.now += seconds(late);
    world.restart();
    EXPECT_FALSE(https(kLaptop, kWeb));
    EXPECT_TRUE(world.provisional);
    pass(seconds(60));
    EXPECT_TRUE(https(kLaptop, kWeb));
    EXPECT_FALSE(world.provisional);
  }
}

TEST_F(TrialTest, AClockSetBackMakesItNoLonger) {
  world.now += std::chrono::hours(10);
  apply();
  world.set_clock(-std::chrono::hours(9));
  world.tell(ClockStepped{});
  pass(seconds(60));
  EXPECT_TRUE(https(kLaptop, kWeb));
}

TEST_F(TrialTest, AReturnThatFailsIsTriedAgain) {
  apply();
  world.failing = {world.effects + 1, world.effects + 2};  // after the reading: what stores it
  pass(seconds(60));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_TRUE(world.provisional);
  world.failing.clear();
  EXPECT_GT(world.engine.next_deadline().value(), world.now) << "not at once";
  pass(seconds(10));
  EXPECT_TRUE(https(kLaptop, kWeb));
}

TEST_F(TrialTest, TheFirstPolicyReturnsToNone) {
  World first(test_network());
  first.tell(Started{});
  ASSERT_TRUE(first.ask(
      "policy.apply",
      {{"document", text(world.revisions.at(world.active).document)}, {"confirm", text("1m")}}));
  EXPECT_TRUE(first.passes(kLaptop, kWeb, Protocol::tcp, Port(443)));
  first.now += seconds(60);
  first.tell(Woke{});
  EXPECT_FALSE(first.passes(kLaptop, kWeb, Protocol::tcp, Port(443)));
}

TEST_F(TrialTest, TheFirstPolicyCanBeTakenBackAtOnce) {
  World first(test_network());
  first.tell(Started{});
  ASSERT_TRUE(
      first.ask("policy.apply", {{"document", text(without_web())}, {"confirm", text("1m")}}));
  ASSERT_TRUE(first.ask("policy.rollback", {{"revision", {std::int64_t{0}}}}));
  EXPECT_FALSE(first.provisional);
  EXPECT_TRUE(
      read_policy(first.revisions.at(first.active).document, Syntax::toml, "now")->people.empty());
  EXPECT_FALSE(first.ask("policy.rollback", {{"revision", {std::int64_t{0}}}})) << "only then";
}

TEST_F(TrialTest, TimesToWaitThatAreNone) {
  for (const std::string_view wrong :
       {"", "60", "s", "0s", "-5s", "25h", "1d", "99999999999999s", "1.5m"}) {
    const auto reply =
        world.ask("policy.apply", {{"document", text(without_web())}, {"confirm", text(wrong)}});
    ASSERT_FALSE(reply) << wrong;
    EXPECT_THAT(to_string(reply.error().front()), HasSubstr("give 1s to 24h"));
  }
  EXPECT_TRUE(https(kLaptop, kWeb));
}

}  // namespace
}  // namespace sekisho::engine

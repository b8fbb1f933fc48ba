#include <gmock/gmock.h>

#include "office.h"

// Flags from outside, and the guard between them and everybody's work.
namespace sekisho::engine {
namespace {

using control::Authority;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array kTablets{"tablet-1", "tablet-2", "tablet-3"};

// The office with three tablets of suzuki's. The guard allows two of the five devices an hour.
class FlagsTest : public EngineTest {
 protected:
  FlagsTest() {
    for (const char* id : kTablets) {
      KeyBytes key;
      key.fill(static_cast<std::uint8_t>(id[7]));
      must("device.add", {{"id", text(id)},
                          {"person", text("suzuki")},
                          {"public_key", text(PublicKey(key).to_string())}});
    }
    edit_policy([](Policy& policy) {
      policy.response.reaction(Severity::low) = Reaction::record;
      policy.response.reaction(Severity::critical) = Reaction::cut;
      policy.response.most_devices = 2;
      policy.response.most_percent = 100;
    });
  }
  Node flag(std::string_view target, std::string_view severity = "high",
            std::string_view key = "") {
    return must("flag.add", said(target, severity, key));
  }
  static Node::Table said(std::string_view target, std::string_view severity = "high",
                          std::string_view key = "", std::string_view source = "clamav") {
    return {{"target", text(target)},
            {"source", text(source)},
            {"severity", text(severity)},
            {"detail", text("Eicar")},
            {"key", text(key)}};
  }
  std::string state_of(std::string_view target) { return word(flag(target), "state"); }
  std::int64_t asking() { return count(must("status", {}), "flags_asking"); }
  bool decides(std::string_view operation, const Node& flag) {
    return world
        .ask(operation, {{"flag", {count(flag, "flag")}}, {"reason", text("it was looked at")}})
        .has_value();
  }
  bool is_held(std::string_view device) {
    const auto address = policy().devices.at(DeviceId(std::string(device))).addresses.front();
    return !https(address, device == "laptop" ? kWeb : kWiki);
  }
};

TEST_F(FlagsTest, TheSeveritySaysWhatIsDone) {
  const Node low = flag("device:laptop", "low");
  EXPECT_EQ(word(low, "state"), "recorded");
  EXPECT_EQ(low.find("proof"), nullptr);
  EXPECT_THAT(world.trace, ElementsAre("flag"));
  EXPECT_FALSE(is_held("laptop"));

  world.trace.clear();
  const Node high = flag("device:laptop");
  EXPECT_EQ(word(high, "state"), "acted");
  EXPECT_NE(high.find("proof"), nullptr);
  EXPECT_THAT(world.trace, ElementsAre("tables", "purge", "quarantine", "flag"));
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_EQ(world.peers.size(), 5U);

  world.trace.clear();
  EXPECT_EQ(word(flag("device:laptop", "critical"), "state"), "acted");
  EXPECT_THAT(world.trace, ElementsAre("tables", "peers", "purge", "quarantine", "flag"));
  EXPECT_EQ(world.peers.size(), 4U);

  world.trace.clear();
  EXPECT_EQ(word(flag("device:laptop"), "outcome"), "it is quarantined already");
  EXPECT_THAT(world.trace, ElementsAre("flag"));
  EXPECT_EQ(world.quarantines.front().level, Hold::cut) << "and no less than it was";
}

TEST_F(FlagsTest, EachStandsInTheRecordAndIsKept) {
  const Node shown = flag("device:laptop", "high", "scan-7");
  ASSERT_EQ(world.record.size(), 2U);
  EXPECT_EQ(world.record[0].operation, "quarantine.add");
  EXPECT_EQ(world.record[0].reason, "clamav: Eicar");
  EXPECT_EQ(world.record[1].operation, "flag.add");
  EXPECT_EQ(world.record[1].object, "device.laptop");
  EXPECT_EQ(world.record[1].reason, "Eicar");
  ASSERT_EQ(world.flags.size(), 1U);
  EXPECT_EQ(world.flags[0].key, "scan-7");
  EXPECT_EQ(world.flags[0].by, "officer");
  EXPECT_EQ(word(must("flag.show", {{"flag", {count(shown, "flag")}}}), "source"), "clamav");
  EXPECT_TRUE(world.quarantines.front().automatic);
}

TEST_F(FlagsTest, APersonIsFlaggedWithAllDevices) {
  EXPECT_EQ(state_of("person:tanaka"), "acted");
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_FALSE(is_held("phone"));
  EXPECT_EQ(state_of("person:suzuki"), "asking") << "with four devices";
  EXPECT_FALSE(is_held("phone"));
}

TEST_F(FlagsTest, WhatIsNoFlagIsRefusedAndDoesNothing) {
  const auto why_not = [&](Node::Table parameters) {
    const auto reply = world.ask("flag.add", std::move(parameters));
    return reply ? "it was done" : to_string(reply.error().front());
  };
  EXPECT_THAT(why_not(said("device:nobody's")), HasSubstr("does not exist"));
  EXPECT_THAT(why_not(said("person:nobody")), HasSubstr("does not exist"));
  EXPECT_THAT(why_not(said("resource:wiki")), HasSubstr("cannot be flagged"));
  EXPECT_THAT(why_not(said("everyone")), HasSubstr("cannot be flagged"));
  EXPECT_THAT(why_not(said("device:laptop", "worst")), HasSubstr("is no severity"));
  EXPECT_THAT(why_not(said("device:laptop", "high", "", "")), HasSubstr("source"));
  EXPECT_THAT(world.trace, IsEmpty());
  EXPECT_FALSE(is_held("laptop"));
}

// ---- the officer's own ----

TEST_F(FlagsTest, TheOfficersOwnAsk) {
  edit_policy([](Policy& policy) { policy.response.officer = PersonId("tanaka"); });
  EXPECT_EQ(state_of("device:laptop"), "asking");
  EXPECT_EQ(state_of("person:tanaka"), "asking");
  EXPECT_FALSE(is_held("laptop"));
  EXPECT_EQ(asking(), 2);
  EXPECT_EQ(state_of("device:phone"), "acted");
  edit_policy([](Policy& policy) { policy.response.officer = PersonId("suzuki"); });
  EXPECT_EQ(state_of("device:laptop"), "acted");
}

TEST_F(FlagsTest, WithoutAnOfficerThoseOfOwnersAsk) {
  must("person.set", {{"id", text("tanaka")}, {"kind", text("owner")}});
  EXPECT_EQ(state_of("device:laptop"), "asking");
  edit_policy([](Policy& policy) { policy.response.officer = PersonId("suzuki"); });
  EXPECT_EQ(state_of("device:laptop"), "acted") << "an owner who is not the officer";
}

// ---- the guard ----

TEST_F(FlagsTest, TheGuardCountsDevicesInItsWindow) {
  EXPECT_EQ(state_of("device:tablet-1"), "acted");
  world.now += minutes(30);
  EXPECT_EQ(state_of("device:tablet-2"), "acted");
  const Node third = flag("device:tablet-3");
  EXPECT_EQ(word(third, "state"), "asking");
  EXPECT_THAT(word(third, "outcome"), HasSubstr("device 3 in 1h and the guard allows 2"));
  EXPECT_FALSE(is_held("tablet-3"));
  world.now += minutes(30) - seconds(1);
  EXPECT_EQ(state_of("device:tablet-3"), "asking") << "the first is of within an hour";
  world.now += seconds(1);
  EXPECT_EQ(state_of("device:tablet-3"), "acted");
  EXPECT_EQ(state_of("device:phone"), "asking") << "two of within an hour again";
}

TEST_F(FlagsTest, TheGuardCountsWhatWasReleasedAndADeviceOnce) {
  flag("device:tablet-1");
  release("device:tablet-1");
  EXPECT_EQ(state_of("device:tablet-1"), "acted");
  release("device:tablet-1");
  EXPECT_EQ(state_of("device:tablet-2"), "acted");
  release("device:tablet-2");
  EXPECT_EQ(state_of("device:tablet-3"), "asking");
  EXPECT_EQ(state_of("device:tablet-1"), "acted") << "it is one of the two";
}

TEST_F(FlagsTest, TheGuardDoesNotCountWhatSomebodyOrdered) {
  add_quarantine("device:phone");
  add_quarantine("device:tablet-3");
  EXPECT_EQ(state_of("device:tablet-1"), "acted");
  EXPECT_EQ(state_of("device:tablet-2"), "acted");
  EXPECT_EQ(state_of("device:laptop"), "asking");
}

TEST_F(FlagsTest, TheGuardAllowsAShareButOneAtLeast) {
  edit_policy([](Policy& policy) { policy.response.most_percent = 59; });  // of five: two
  EXPECT_EQ(state_of("device:tablet-1"), "acted");
  EXPECT_EQ(state_of("device:tablet-2"), "acted");
  edit_policy([](Policy& policy) {
    policy.response.most_devices = 5;
    policy.response.window = minutes(5);
  });
  EXPECT_EQ(state_of("device:tablet-3"), "asking");
  world.now += minutes(5);
  edit_policy([](Policy& policy) { policy.response.most_percent = 1; });
  EXPECT_EQ(state_of("device:tablet-3"), "acted");
  EXPECT_EQ(state_of("device:phone"), "asking");
}

// What was done in a time that is yet to come was done before the clock was set back.
TEST_F(FlagsTest, AClockSetBackMakesTheGuardStricter) {
  flag("device:tablet-1");
  flag("device:tablet-2");
  world.set_clock(-hours(5));
  world.tell(ClockStepped{});
  EXPECT_EQ(state_of("device:tablet-3"), "asking");
  world.now += hours(2);
  EXPECT_EQ(state_of("device:tablet-3"), "asking");
  world.restart();
  EXPECT_EQ(state_of("device:tablet-3"), "asking");
  world.now += hours(4);
  EXPECT_EQ(state_of("device:tablet-3"), "acted");
}

TEST_F(FlagsTest, ARestartKeepsTheGuardsMemory) {
  flag("device:tablet-1");
  flag("device:tablet-2");
  release("device:tablet-2");
  flag("device:tablet-3");
  world.restart();
  EXPECT_EQ(asking(), 1);
  EXPECT_EQ(state_of("device:tablet-3"), "asking");
  EXPECT_FALSE(is_held("tablet-3"));
  // A control: with nothing kept of the one that was released there would be room.
  world.released.clear();
  world.restart();
  EXPECT_EQ(state_of("device:tablet-3"), "acted");
}

// ---- said twice ----

TEST_F(FlagsTest, TheSameKeyIsAnsweredAsTheFirstTimeWhileThatStands) {
  const Node first = flag("device:laptop", "high", "scan-7");
  EXPECT_FALSE(yes(first, "repeated"));
  world.restart();
  world.trace.clear();
  const Node again = flag("device:laptop", "high", "scan-7");
  EXPECT_TRUE(yes(again, "repeated"));
  for (const char* member : {"state", "outcome", "time", "severity", "detail"}) {
    EXPECT_EQ(word(again, member), word(first, member)) << member;
  }
  EXPECT_EQ(count(again, "flag"), count(first, "flag"));
  EXPECT_THAT(world.trace, IsEmpty());
  EXPECT_EQ(world.flags.size(), 1U);
  EXPECT_FALSE(yes(flag("device:laptop", "critical", "scan-7"), "repeated")) << "it is worse";
  EXPECT_EQ(world.quarantines.front().level, Hold::cut);
  EXPECT_FALSE(yes(flag("device:phone", "high", "scan-7"), "repeated")) << "another device's key";
  EXPECT_TRUE(yes(flag("device:laptop", "low", "scan-7"), "repeated"));
}

// The same file is found again: who was let back is put off again.
TEST_F(FlagsTest, TheSameKeyActsAgainAfterARelease) {
  flag("device:laptop", "high", "scan-7");
  release("device:laptop");
  EXPECT_FALSE(is_held("laptop"));
  const Node again = flag("device:laptop", "high", "scan-7");
  EXPECT_FALSE(yes(again, "repeated"));
  EXPECT_EQ(word(again, "outcome"), "it was isolated");
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_EQ(world.flags.size(), 2U);
}

TEST_F(FlagsTest, TheSameKeyAsksOnceAndStaysDismissed) {
  edit_policy([](Policy& policy) { policy.response.officer = PersonId("tanaka"); });
  const Node first = flag("device:laptop", "high", "scan-7");
  EXPECT_TRUE(yes(flag("device:laptop", "high", "scan-7"), "repeated"));
  EXPECT_EQ(asking(), 1);
  EXPECT_TRUE(decides("flag.dismiss", first));
  EXPECT_TRUE(yes(flag("device:laptop", "high", "scan-7"), "repeated"));
  EXPECT_EQ(asking(), 0);
}

// The guard's window is over: there is no need to ask any more.
TEST_F(FlagsTest, TheSameKeyActsOnceTheGuardHasRoom) {
  flag("device:tablet-1");
  flag("device:tablet-2");
  EXPECT_EQ(word(flag("device:laptop", "high", "scan-7"), "state"), "asking");
  EXPECT_TRUE(yes(flag("device:laptop", "high", "scan-7"), "repeated"));
  world.now += hours(5);
  EXPECT_EQ(word(flag("device:laptop", "high", "scan-7"), "state"), "acted");
  EXPECT_TRUE(is_held("laptop"));
}

TEST_F(FlagsTest, WhatASourceSaysIsPlain) {
  auto parameters = said("device:laptop", "low");
  for (auto& [name, value] : parameters) {
    if (name == "detail") value = text("a\u202eb\u009bc\x1b[31m");
  }
  must("flag.add", std::move(parameters));
  EXPECT_EQ(world.flags[0].detail, "a b c [31m");
}

// ---- held already, by something wider ----

// A hold on everyone, or on its person, is released without a thought of the flag.
TEST_F(FlagsTest, AFlaggedDeviceIsHeldByItself) {
  for (const char* wider : {"everyone", "person:tanaka"}) {
    SCOPED_TRACE(wider);
    add_quarantine(wider, "cut");
    EXPECT_EQ(state_of("device:laptop"), "acted");
    release(wider);
    EXPECT_TRUE(is_held("laptop"));
    release("device:laptop");
    EXPECT_FALSE(is_held("laptop"));
  }
}

TEST_F(FlagsTest, ADiskThatIsNotReadStillActs) {
  flag("device:laptop", "high", "scan-7");
  release("device:laptop");
  world.failing = {world.effects};  // the look for the key
  EXPECT_TRUE(world.ask("flag.add", said("device:laptop", "high", "scan-7")));
  EXPECT_TRUE(is_held("laptop"));
}

TEST_F(FlagsTest, AFlagThatIsNotKeptHasActed) {
  world.failing = {world.effects + 3};  // after tables, connections, quarantine
  const auto reply = world.ask("flag.add", said("device:laptop"));
  ASSERT_FALSE(reply);
  EXPECT_THAT(to_string(reply.error().front()),
              HasSubstr("it was isolated; the flag itself was not kept"));
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_THAT(world.flags, IsEmpty());
}

TEST_F(FlagsTest, AHoldThatComesToNoDiskIsToldWithTheFlag) {
  world.failing = {world.effects + 2};
  EXPECT_THAT(word(flag("device:laptop"), "outcome"), HasSubstr("it was isolated, but: "));
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_THAT(world.quarantines, IsEmpty());
  pass(seconds(1));
  EXPECT_EQ(world.quarantines.size(), 1U);
}

// ---- from inside the tunnel ----

class DeviceFlags : public FlagsTest {
 protected:
  DeviceFlags() {
    for (const char* id : {"laptop", "phone"}) {
      tokens[id] = word(must("device.token", {{"id", text(id)}}), "token");
    }
    world.trace.clear();
    world.record.clear();
  }
  control::Reply bring(const std::string& token, const IpAddress& from,
                       std::string_view severity = "high", std::string_view key = "") {
    return world.ask("flag.add",
                     {{"source", text("clamav")},
                      {"severity", text(severity)},
                      {"key", text(key)},
                      {"token", text(token)},
                      {"address", text(from.to_string())}},
                     Authority::portal);
  }
  static bool refused(const control::Reply& reply) {
    return !reply && reply.error().front().code == ErrorCode::not_permitted;
  }
  std::map<std::string, std::string> tokens;
};

TEST_F(DeviceFlags, ADeviceFlagsItself) {
  const auto reply = bring(tokens["laptop"], kLaptop);
  ASSERT_TRUE(reply);
  EXPECT_EQ(word(*reply, "device"), "laptop");
  EXPECT_EQ(word(*reply, "by"), "device:laptop");
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_FALSE(is_held("phone"));
  EXPECT_TRUE(bring(tokens["laptop"], kLaptop)) << "it can still say more";
}

TEST_F(DeviceFlags, AndNobodyElse) {
  EXPECT_TRUE(refused(bring(tokens["phone"], kLaptop))) << "another's token";
  EXPECT_TRUE(refused(bring(tokens["laptop"], kPhone))) << "from another's address";
  EXPECT_TRUE(refused(bring(tokens["laptop"], ip("10.66.9.9")))) << "from nobody's address";
  EXPECT_TRUE(refused(bring("", kLaptop)));
  EXPECT_TRUE(refused(bring("token-nobody", kLaptop)));
  for (const char* id : {"laptop", "phone"}) EXPECT_FALSE(is_held(id)) << id;
  EXPECT_THAT(world.flags, IsEmpty());
  EXPECT_TRUE(bring(tokens["laptop"], kLaptop));
}

TEST_F(DeviceFlags, WhomItIsAboutSaysTheTokenAlone) {
  Node::Table parameters = said("device:phone");
  parameters.emplace_back("token", text(tokens["laptop"]));
  parameters.emplace_back("address", text(kLaptop.to_string()));
  EXPECT_TRUE(world.ask("flag.add", parameters, Authority::portal));
  EXPECT_FALSE(is_held("phone"));
  EXPECT_TRUE(is_held("laptop"));
}

TEST_F(DeviceFlags, ANewTokenEndsTheOneBefore) {
  world.tokens = {{"older", DeviceId("laptop")}};
  EXPECT_TRUE(bring("older", kLaptop, "low"));
  const std::string next = word(must("device.token", {{"id", text("laptop")}}), "token");
  EXPECT_TRUE(refused(bring("older", kLaptop, "low")));
  EXPECT_TRUE(bring(next, kLaptop, "low"));
}

TEST_F(DeviceFlags, ThePortalMayDoNothingElse) {
  EXPECT_TRUE(
      refused(world.ask("quarantine.add", {{"target", text("device:phone")}, {"reason", text("x")}},
                        Authority::portal)));
  EXPECT_TRUE(refused(world.ask("flag.list", {}, Authority::portal)));
  EXPECT_TRUE(refused(world.ask("device.token", {{"id", text("laptop")}}, Authority::portal)));
  EXPECT_FALSE(is_held("phone"));
}

// Of what comes to nothing more than a record.
TEST_F(DeviceFlags, ThirtyAMinuteAreEnough) {
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(bring(tokens["laptop"], kLaptop, "low")) << i;
    world.now += seconds(1);
  }
  const auto too_many = bring(tokens["laptop"], kLaptop, "low");
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().front().code, ErrorCode::failed) << "which a hook tries again";
  EXPECT_EQ(world.flags.size(), 30U);
  EXPECT_TRUE(bring(tokens["phone"], kPhone, "low")) << "of one device";
  flag("device:laptop", "low");  // and not of who speaks about it
  world.now += seconds(29);
  EXPECT_FALSE(bring(tokens["laptop"], kLaptop, "low"));
  world.now += seconds(1);
  EXPECT_TRUE(bring(tokens["laptop"], kLaptop, "low"));
}

// Whoever fills the minute, with the token or without, keeps no device on the network.
TEST_F(DeviceFlags, NobodySilencesAFlagThatActs) {
  for (int i = 0; i < 40; ++i) {
    EXPECT_TRUE(refused(bring("token-nobody", kLaptop)));
    bring(tokens["laptop"], kLaptop, "low");
  }
  EXPECT_EQ(std::ranges::count(world.record, "flag.add", &Entry::operation), 30 + 3)
      << "and the disk is not filled";
  EXPECT_TRUE(bring(tokens["laptop"], kLaptop));
  EXPECT_TRUE(is_held("laptop"));
}

// The token only ever makes things stricter.
TEST_F(DeviceFlags, ADeviceOfAHeldPersonIsStillHeard) {
  add_quarantine("person:tanaka");
  EXPECT_EQ(world.peers.size(), 5U);
  EXPECT_TRUE(bring(tokens["laptop"], kLaptop, "critical"));
  EXPECT_EQ(world.peers.size(), 4U) << "isolated before, cut off by it";
}

// ---- the officer's answer ----

TEST_F(FlagsTest, AFlagThatAsksIsActedUponOrDismissed) {
  flag("device:tablet-1");
  flag("device:tablet-2");
  const Node one = flag("device:tablet-3");
  const Node other = flag("device:phone");
  EXPECT_EQ(asking(), 2);
  world.trace.clear();
  EXPECT_TRUE(decides("flag.act", one));
  EXPECT_THAT(world.trace, ElementsAre("tables", "purge", "quarantine"));
  EXPECT_TRUE(is_held("tablet-3"));
  EXPECT_FALSE(world.quarantines.back().automatic) << "somebody ordered it";
  EXPECT_EQ(asking(), 1);
  EXPECT_TRUE(decides("flag.dismiss", other));
  EXPECT_FALSE(is_held("phone"));
  EXPECT_EQ(asking(), 0);
  EXPECT_EQ(world.flags[2].state, FlagState::acted);
  EXPECT_EQ(world.flags[3].state, FlagState::dismissed);
  EXPECT_EQ(world.flags[3].outcome, "it was looked at");
  EXPECT_EQ(world.record.back().operation, "flag.dismiss");
  world.restart();
  EXPECT_EQ(asking(), 0);
}

// It may be enrolled anew, under another name even.
TEST_F(FlagsTest, ADeviceThatIsGoneIsHeldShouldItComeAgain) {
  edit_policy([](Policy& policy) { policy.response.officer = PersonId("tanaka"); });
  const Node shown = flag("device:laptop");
  must("device.remove", {{"id", text("laptop")}});
  world.restart();
  EXPECT_TRUE(decides("flag.act", shown));
  EXPECT_THAT(world.flags[0].outcome, HasSubstr("the device is gone"));
  must("device.add",
       {{"id", text("notebook")}, {"person", text("tanaka")}, {"public_key", text(kKeyA)}});
  EXPECT_TRUE(is_held("notebook"));
}

TEST_F(FlagsTest, ADismissalReleasesNobodyAndSaysSo) {
  const Node shown = flag("device:laptop");
  EXPECT_TRUE(decides("flag.dismiss", shown));
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_THAT(world.flags[0].outcome, HasSubstr("stays quarantined"));
  EXPECT_FALSE(decides("flag.dismiss", shown)) << "twice";
  release("device:laptop");
  EXPECT_TRUE(decides("flag.act", shown)) << "on second thoughts";
  EXPECT_TRUE(is_held("laptop"));
}

TEST_F(FlagsTest, ADecisionNeedsAReasonAFlagAndTheAuthority) {
  const Node shown = flag("device:laptop", "low");
  const Node number{count(shown, "flag")};
  for (const std::string_view operation : {"flag.act", "flag.dismiss"}) {
    EXPECT_EQ(refused(operation, {{"flag", number}, {"reason", text("")}}), ErrorCode::invalid);
    EXPECT_EQ(refused(operation, {{"flag", {std::int64_t{9}}}, {"reason", text("x")}}),
              ErrorCode::not_found);
    EXPECT_EQ(refused(operation, {{"flag", {std::int64_t{-1}}}, {"reason", text("x")}}),
              ErrorCode::invalid);
    EXPECT_FALSE(
        world.ask(operation, {{"flag", number}, {"reason", text("x")}}, Authority::auditor));
  }
  EXPECT_EQ(world.flags.front().state, FlagState::recorded);
  EXPECT_FALSE(is_held("laptop"));
  EXPECT_TRUE(decides("flag.act", shown));
  EXPECT_TRUE(is_held("laptop"));
}

TEST_F(FlagsTest, AnActThatFailsHoldsAndGoesOnAsking) {
  edit_policy([](Policy& policy) { policy.response.officer = PersonId("tanaka"); });
  const Node shown = flag("device:laptop");
  world.failing = {world.effects + 3};  // after the reading, tables, connections: the disk
  EXPECT_FALSE(decides("flag.act", shown));
  EXPECT_TRUE(is_held("laptop"));
  EXPECT_EQ(asking(), 1);
  pass(seconds(1));
  EXPECT_EQ(world.quarantines.size(), 1U);
  EXPECT_TRUE(decides("flag.act", shown));
  EXPECT_EQ(asking(), 0);
  EXPECT_EQ(world.flags.front().outcome, "it is quarantined already");
}

// A flag that makes a hold stricter lets go of nothing that it held.
TEST_F(FlagsTest, WhatAQuarantineCaughtStaysCaught) {
  for (const bool by_hand : {false, true}) {
    add_quarantine("person:tanaka");
    must("device.set", {{"id", text("laptop")}, {"person", text("suzuki")}});
    const auto held = [&] { return !https(kLaptop, kWiki); };
    EXPECT_TRUE(held()) << "under suzuki, who has a grant";
    if (by_hand) {
      edit_policy([](Policy& policy) { policy.response.officer = PersonId("tanaka"); });
      EXPECT_TRUE(decides("flag.act", flag("person:tanaka", "critical")));
    } else {
      EXPECT_EQ(word(flag("person:tanaka", "critical"), "state"), "acted");
    }
    EXPECT_TRUE(held()) << by_hand;
    EXPECT_EQ(world.quarantines.front().level, Hold::cut);
    world.restart();
    EXPECT_TRUE(held()) << by_hand;
    release("person:tanaka");
    EXPECT_FALSE(held());
    must("device.set", {{"id", text("laptop")}, {"person", text("tanaka")}});
  }
}

TEST_F(FlagsTest, NamesAndKeysThatAreGoneStayCaught) {
  add_quarantine("person:tanaka");
  must("device.remove", {{"id", text("laptop")}});
  flag("person:tanaka", "critical");
  const auto held = [&](std::string_view id, std::string_view key) {
    must("device.add", {{"id", text(id)}, {"person", text("suzuki")}, {"public_key", text(key)}});
    const bool holds = is_held(id);
    must("device.remove", {{"id", text(id)}});
    return holds;
  };
  constexpr std::string_view kFresh = "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=";
  EXPECT_FALSE(held("other", "ZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGRkZGQ="));
  EXPECT_TRUE(held("found", kKeyA)) << "by its key";
  must("device.add",
       {{"id", text("laptop")}, {"person", text("suzuki")}, {"public_key", text(kFresh)}});
  EXPECT_FALSE(https(policy().devices.at(DeviceId("laptop")).addresses.front(), kWiki))
      << "by its name";
}

// Two sources of holds on one device: the one that is released leaves the other's.
TEST_F(FlagsTest, AFlagOfAPersonKeepsTheHoldOfTheirDevice) {
  add_quarantine("device:laptop", "cut");
  EXPECT_EQ(state_of("person:tanaka"), "acted");
  release("person:tanaka");
  EXPECT_TRUE(is_held("laptop"));
  release("device:laptop");
  EXPECT_FALSE(is_held("laptop"));
}

}  // namespace
}  // namespace sekisho::engine

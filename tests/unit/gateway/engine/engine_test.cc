#include "gateway/engine/engine.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "office.h"

namespace sekisho::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(EngineTest, GrantsOpenExactlyWhatTheySay) {
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_FALSE(https(kLaptop, kWiki));
  EXPECT_TRUE(https(kPhone, kWiki));
  EXPECT_FALSE(https(kPhone, kWeb));
  EXPECT_EQ(world.peers.size(), 2U);
}

TEST_F(EngineTest, TakingAwayGoesToTheKernelFirst) {
  must("grant.remove", {{"id", text("web")}});
  EXPECT_THAT(world.trace, ElementsAre("tables", "pending", "activate"));
  EXPECT_FALSE(https(kLaptop, kWeb));
}

TEST_F(EngineTest, GivingGoesToTheDiskFirst) {
  must("grant.add", {{"id", text("more")},
                     {"who", text("person:suzuki")},
                     {"resource", text("internet")},
                     {"reason", text("x")}});
  EXPECT_THAT(world.trace, ElementsAre("pending", "tables", "activate"));
  EXPECT_TRUE(https(kPhone, kWeb));
}

TEST_F(EngineTest, ABlockedDeviceLosesRightsThenTunnel) {
  must("device.set", {{"id", text("laptop")}, {"state", text("blocked")}});
  EXPECT_THAT(world.trace, ElementsAre("tables", "pending", "activate", "peers"));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_EQ(world.peers.size(), 1U);
}

TEST_F(EngineTest, ANewDeviceGetsRulesBeforeItsTunnel) {
  must("device.add", {{"id", text("tablet")},
                      {"person", text("tanaka")},
                      {"public_key", text("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=")}});
  EXPECT_THAT(world.trace, ElementsAre("pending", "tables", "activate", "peers"));
  EXPECT_TRUE(https(ip("10.66.0.4"), kWeb));
}

// Whatever fails, the kernel never allows more than the old or the new policy, a change that was
// answered with an error is not in force, and one that was answered with success is stored.
TEST_F(EngineTest, AnyFailureLeavesOldOrNew) {
  struct Case {
    std::string_view operation;
    Node::Table parameters;
  };
  const std::vector<Case> cases{
      {"grant.remove", {{"id", text("web")}}},
      {"grant.add",
       {{"id", text("more")},
        {"who", text("person:suzuki")},
        {"resource", text("internet")},
        {"reason", text("x")}}},
      {"device.set", {{"id", text("laptop")}, {"state", text("blocked")}}},
      {"device.remove", {{"id", text("phone")}}},
      {"resource.set", {{"id", text("wiki")}, {"prefixes", texts({"198.51.100.0/29"})}}},
      {"resource.add",
       {{"id", text("shop")},
        {"classification", text("public")},
        {"prefixes", texts({"203.0.113.0/28"})},
        {"services", texts({"https"})}}},
  };
  const World start = world;
  for (const Case& each : cases) {
    for (std::size_t failing = 0; failing < 8; ++failing) {
      World trial(test_network());
      trial.tell(Started{});
      trial.ask("policy.apply", {{"document", text(start.revisions.at(start.active).document)}});
      const auto picture = [](const World& w) {
        std::vector<bool> all;
        for (const IpAddress& from : {kLaptop, kPhone}) {
          for (const IpAddress& to : {kWeb, kWiki, ip("198.51.100.3"), ip("203.0.113.200")}) {
            all.push_back(w.passes(from, to, Protocol::tcp, Port(443)));
          }
        }
        return all;
      };
      const auto before = picture(trial);
      std::vector<std::vector<bool>> seen;
      trial.after_each = [&] { seen.push_back(picture(trial)); };
      trial.failing = {trial.effects + failing};
      const bool succeeded = trial.ask(each.operation, each.parameters).has_value();
      const auto after = picture(trial);

      World sound(test_network());
      sound.tell(Started{});
      sound.ask("policy.apply", {{"document", text(start.revisions.at(start.active).document)}});
      ASSERT_TRUE(sound.ask(each.operation, each.parameters).has_value()) << each.operation;
      const auto wanted = picture(sound);
      for (const auto& moment : seen) {
        for (std::size_t i = 0; i < moment.size(); ++i) {
          EXPECT_LE(moment[i], before[i] || wanted[i])
              << each.operation << " failing " << failing << " probe " << i;
        }
      }
      const bool stored = trial.active == RevisionNumber(2);
      EXPECT_EQ(after, stored ? wanted : before) << each.operation << " failing " << failing;
      EXPECT_TRUE(stored || !succeeded) << each.operation << " failing " << failing;
      EXPECT_FALSE(trial.pending.has_value() && !trial.failing.contains(trial.effects - 1));
    }
  }
}

// A disk that will not even abandon: the next change does that first, and is not refused for it.
TEST_F(EngineTest, WhatCouldNotBeAbandonedIsNoObstacle) {
  world.failing = {world.effects + 2, world.effects + 4, world.effects + 5};
  EXPECT_EQ(refused("grant.set", {{"id", text("web")}, {"who", text("person:suzuki")}}),
            ErrorCode::rolled_back);
  ASSERT_TRUE(world.pending.has_value());
  world.failing.clear();
  must("grant.remove", {{"id", text("web")}});
  EXPECT_FALSE(https(kLaptop, kWeb));
}

// The kernel may hold anything then: what a diff would make of it nobody knows.
TEST_F(EngineTest, NoDiffIsAppliedToTablesThatAreNotKnown) {
  world.failing = {world.effects};
  world.tell(Drifted{{"table is missing"}, {}});
  world.trace.clear();
  must("grant.remove", {{"id", text("web")}});
  EXPECT_THAT(world.trace, ElementsAre("install", "pending", "activate"));
  world.trace.clear();
  must("grant.remove", {{"id", text("wiki")}});
  EXPECT_THAT(world.trace, ElementsAre("tables", "pending", "activate"));
}

TEST_F(EngineTest, AnAddressThatChangesHandsIsTakenAwayFirst) {
  must("device.set", {{"id", text("laptop")},
                      {"person", text("suzuki")},
                      {"public_key", text("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=")}});
  EXPECT_THAT(world.trace, ElementsAre("pending", "peers", "tables", "activate", "peers"));
  EXPECT_TRUE(https(kLaptop, kWiki));
  EXPECT_EQ(world.peers.size(), 2U);
}

TEST_F(EngineTest, PeersFollowAClockThatWasSet) {
  must("person.set", {{"id", text("tanaka")}, {"valid_until", text("2026-11-22T02:00:00Z")}});
  world.set_clock(std::chrono::hours(3));
  must("grant.remove", {{"id", text("wiki")}});  // the tables know by this that tanaka has ended
  EXPECT_EQ(world.peers.size(), 2U);
  world.tell(ClockStepped{});
  EXPECT_EQ(world.peers.size(), 1U);
}

// What reached the kernel and was taken back there is told as that; what never did, is not.
TEST_F(EngineTest, TakenBackIsToldApart) {
  world.failing = {world.effects + 1};  // the disk, after the kernel
  EXPECT_EQ(refused("grant.remove", {{"id", text("web")}}), ErrorCode::rolled_back);
  EXPECT_TRUE(https(kLaptop, kWeb));
  world.failing = {world.effects};  // the kernel
  EXPECT_EQ(refused("grant.remove", {{"id", text("web")}}), ErrorCode::failed);
  EXPECT_TRUE(https(kLaptop, kWeb));
}

TEST_F(EngineTest, WhatAKernelThatRefusesEverythingWasNotAskedForIsNotAccepted) {
  world.failing = {world.effects};
  world.tell(Drifted{{"table is missing"}, {}});
  world.failing = {world.effects};  // still
  EXPECT_EQ(refused("person.set", {{"id", text("tanaka")}, {"name", text("T")}}),
            ErrorCode::failed);
  must("person.set", {{"id", text("tanaka")}, {"name", text("T")}});
  EXPECT_EQ(world.revisions.at(world.active).state, "active");
}

TEST_F(EngineTest, AnEditThatTakesNoRightAwayInterruptsNobody) {
  const AtomMark mark = world.mark_of(kWeb, Protocol::tcp, Port(443));
  world.live = {{{kLaptop, kWeb, Protocol::tcp, Port(443)}, mark.verified(), mark.check()}};
  const auto carried = [&] { return AtomMark::from_mark(world.live.front().ct_mark); };
  bool interrupted = false;
  world.after_each = [&] { interrupted |= !world.live_passes(kLaptop, carried()); };
  // The internet atom is cut anew: 203.0.113.240/28 leaves it.
  must("resource.add", {{"id", text("shop")},
                        {"classification", text("public")},
                        {"prefixes", texts({"203.0.113.240/28"})},
                        {"services", texts({"https"})}});
  EXPECT_FALSE(interrupted);
  EXPECT_NE(carried(), mark);
  EXPECT_FALSE(https(kLaptop, ip("203.0.113.241")));
  // The control: a flow that is not re-marked is refused at the end, not re-interpreted.
  EXPECT_FALSE(world.live_passes(kLaptop, mark));
}

TEST_F(EngineTest, ConflictingBaseIsRefusedAndRecorded) {
  EXPECT_EQ(refused("policy.apply", {{"document", text("")}, {"base", {std::int64_t{1}}}}),
            ErrorCode::conflict);
  ASSERT_EQ(world.record.size(), 1U);
  EXPECT_THAT(world.record.front().result, HasSubstr("is active"));
}

TEST_F(EngineTest, WithoutAuthorityNothingIsDoneAndItIsRecorded) {
  const auto reply = world.ask("grant.remove", {{"id", text("web")}}, control::Authority::auditor);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().front().code, ErrorCode::not_permitted);
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_EQ(world.record.size(), 1U);
}

TEST_F(EngineTest, RollbackNeverBringsADeviceBack) {
  must("device.remove", {{"id", text("laptop")}});
  must("grant.remove", {{"id", text("wiki")}});
  must("policy.rollback", {{"revision", {static_cast<std::int64_t>(world.active.value()) - 2}}});
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_TRUE(https(kPhone, kWiki));
}

TEST_F(EngineTest, GrantsBeginAndPeopleEndByTime) {
  must("grant.add", {{"id", text("later")},
                     {"who", text("person:suzuki")},
                     {"resource", text("internet")},
                     {"reason", text("x")},
                     {"from", text("2026-11-22T01:00:00Z")},
                     {"until", text("2026-11-22T02:00:00Z")}});
  must("person.set", {{"id", text("tanaka")}, {"valid_until", text("2026-11-22T03:00:00Z")}});
  EXPECT_FALSE(https(kPhone, kWeb));
  for (int wakes = 0; wakes < 10; ++wakes) {
    const auto due = world.engine.next_deadline();
    if (!due || *due > world.now + std::chrono::hours(1)) break;
    world.now = *due;
    world.tell(Woke{});
  }
  EXPECT_EQ(to_string(world.now), "2026-11-22T01:00:00Z");
  EXPECT_TRUE(https(kPhone, kWeb));
  world.now += std::chrono::hours(1);  // nobody wakes: the kernel ends it
  EXPECT_FALSE(https(kPhone, kWeb));
  world.now += std::chrono::hours(1);
  EXPECT_FALSE(https(kLaptop, kWeb));
  world.tell(Woke{});
  EXPECT_EQ(world.peers.size(), 1U);
}

TEST_F(EngineTest, DriftIsRepairedAndRecorded) {
  world.tables.grants.clear();
  world.tell(Drifted{{"set grants is empty"}, "nft (pid 7)"});
  EXPECT_TRUE(https(kLaptop, kWeb));
  ASSERT_FALSE(world.record.empty());
  EXPECT_EQ(world.record.back().operation, "drift");
  EXPECT_THAT(world.record.back().reason, HasSubstr("nft (pid 7)"));
}

TEST_F(EngineTest, RulesAreRepairedWithoutTheRestButNoOutageEndsSo) {
  world.tables.grants.clear();
  world.peers.clear();
  world.tell(Drifted{{"set grants is empty"}, "nft (pid 7)", true});
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_TRUE(world.peers.empty());
  EXPECT_EQ(world.record.back().operation, "drift");
  world.failing = {world.effects};
  world.tell(Drifted{{"table is missing"}, {}, true});
  world.tell(Drifted{{"table is missing"}, {}, true});
  EXPECT_FALSE(world.peers.empty());
  EXPECT_EQ(*must("status", {}).find("state")->string(), "enforcing");
}

TEST_F(EngineTest, AFailedRepairIsTriedAgain) {
  world.failing = {world.effects};
  world.tell(Drifted{{"table is missing"}, {}});
  EXPECT_EQ(*must("status", {}).find("state")->string(), "degraded");
  ASSERT_TRUE(world.engine.next_deadline().has_value());
  world.now = *world.engine.next_deadline();
  world.tell(Woke{});
  EXPECT_EQ(*must("status", {}).find("state")->string(), "enforcing");
}

// Two devices exchange their keys while the kernel may hold rules that an aborted change left, by
// which the one address may reach what the other never might. (Found by random days.)
TEST_F(EngineTest, PeersComeToRulesThatAreKnown) {
  world.failing = {world.effects};
  world.tell(Drifted{{"table is missing"}, {}});
  const CohortEntry laptops = world.tables.cohorts.at(kLaptop);
  world.tables.cohorts.at(kPhone) = laptops;
  Policy swapped = policy();
  std::swap(swapped.devices.at(DeviceId("laptop")).public_key,
            swapped.devices.at(DeviceId("phone")).public_key);
  bool opened = false;
  world.after_each = [&] {
    const bool new_peer = std::ranges::any_of(world.peers, [](const Peer& peer) {
      return peer.device == DeviceId("phone") && peer.public_key.to_string() == kKeyA;
    });
    opened |= new_peer && https(kPhone, kWeb);
  };
  must("policy.apply", {{"document", text(write_policy(swapped, Syntax::toml))}});
  EXPECT_FALSE(opened);
}

// A peer that was left where a repair failed, with an address that is another's by now: rules of
// that other's do not come while it is there. (Found by random days.)
TEST_F(EngineTest, NoStrangerFindsNewRules) {
  const Peer stranger{DeviceId("older"), *PublicKey::parse(kKeyB), {kLaptop}};
  world.failing = {world.effects};
  world.tell(Drifted{{"table is missing"}, {}});
  world.tables.cohorts.erase(kLaptop);
  world.peers = {stranger};
  bool passed = false;
  world.after_each = [&] {
    passed |= std::ranges::count(world.peers, stranger) > 0 && https(kLaptop, kWeb);
  };
  must("role.add", {{"id", text("other")}});
  world.now = *world.engine.next_deadline();
  world.tell(Woke{});
  EXPECT_FALSE(passed);
  EXPECT_TRUE(https(kLaptop, kWeb)) << "its own peer is back";
  EXPECT_EQ(world.peers.size(), 2U);
}

// However often the same repair fails, the record says once what was found and who did it, and once
// that it is right again.
TEST_F(EngineTest, AnOutageIsRecordedAtItsBeginningAndItsEnd) {
  for (int looks = 0; looks < 5; ++looks) {
    world.failing = {world.effects};
    world.tell(Drifted{{"table is missing"}, "nft (pid 7)"});
  }
  ASSERT_EQ(world.record.size(), 1U);
  EXPECT_EQ(world.record.back().operation, "drift");
  EXPECT_EQ(world.record.back().before, "table is missing");
  EXPECT_THAT(world.record.back().reason, HasSubstr("nft (pid 7)"));
  EXPECT_THAT(world.record.back().result, HasSubstr("injected failure"));
  world.now = *world.engine.next_deadline();
  world.tell(Woke{});
  ASSERT_EQ(world.record.size(), 2U);
  EXPECT_EQ(world.record.back().operation, "enforcement");
  EXPECT_THAT(world.record.back().before, HasSubstr("injected failure"));
  EXPECT_EQ(world.record.back().result, "ok");
  const auto status = must("status", {});
  EXPECT_EQ(std::get<std::int64_t>(status.find("repairs")->value), 0) << "nothing was repaired";
}

// A device can be cut off while its tunnel cannot be reached: its rights go, the peer follows.
TEST_F(EngineTest, RightsGoWhileTheTunnelCannotBeReached) {
  world.failing = {world.effects + 3};  // tables, pending, activate, peers
  EXPECT_EQ(refused("device.set", {{"id", text("laptop")}, {"state", text("blocked")}}),
            ErrorCode::failed);
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_EQ(world.peers.size(), 2U);
  EXPECT_EQ(*must("device.show", {{"id", text("laptop")}}).find("state")->string(), "blocked");
  world.now = *world.engine.next_deadline();
  world.tell(Woke{});
  EXPECT_EQ(world.peers.size(), 1U);
}

// Whatever the new time changes, that the clock was set stands in the record.
TEST_F(EngineTest, ASetClockIsRecordedAndEndsAreCountedAnew) {
  const auto clock_set = [&] {
    world.record.clear();
    world.trace.clear();
    world.tell(ClockStepped{});
    return world.record.size() == 1 && world.record.back().operation == "clock";
  };
  EXPECT_TRUE(clock_set()) << "nothing ends";
  EXPECT_THAT(world.trace, IsEmpty());
  must("grant.set", {{"id", text("web")}, {"until", text("2026-11-22T02:00:00Z")}});
  EXPECT_TRUE(clock_set()) << "an end is counted anew";
  EXPECT_THAT(world.trace, ElementsAre("tables"));
  world.now += std::chrono::hours(3);
  EXPECT_TRUE(clock_set()) << "it has ended by now";
  EXPECT_FALSE(https(kLaptop, kWeb));
}

TEST_F(EngineTest, ARestartKeepsNumbersAndPolicy) {
  const AtomMark mark = world.mark_of(kWeb, Protocol::tcp, Port(443));
  World again(test_network());
  again.tell(world.found());
  EXPECT_THAT(again.engine.fatal(), IsEmpty());
  EXPECT_EQ(again.mark_of(kWeb, Protocol::tcp, Port(443)), mark);
  EXPECT_TRUE(again.passes(kLaptop, kWeb, Protocol::tcp, Port(443)));
}

TEST_F(EngineTest, AReloadKeepsTheRevision) {
  Network wider = test_network();
  wider.public_prefixes.push_back(*Prefix::parse("192.0.2.0/24"));
  const RevisionNumber before = world.active;
  world.tell(Reconfigured{wider, {}});
  EXPECT_TRUE(https(kLaptop, ip("192.0.2.9")));
  ASSERT_EQ(world.record.size(), 1U);  // rights changed
  EXPECT_EQ(world.record.front().operation, "reload");
  EXPECT_EQ(world.record.front().actor.name, "sekishod");
  EXPECT_THAT(world.record.front().before, Not(HasSubstr("192.0.2.0/24")));
  EXPECT_THAT(world.record.front().after, HasSubstr("192.0.2.0/24"));
  world.tell(Reconfigured{wider, {}});
  EXPECT_EQ(world.record.size(), 1U);  // and now nothing did
  must("grant.remove", {{"id", text("web")}});
  EXPECT_EQ(world.active.value(), before.value() + 1);
}

TEST_F(EngineTest, APolicyThatDoesNotFitTheNetworkStopsTheStart) {
  Network other = test_network();
  other.pools = {*Prefix::parse("10.99.0.0/16")};
  World again(other);
  again.tell(world.found());
  EXPECT_FALSE(again.engine.fatal().empty());
  EXPECT_THAT(again.trace, IsEmpty());
}

TEST_F(EngineTest, WhatIsStillNamedIsNotRemovedAndSaysByWhom) {
  const auto told = [&](std::string_view operation, std::string_view id) {
    auto reply = world.ask(operation, {{"id", text(id)}});
    EXPECT_FALSE(reply.has_value()) << operation;
    return reply ? Error{} : reply.error().front();
  };
  const Error person = told("person.remove", "suzuki");
  EXPECT_EQ(person.object, "person.suzuki");
  EXPECT_EQ(person.cause, "is still named by device.phone, grant.wiki");
  EXPECT_EQ(person.advice, "first: device remove phone; grant remove wiki");
  EXPECT_EQ(told("role.remove", "sales").cause, "is still named by person.tanaka, grant.web");
  EXPECT_EQ(told("resource.remove", "wiki").advice, "first: grant remove wiki");
  must("grant.remove", {{"id", text("wiki")}});
  must("resource.remove", {{"id", text("wiki")}});
  must("device.remove", {{"id", text("phone")}});
  must("person.remove", {{"id", text("suzuki")}});
}

// A place would be one inside the request's JSON, which nobody sees.
TEST_F(EngineTest, MistakesInParametersHaveNoPlaceAndTheRecordNamesTheObject) {
  const auto reply = world.ask("grant.set", {{"id", text("web")}, {"from", text("yesterday")}});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().front().object, "grant.web.from");
  EXPECT_EQ(reply.error().front().place, "");
  ASSERT_EQ(world.record.size(), 1U);
  EXPECT_EQ(world.record.front().object, "grant.web");
  EXPECT_THAT(world.record.front().result, StartsWith("grant.web.from: "));
}

TEST_F(EngineTest, TheInternetIsListedAndShownAsBuiltIn) {
  const Node listed = must("resource.list", {});
  ASSERT_EQ(listed.array()->size(), 2U);
  const Node& internet = listed.array()->front();
  EXPECT_EQ(*internet.find("id")->string(), "internet");
  EXPECT_THAT(*internet.find("name")->string(), HasSubstr("built in"));
  EXPECT_EQ(internet.find("services")->array()->size(), 2U);
  EXPECT_EQ(write_json(must("resource.show", {{"id", text("internet")}})), write_json(internet));
  EXPECT_EQ(refused("resource.remove", {{"id", text("internet")}}), ErrorCode::not_found);
  must("resource.add", {{"id", text("internet")},
                        {"classification", text("public")},
                        {"services", texts({"https"})}});
  EXPECT_EQ(must("resource.list", {}).array()->size(), 2U);
  EXPECT_EQ(must("resource.show", {{"id", text("internet")}}).find("services")->array()->size(),
            1U);
  must("resource.remove", {{"id", text("internet")}});  // though a grant names it
}

TEST_F(EngineTest, ALimitIsANumberOfRows) {
  for (const std::string_view operation : {"policy.history", "audit.list"}) {
    for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1001}})
      EXPECT_EQ(refused(operation, {{"limit", {limit}}}), ErrorCode::invalid) << limit;
    must(operation, {{"limit", {std::int64_t{1}}}});
    must(operation, {{"limit", {std::int64_t{1}}}});
  }
}

TEST_F(EngineTest, MistakesChangeNothingAndSayWhatToDo) {
  EXPECT_EQ(refused("person.add", {{"id", text("tanaka")}}), ErrorCode::conflict);
  EXPECT_EQ(refused("person.add", {{"id", text("Tanaka!")}}), ErrorCode::invalid);
  EXPECT_EQ(refused("grant.remove", {{"id", text("nothing")}}), ErrorCode::not_found);
  EXPECT_EQ(refused("person.remove", {{"id", text("tanaka")}}), ErrorCode::invalid);
  EXPECT_EQ(refused("device.add", {{"id", text("x")}, {"person", text("tanaka")}}),
            ErrorCode::invalid);
  EXPECT_THAT(world.trace, IsEmpty());
  EXPECT_EQ(world.record.size(), 5U);
}

}  // namespace
}  // namespace sekisho::engine

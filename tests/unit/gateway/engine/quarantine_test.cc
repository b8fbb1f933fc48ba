#include <gmock/gmock.h>

#include <algorithm>

#include "office.h"

// Off the network by hand, and back.
namespace sekisho::engine {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const IpAddress kUpdates = ip("198.51.100.40");
constexpr std::string_view kKeyC = "Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M=";

// The office, with a resource that is left to those who are isolated.
class QuarantineTest : public EngineTest {
 protected:
  QuarantineTest() {
    must("resource.add", {{"id", text("updates")},
                          {"classification", text("internal")},
                          {"prefixes", texts({"198.51.100.32/28"})},
                          {"services", texts({"https"})}});
    edit_policy([](Policy& policy) { policy.response.remediation = {ResourceId("updates")}; });
    open_flow(kLaptop, kWeb);
    open_flow(kPhone, kWiki);
  }
  void open_flow(const IpAddress& from, const IpAddress& to) {
    const AtomMark mark = world.mark_of(to, Protocol::tcp, Port(443));
    world.live.push_back({{from, to, Protocol::tcp, Port(443)}, mark.verified(), mark.check()});
  }
  // The device's connections are still in the table.
  bool lives(const IpAddress& from) const {
    return std::ranges::any_of(world.live, [&](const model::LiveFlow& live) {
      return live.flow.source == from && live.ct_mark != 0;
    });
  }
  bool has_peer(std::string_view device) const {
    return std::ranges::count(world.peers, DeviceId(std::string(device)), &Peer::device) > 0;
  }
  std::string state() { return word(must("status", {}), "state"); }
  std::string why_not(std::string_view operation, Node::Table parameters) {
    const auto reply = world.ask(operation, std::move(parameters));
    return reply ? "it was done" : to_string(reply.error().front());
  }
};

TEST_F(QuarantineTest, ACutGoesKernelPeerConnectionsDisk) {
  const Node answer = add_quarantine("device:laptop", "cut");
  EXPECT_THAT(world.trace, ElementsAre("tables", "peers", "purge", "quarantine"));
  EXPECT_FALSE(https(kLaptop, kWeb) || https(kLaptop, kUpdates) || lives(kLaptop));
  EXPECT_FALSE(has_peer("laptop"));
  EXPECT_TRUE(https(kPhone, kWiki) && lives(kPhone) && has_peer("phone"));
  const Node& proof = *answer.find("proof");
  EXPECT_EQ(count(proof, "elements"), 2);
  EXPECT_EQ(count(proof, "peers_removed"), 1);
  EXPECT_EQ(count(proof, "purged"), 1);
  // Of four effects, a millisecond each, the first is the cut.
  EXPECT_EQ(std::get<double>(proof.find("milliseconds")->value), 1.0);
  EXPECT_EQ(std::get<double>(proof.find("milliseconds_in_all")->value), 4.0);
  ASSERT_EQ(world.quarantines.size(), 1U);
  EXPECT_EQ(world.quarantines[0].devices, std::vector{DeviceId("laptop")});
  EXPECT_EQ(world.record.back().operation, "quarantine.add");
  EXPECT_EQ(world.record.back().object, "device:laptop");
  EXPECT_EQ(world.record.back().reason, "it was lost");
}

TEST_F(QuarantineTest, AnIsolatedDeviceKeepsItsTunnelAndWhatMendsIt) {
  EXPECT_FALSE(https(kLaptop, kUpdates)) << "nobody has a grant on it";
  add_quarantine("person:tanaka");
  EXPECT_THAT(world.trace, ElementsAre("tables", "purge", "quarantine"));
  EXPECT_TRUE(https(kLaptop, kUpdates) && has_peer("laptop"));
  EXPECT_FALSE(https(kLaptop, kWeb) || lives(kLaptop) || https(kPhone, kUpdates));
}

TEST_F(QuarantineTest, EveryoneIsStoppedBeforeAnythingIsWorkedOut) {
  std::vector<bool> passed;
  world.after_each = [&] { passed.push_back(https(kLaptop, kWeb) || https(kPhone, kWiki)); };
  add_quarantine("everyone");
  EXPECT_THAT(world.trace, ElementsAre("tables", "tables", "purge", "quarantine"));
  EXPECT_FALSE(std::ranges::count(passed, true));
  EXPECT_TRUE(https(kLaptop, kUpdates) && https(kPhone, kUpdates));
  world.trace.clear();
  add_quarantine("everyone", "cut");
  EXPECT_THAT(world.trace, ElementsAre("tables", "peers", "purge", "quarantine"));
  EXPECT_FALSE(https(kLaptop, kUpdates) || https(kPhone, kUpdates));
  EXPECT_THAT(world.peers, IsEmpty());
  release("everyone");
  EXPECT_TRUE(https(kLaptop, kWeb) && https(kPhone, kWiki));
  EXPECT_EQ(world.peers.size(), 2U);
}

TEST_F(QuarantineTest, NobodyReachesAQuarantinedResource) {
  add_quarantine("resource:wiki");
  EXPECT_THAT(world.trace, ElementsAre("tables", "purge", "quarantine"));
  EXPECT_FALSE(https(kPhone, kWiki) || lives(kPhone));
  EXPECT_TRUE(https(kLaptop, kWeb) && lives(kLaptop));
  release("resource:wiki");
  EXPECT_TRUE(https(kPhone, kWiki));
}

TEST_F(QuarantineTest, SaidAgainItIsProvenAgainAndDoneOnlyWhereItIsStricter) {
  add_quarantine("device:laptop");
  open_flow(kLaptop, kWeb);
  world.trace.clear();
  world.record.clear();
  const Node again = add_quarantine("device:laptop");
  EXPECT_FALSE(yes(again, "changed"));
  EXPECT_THAT(world.trace, ElementsAre("confirm tables", "purge"));
  EXPECT_EQ(count(*again.find("proof"), "elements"), 2);
  EXPECT_EQ(count(*again.find("proof"), "purged"), 1) << "what had come to life since";
  ASSERT_EQ(world.record.size(), 1U);
  EXPECT_EQ(world.record[0].result, "it was quarantined already");
  EXPECT_TRUE(yes(add_quarantine("device:laptop", "cut"), "changed"));
  EXPECT_FALSE(has_peer("laptop"));
  EXPECT_FALSE(yes(add_quarantine("device:laptop"), "changed")) << "no release in disguise";
  EXPECT_FALSE(has_peer("laptop") || https(kLaptop, kUpdates));
  EXPECT_EQ(world.quarantines.size(), 1U);
}

// The kernel has lost the hold and nobody has noticed: saying it again brings it back.
TEST_F(QuarantineTest, SaidAgainItIsMendedWhereItIsNotSo) {
  add_quarantine("device:laptop");
  for (auto& [address, entry] : world.tables.cohorts) {
    if (address == kLaptop) entry.cohort = Cohort(1);
  }
  world.trace.clear();
  must("quarantine.add", {{"target", text("device:laptop")}, {"reason", text("again")}});
  EXPECT_THAT(world.trace, ElementsAre("confirm tables", "install", "confirm tables", "purge"));
  EXPECT_EQ(world.tables.cohorts.at(kLaptop).cohort, kIsolatedCohort);
}

TEST_F(QuarantineTest, WhatTheDiskOwesIsStoredWhenItIsSaidAgain) {
  world.failing = {world.effects + 2};
  const auto reply =
      world.ask("quarantine.add", {{"target", text("device:laptop")}, {"reason", text("lost")}});
  ASSERT_FALSE(reply);
  EXPECT_THAT(to_string(reply.error().front()), HasSubstr("no packet after "));
  EXPECT_THAT(world.quarantines, IsEmpty());
  must("quarantine.add", {{"target", text("device:laptop")}, {"reason", text("lost")}});
  EXPECT_EQ(world.quarantines.size(), 1U);
}

TEST_F(QuarantineTest, EveryHoldIsProven) {
  for (const char* target : {"everyone", "resource:wiki", "device:laptop", "person:suzuki"}) {
    const Node first = *add_quarantine(target).find("proof");
    const Node again = *add_quarantine(target).find("proof");
    EXPECT_GT(count(first, "elements"), 0) << target;
    EXPECT_EQ(count(again, "elements"), count(first, "elements")) << target;
    EXPECT_NE(word(first, "last_packet_before"), "(none)") << target;
  }
}

// Whatever fails, the rest is done, and what failed is done in the end.
TEST_F(QuarantineTest, AStepThatFailsStopsNoOther) {
  struct Case {
    std::string_view target;
    std::vector<std::string> steps;  // all of them
  };
  const std::vector<Case> cases{
      {"device:laptop", {"tables", "peers", "purge", "quarantine"}},
      {"person:tanaka", {"tables", "peers", "purge", "quarantine"}},
      {"everyone", {"tables", "peers", "purge", "quarantine"}},
      {"resource:wiki", {"tables", "purge", "quarantine"}},
  };
  const World sound = world;
  for (const Case& each : cases) {
    for (std::size_t failing = 0; failing < each.steps.size(); ++failing) {
      SCOPED_TRACE(std::string(each.target) + " failing " + each.steps[failing]);
      // An engine is not copied: a new one starts with what is on the disk.
      static_cast<Kernel&>(world) = sound;
      static_cast<Disk&>(world) = sound;
      world.restart();
      world.trace.clear();
      const IpAddress held = each.target == "resource:wiki" ? kPhone : kLaptop;
      const IpAddress place = held == kPhone ? kWiki : kWeb;
      ASSERT_TRUE(https(held, place) && lives(held));
      world.failing = {world.effects + failing};
      Node::Table parameters{{"target", text(each.target)}, {"reason", text("lost")}};
      if (held == kLaptop) parameters.emplace_back("level", text("cut"));
      const auto reply = world.ask("quarantine.add", std::move(parameters));

      const bool tables = each.steps[failing] == "tables";
      std::vector<std::string> others = each.steps;
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(failing));
      if (tables) others.insert(others.begin(), {"install", "confirm tables"});
      EXPECT_EQ(world.trace, others);
      EXPECT_EQ(reply.has_value(), tables);
      EXPECT_FALSE(https(held, place));
      EXPECT_EQ(lives(held), each.steps[failing] == "purge");
      EXPECT_EQ(world.quarantines.size(), each.steps[failing] == "quarantine" ? 0U : 1U);
      if (!tables) {
        EXPECT_EQ(state(), "degraded");
        EXPECT_THAT(to_string(reply.error().front()), HasSubstr("held as far as could be"));
        pass(seconds(1));
      }
      EXPECT_EQ(state(), "enforcing");
      EXPECT_EQ(world.quarantines.size(), 1U);
      EXPECT_EQ(has_peer("laptop"), held == kPhone);
      world.restart();
      EXPECT_FALSE(https(held, place));
      EXPECT_EQ(state(), "enforcing");
    }
  }
}

TEST_F(QuarantineTest, AKernelThatRefusesEverythingStillLosesThePeer) {
  // The change, all rules, and a look.
  world.failing = {world.effects, world.effects + 1, world.effects + 2};
  EXPECT_FALSE(world.ask(
      "quarantine.add",
      {{"target", text("device:laptop")}, {"reason", text("lost")}, {"level", text("cut")}}));
  EXPECT_THAT(world.trace, ElementsAre("peers", "purge", "quarantine"));
  EXPECT_FALSE(has_peer("laptop"));
  pass(seconds(1));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_EQ(state(), "enforcing");
}

TEST_F(QuarantineTest, ADiskThatStaysFullIsTriedEverySecondAndNobodyIsReleased) {
  bool full = true;
  world.fate = [&] {
    return full && world.trace.back() == "quarantine" ? Fate::fails : Fate::done;
  };
  EXPECT_FALSE(
      world.ask("quarantine.add", {{"target", text("device:laptop")}, {"reason", text("lost")}}));
  for (int second = 0; second < 3; ++second) {
    pass(seconds(1));
    EXPECT_EQ(state(), "degraded");
    EXPECT_FALSE(https(kLaptop, kWeb));
  }
  EXPECT_EQ(std::ranges::count(world.trace, "quarantine"), 4);
  EXPECT_THAT(why_not("quarantine.release", {{"target", text("device:laptop")},
                                             {"reason", text("clean")},
                                             {"finding", text("none")}}),
              HasSubstr("device:laptop: a quarantine has not come to the disk yet"));
  EXPECT_FALSE(https(kLaptop, kWeb));
  full = false;
  pass(seconds(1));
  EXPECT_EQ(state(), "enforcing");
  EXPECT_EQ(world.quarantines.size(), 1U);
  release("device:laptop");
  EXPECT_TRUE(https(kLaptop, kWeb));
}

TEST_F(QuarantineTest, OutlivesTheDaemon) {
  add_quarantine("device:laptop", "cut");
  add_quarantine("resource:wiki");
  world.restart();
  EXPECT_FALSE(https(kLaptop, kWeb) || has_peer("laptop") || https(kPhone, kWiki));
  release("device:laptop");
  release("resource:wiki");
  world.restart();
  EXPECT_TRUE(https(kLaptop, kWeb) && has_peer("laptop") && https(kPhone, kWiki));
}

// ---- release ----

TEST_F(QuarantineTest, AReleaseGoesToTheDiskFirstAndSaysWhatWasFound) {
  add_quarantine("device:laptop", "cut");
  world.trace.clear();
  EXPECT_TRUE(yes(release("device:laptop"), "released"));
  EXPECT_THAT(world.trace, ElementsAre("release", "tables", "peers"));
  EXPECT_TRUE(https(kLaptop, kWeb) && has_peer("laptop"));
  EXPECT_THAT(world.quarantines, IsEmpty());
  EXPECT_EQ(world.record.back().operation, "quarantine.release");
  EXPECT_THAT(world.record.back().after, HasSubstr("finding = \"none\""));
  EXPECT_EQ(refused("quarantine.release", {{"target", text("device:laptop")},
                                           {"reason", text("clean")},
                                           {"finding", text("none")}}),
            ErrorCode::not_found);
}

TEST_F(QuarantineTest, NobodyIsReleasedWithoutAReasonAFindingOrTheAuthority) {
  add_quarantine("device:laptop");
  const auto attempt = [&](std::string_view reason, std::string_view finding,
                           control::Authority authority) {
    const auto reply = world.ask(
        "quarantine.release",
        {{"target", text("device:laptop")}, {"reason", text(reason)}, {"finding", text(finding)}},
        authority);
    return reply ? "released" : reply.error().front().object;
  };
  EXPECT_EQ(attempt("", "none", control::Authority::officer), "reason");
  EXPECT_EQ(attempt("clean", "", control::Authority::officer), "finding");
  EXPECT_EQ(attempt("clean", "none", control::Authority::administrator), "quarantine.release");
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_EQ(attempt("clean", "none", control::Authority::officer), "released");
}

TEST_F(QuarantineTest, AReleaseThatTheDiskRefusesReleasesNobody) {
  add_quarantine("device:laptop");
  world.failing = {world.effects};
  EXPECT_EQ(refused("quarantine.release", {{"target", text("device:laptop")},
                                           {"reason", text("clean")},
                                           {"finding", text("none")}}),
            ErrorCode::failed);
  EXPECT_FALSE(https(kLaptop, kWeb));
  world.restart();
  EXPECT_FALSE(https(kLaptop, kWeb));
}

class TwoPeople : public QuarantineTest {
 protected:
  TwoPeople() {
    edit_policy([](Policy& policy) { policy.response.two_people = true; });
    add_quarantine("device:laptop");
  }
  // Whether that was the release.
  bool agrees(const std::string& name, std::uint32_t uid) {
    const auto reply = world.ask(
        "quarantine.release",
        {{"target", text("device:laptop")}, {"reason", text("clean")}, {"finding", text("none")}},
        control::Actor{.name = name, .uid = uid, .authority = control::Authority::officer});
    return reply && yes(*reply, "released");
  }
};

TEST_F(TwoPeople, ReleaseTogether) {
  EXPECT_FALSE(agrees("sato", 1001));
  EXPECT_EQ(world.record.back().result, "waits for a second person");
  EXPECT_EQ(word(must("quarantine.show", {{"target", text("device:laptop")}}), "release_asked_by"),
            "sato");
  EXPECT_FALSE(agrees("sato", 1001)) << "one who says it twice is one";
  EXPECT_FALSE(agrees("sato-too", 1001)) << "under whatever name";
  EXPECT_FALSE(https(kLaptop, kWeb));
  world.restart();
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_TRUE(agrees("suzuki", 1002));
  EXPECT_TRUE(https(kLaptop, kWeb));
  EXPECT_EQ(world.record.back().actor.name, "suzuki");
}

TEST_F(TwoPeople, AreOneWhereThePolicySaysSo) {
  edit_policy([](Policy& policy) { policy.response.two_people = false; });
  add_quarantine("device:phone");
  release("device:phone");
  EXPECT_TRUE(https(kPhone, kWiki));
}

// Else one who wants somebody back would take the rule out first.
TEST_F(TwoPeople, StayTwoForWhatWasHeldUnderThatRule) {
  edit_policy([](Policy& policy) { policy.response.two_people = false; });
  EXPECT_FALSE(agrees("sato", 1001));
  world.restart();
  EXPECT_FALSE(agrees("sato", 1001));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_TRUE(agrees("suzuki", 1002));
}

TEST_F(TwoPeople, TheOfficerIsToldThatOneWaits) {
  world.notices.clear();
  EXPECT_FALSE(agrees("sato", 1001));
  ASSERT_EQ(world.notices.size(), 1U);
  EXPECT_EQ(world.notices.back().kind, notice::Kind::release_asked);
  EXPECT_EQ(world.notices.back().actor, "sato");
}

// Who says it again meanwhile objects.
TEST_F(TwoPeople, BeginAgainWhereItIsSaidAgain) {
  EXPECT_FALSE(agrees("sato", 1001));
  EXPECT_TRUE(yes(add_quarantine("device:laptop"), "changed"));
  EXPECT_EQ(world.record.back().operation, "quarantine.add");
  EXPECT_FALSE(agrees("suzuki", 1002));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_TRUE(agrees("sato", 1001));
}

// What the first agreed to is not what is in force any more.
TEST_F(TwoPeople, BeginAgainWhereItBecameStricter) {
  EXPECT_FALSE(agrees("sato", 1001));
  add_quarantine("device:laptop", "cut");
  EXPECT_FALSE(agrees("suzuki", 1002));
  EXPECT_FALSE(https(kLaptop, kWeb));
  EXPECT_TRUE(agrees("sato", 1001));
}

TEST_F(TwoPeople, ARequestThatIsNotKeptIsNone) {
  world.failing = {world.effects};
  EXPECT_FALSE(agrees("sato", 1001));
  EXPECT_FALSE(agrees("suzuki", 1002));
  EXPECT_TRUE(agrees("sato", 1001));
}

// ---- edits of the policy ----

TEST_F(QuarantineTest, ATrialNeitherStopsNorUndoesIt) {
  Policy trial = policy();
  trial.devices.erase(DeviceId("laptop"));
  trial.grants.erase(GrantId("wiki"));
  add_quarantine("device:laptop", "cut");
  must("policy.apply",
       {{"document", text(write_policy(trial, Syntax::toml))}, {"confirm", text("60s")}});
  add_quarantine("device:phone");
  EXPECT_TRUE(https(kPhone, kUpdates)) << "isolated, on trial or not";
  pass(seconds(60));
  EXPECT_FALSE(world.provisional);
  EXPECT_TRUE(policy().devices.contains(DeviceId("laptop"))) << "it is back in the policy";
  EXPECT_FALSE(https(kLaptop, kWeb) || has_peer("laptop") || https(kPhone, kWiki));
  EXPECT_THAT(world.quarantines, testing::SizeIs(2));
  release("device:phone");
  release("device:laptop");
  EXPECT_TRUE(https(kLaptop, kWeb) && has_peer("laptop") && https(kPhone, kWiki));
}

TEST_F(QuarantineTest, ItIsReleasedDuringATrialToo) {
  add_quarantine("device:phone");
  Policy trial = policy();
  trial.grants.erase(GrantId("web"));
  must("policy.apply",
       {{"document", text(write_policy(trial, Syntax::toml))}, {"confirm", text("60s")}});
  release("device:phone");
  EXPECT_TRUE(https(kPhone, kWiki));
  pass(seconds(60));
  EXPECT_TRUE(https(kPhone, kWiki) && https(kLaptop, kWeb));
}

// A trial that renames what is quarantined, or widens it, gives nothing back with its end, and
// leaves nothing behind.
TEST_F(QuarantineTest, ATrialsEndLetsNoQuarantinedResourceGo) {
  const Policy before = policy();
  Policy trial = before;
  Resource wiki = trial.resources.at(ResourceId("wiki"));
  trial.resources.erase(ResourceId("wiki"));
  wiki.services.push_back(
      {.kind = ServiceKind::tcp, .ports = PortRange::single(7000), .reason = "an old machine"});
  trial.resources[ResourceId("handbook")] = wiki;
  trial.grants.at(GrantId("wiki")).resource = ResourceId("handbook");
  for (const bool by_hand : {false, true}) {
    SCOPED_TRACE(by_hand);
    must("policy.apply",
         {{"document", text(write_policy(trial, Syntax::toml))}, {"confirm", text("60s")}});
    add_quarantine("resource:handbook");
    if (by_hand) {
      must("policy.rollback",
           {{"revision", {static_cast<std::int64_t>(world.provisional->back_to.value())}}});
    } else {
      pass(seconds(60));
    }
    EXPECT_FALSE(world.provisional);
    EXPECT_EQ(policy(), before);
    EXPECT_FALSE(https(kPhone, kWiki));
    world.restart();
    EXPECT_FALSE(https(kPhone, kWiki));
    release("resource:handbook");
    EXPECT_TRUE(https(kPhone, kWiki));
  }
}

// Its addresses stay closed whatever becomes of it, and so do those that it gets.
TEST_F(QuarantineTest, AQuarantinedResourceIsEditedAndStaysClosed) {
  const IpAddress added = ip("198.51.100.70");
  const auto apply = [&](const std::function<void(Policy&)>& edit) {
    Policy edited = policy();
    edit(edited);
    must("policy.apply", {{"document", text(write_policy(edited, Syntax::toml))}});
  };
  const Policy before = policy();
  add_quarantine("resource:wiki");
  must("resource.set",
       {{"id", text("wiki")}, {"prefixes", texts({"198.51.100.0/28", "198.51.100.64/28"})}});
  EXPECT_FALSE(https(kPhone, kWiki) || https(kPhone, added));
  must("resource.set", {{"id", text("wiki")}, {"prefixes", texts({"198.51.100.64/28"})}});
  must("resource.add", {{"id", text("rest")},
                        {"classification", text("internal")},
                        {"prefixes", texts({"198.51.100.0/27"})},
                        {"services", texts({"https"})}});
  must("grant.add", {{"id", text("rest")},
                     {"who", text("person:suzuki")},
                     {"resource", text("rest")},
                     {"reason", text("work")}});
  EXPECT_FALSE(https(kPhone, kWiki) || https(kPhone, added));
  EXPECT_TRUE(https(kPhone, ip("198.51.100.20"))) << "and nothing beside them is";
  apply([](Policy& edited) {
    edited.grants.erase(GrantId("wiki"));
    edited.resources.erase(ResourceId("wiki"));
  });
  EXPECT_FALSE(https(kPhone, kWiki));
  world.restart();
  EXPECT_FALSE(https(kPhone, kWiki));
  release("resource:wiki");
  EXPECT_TRUE(https(kPhone, kWiki));
  apply([&](Policy& edited) { edited = before; });
  EXPECT_TRUE(https(kPhone, kWiki));
}

// Part of the internet under another name.
TEST_F(QuarantineTest, TheInternetStaysClosedUnderAnotherName) {
  add_quarantine("resource:internet");
  must("resource.add", {{"id", text("twin")},
                        {"classification", text("internal")},
                        {"prefixes", texts({"203.0.113.0/24"})},
                        {"services", texts({"https", "ssh"})}});
  must("grant.add", {{"id", text("twin")},
                     {"who", text("person:tanaka")},
                     {"resource", text("twin")},
                     {"reason", text("work")}});
  EXPECT_FALSE(https(kLaptop, kWeb));
  release("resource:internet");
  EXPECT_TRUE(https(kLaptop, kWeb));
}

// What the configuration makes part of the internet is closed with it.
TEST_F(QuarantineTest, AReloadOpensNoQuarantinedInternet) {
  const IpAddress added = ip("10.99.0.5");
  Network wider = test_network();
  wider.public_prefixes.push_back(*Prefix::parse("10.99.0.0/24"));
  EXPECT_FALSE(https(kLaptop, added)) << "private, as shipped";
  add_quarantine("resource:internet");
  world.tell(Reconfigured{wider, {}});
  EXPECT_FALSE(https(kLaptop, added));
  world.restart();
  EXPECT_FALSE(https(kLaptop, added));
  release("resource:internet");
  EXPECT_TRUE(https(kLaptop, added));
}

// A person under another id, by an edit and by a trial's end.
TEST_F(QuarantineTest, APersonStaysHeldUnderAnotherId) {
  const auto rename = [&](Policy& edited) {
    edited.people[PersonId("suzuki-h")] = edited.people.at(PersonId("suzuki"));
    edited.people.erase(PersonId("suzuki"));
    edited.devices.at(DeviceId("phone")).person = PersonId("suzuki-h");
    edited.grants.at(GrantId("wiki")).who = PersonId("suzuki-h");
  };
  const auto second = [&](std::string_view person) {
    must("device.add",
         {{"id", text("tablet")}, {"person", text(person)}, {"public_key", text(kKeyC)}});
    return policy().devices.at(DeviceId("tablet")).addresses.front();
  };
  add_quarantine("person:suzuki", "cut");
  Policy renamed = policy();
  rename(renamed);
  must("policy.apply", {{"document", text(write_policy(renamed, Syntax::toml))}});
  EXPECT_FALSE(https(kPhone, kWiki));
  EXPECT_FALSE(https(second("suzuki-h"), kWiki));
  release("person:suzuki");
  EXPECT_TRUE(https(kPhone, kWiki));
  must("device.remove", {{"id", text("tablet")}});

  const Policy before = policy();
  Policy trial = before;
  trial.people[PersonId("other")] = trial.people.at(PersonId("suzuki-h"));
  trial.people.erase(PersonId("suzuki-h"));
  trial.devices.at(DeviceId("phone")).person = PersonId("other");
  trial.grants.at(GrantId("wiki")).who = PersonId("other");
  must("policy.apply",
       {{"document", text(write_policy(trial, Syntax::toml))}, {"confirm", text("60s")}});
  add_quarantine("person:other", "cut");
  pass(seconds(60));
  EXPECT_EQ(policy(), before);
  EXPECT_FALSE(https(kPhone, kWiki));
  EXPECT_FALSE(https(second("suzuki-h"), kWiki));
}

// The same addresses under another name.
TEST_F(QuarantineTest, AnotherResourceDoesNotOpenWhatIsQuarantined) {
  const auto add_twin = [&](std::string_view id, std::string_view prefix) {
    must("resource.add", {{"id", text(id)},
                          {"classification", text("internal")},
                          {"prefixes", texts({std::string(prefix)})},
                          {"services", texts({"https"})}});
    must("grant.add", {{"id", text(id)},
                       {"who", text("role:sales")},
                       {"resource", text(id)},
                       {"reason", text("work")}});
  };
  add_quarantine("resource:wiki");
  add_twin("inside", "198.51.100.8/29");
  add_twin("around", "198.51.100.0/27");
  EXPECT_FALSE(https(kLaptop, kWiki));
  EXPECT_TRUE(https(kLaptop, ip("198.51.100.20"))) << "only the twin's own";
  release("resource:wiki");
  EXPECT_TRUE(https(kLaptop, kWiki));
}

TEST_F(QuarantineTest, ADeviceIsHeldUnderItsNewNameKeyAndPerson) {
  add_quarantine("person:tanaka", "cut");
  must("device.set", {{"id", text("laptop")}, {"person", text("suzuki")}});
  must("device.set", {{"id", text("laptop")}, {"public_key", text(kKeyC)}});
  EXPECT_FALSE(has_peer("laptop") || https(kLaptop, kWiki));
  must("device.remove", {{"id", text("laptop")}});
  must("device.add",
       {{"id", text("tablet")}, {"person", text("suzuki")}, {"public_key", text(kKeyC)}});
  const IpAddress tablet = policy().devices.at(DeviceId("tablet")).addresses.front();
  EXPECT_FALSE(has_peer("tablet") || https(tablet, kWiki));
  EXPECT_THAT(world.quarantines.front().devices,
              UnorderedElementsAre(DeviceId("laptop"), DeviceId("tablet")));
  release("person:tanaka");
  EXPECT_TRUE(has_peer("tablet") && https(tablet, kWiki));
}

TEST_F(QuarantineTest, OffboardingEndsConnectionsAndNoQuarantine) {
  add_quarantine("person:tanaka");
  open_flow(kLaptop, kUpdates);
  world.trace.clear();
  const Node preview = must("person.offboard", {{"id", text("tanaka")}});
  EXPECT_FALSE(yes(preview, "changed"));
  EXPECT_TRUE(https(kLaptop, kUpdates) && lives(kLaptop));
  EXPECT_THAT(world.trace, IsEmpty());
  const Node done = must("person.offboard", {{"id", text("tanaka")}, {"yes", {true}}});
  EXPECT_EQ(count(*done.find("proof"), "purged"), 1);
  EXPECT_FALSE(https(kLaptop, kUpdates) || lives(kLaptop) || has_peer("laptop"));
  EXPECT_TRUE(https(kPhone, kWiki) && lives(kPhone));
  EXPECT_THAT(world.quarantines, testing::SizeIs(1));
  // The device with somebody else.
  must("device.add",
       {{"id", text("found")}, {"person", text("suzuki")}, {"public_key", text(kKeyA)}});
  EXPECT_FALSE(https(policy().devices.at(DeviceId("found")).addresses.front(), kWiki));
  release("person:tanaka");
  EXPECT_TRUE(https(policy().devices.at(DeviceId("found")).addresses.front(), kWiki));
}

// ---- the drill ----

TEST_F(QuarantineTest, ADrillDoesAllThatACutDoesToNobody) {
  const Tables before = world.tables;
  const Node answer = must("quarantine.test", {});
  EXPECT_THAT(world.trace, ElementsAre("tables", "tables", "purge"));
  EXPECT_EQ(world.tables, before);
  EXPECT_GT(count(*answer.find("proof"), "elements"), 0);
  EXPECT_THAT(world.quarantines, IsEmpty());
  EXPECT_TRUE(lives(kLaptop) && lives(kPhone));
  EXPECT_EQ(world.record.back().operation, "quarantine.test");
}

TEST_F(QuarantineTest, ADrillThatFailsLeavesNobodyIn) {
  const Tables before = world.tables;
  world.failing = {world.effects + 1};  // the cut: all rules are put in instead
  must("quarantine.test", {});
  EXPECT_EQ(world.tables, before);
  world.failing = {world.effects + 1, world.effects + 2};  // and these too
  EXPECT_FALSE(world.ask("quarantine.test", {}));
  EXPECT_NE(world.tables, before);
  pass(seconds(1));
  EXPECT_EQ(world.tables, before);
  EXPECT_EQ(state(), "enforcing");
}

}  // namespace
}  // namespace sekisho::engine

#include "policy/explain/access.h"

#include <gmock/gmock.h>

#include <functional>

#include "policy/compile/compile.h"
#include "policy/explain/live_flows.h"
#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

using model::address;
using model::kNow;
using model::PolicyBuilder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum Classification;

Time after(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

PolicyBuilder office() {
  PolicyBuilder policy;
  policy.person("sato", {"sales"})
      .person("tanaka", {"sales"})
      .device("sato-pc", "sato", {"10.66.0.2", "fd66::2"})
      .device("tanaka-pc", "tanaka", {"10.66.0.3"})
      .resource("lan", internal, {"10.1.0.0/16"}, {"https", "ssh"})
      .resource("wiki", public_, {"10.3.0.0/24"}, {"https"})
      .grant("sales-wiki", "role:sales", "wiki")
      .grant("sato-lan", "sato", "lan");
  return policy;
}

// "sato,tanaka gains wiki https: always -> always in 10.1.0.0/16"
std::vector<std::string> told(const PolicyBuilder& from, const PolicyBuilder& to) {
  const ValidPolicy before = from.valid();
  const ValidPolicy after = to.valid();
  const AtomSpace old = cut(before, {}).value();
  const AtomSpace fresh = cut(after, old).value();
  std::vector<std::string> lines;
  for (const AccessChange& change : access_changes(
           {before, old}, {after, fresh}, difference(before.policy(), after.policy()), kNow)) {
    std::string line;
    for (const PersonId& person : change.people) line += (line.empty() ? "" : ",") + person.str();
    line += " " + std::string(to_string(change.kind)) + " " + change.resource.str();
    for (const std::string& service : change.services) line += " " + service;
    line += ": " + to_string(change.before) + " -> " + to_string(change.after);
    for (const std::string& where : change.where) line += " " + where;
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> told(const std::function<void(PolicyBuilder&)>& edit) {
  PolicyBuilder after = office();
  edit(after);
  return told(office(), after);
}

TEST(AccessChanges, NothingIsNothing) {
  EXPECT_THAT(told(office(), office()), IsEmpty());
}

TEST(AccessChanges, AGrantIsGainedAndLost) {
  PolicyBuilder more = office();
  more.grant("tanaka-lan", "tanaka", "lan", {}, after(3600));
  EXPECT_THAT(told(office(), more),
              ElementsAre("tanaka gains lan https ssh:  -> until 2027-01-15T09:00:00Z"));
  EXPECT_THAT(told(more, office()),
              ElementsAre("tanaka loses lan https ssh: until 2027-01-15T09:00:00Z -> "));
}

TEST(AccessChanges, PeopleOfWhomTheSameIsToBeSaidAreToldTogether) {
  EXPECT_THAT(
      told([](PolicyBuilder& policy) { policy.policy.grants.erase(GrantId("sales-wiki")); }),
      ElementsAre("sato,tanaka loses wiki https: always -> "));
}

TEST(AccessChanges, WhatASecondGrantGivesIsNoChange) {
  EXPECT_THAT(told([](PolicyBuilder& policy) { policy.grant("again", "sato", "wiki"); }),
              IsEmpty());
  EXPECT_THAT(told([](PolicyBuilder& policy) {
                policy.policy.grants.at(GrantId("sato-lan")).reason = "another";
              }),
              IsEmpty());
}

TEST(AccessChanges, AnotherTimeIsMoreOrLessOrBoth) {
  const auto set = [](std::optional<Time> from, std::optional<Time> until) {
    PolicyBuilder policy = office();
    policy.policy.grants.at(GrantId("sato-lan")).from = from;
    policy.policy.grants.at(GrantId("sato-lan")).until = until;
    return policy;
  };
  EXPECT_THAT(told(set({}, after(10)), set({}, after(20))),
              ElementsAre("sato gains lan https ssh: until 2027-01-15T08:00:10Z -> until "
                          "2027-01-15T08:00:20Z"));
  EXPECT_THAT(told(set({}, after(20)), set({}, after(10))),
              ElementsAre("sato loses lan https ssh: until 2027-01-15T08:00:20Z -> until "
                          "2027-01-15T08:00:10Z"));
  EXPECT_THAT(told(set({}, after(20)), set(after(10), after(30))),
              ElementsAre("sato changes lan https ssh: until 2027-01-15T08:00:20Z -> from "
                          "2027-01-15T08:00:10Z, until 2027-01-15T08:00:30Z"));
  EXPECT_THAT(told(set({}, after(-20)), set({}, after(-10))), IsEmpty()) << "both are over";
}

TEST(AccessChanges, AStricterResourceTakesAPart) {
  EXPECT_THAT(told([](PolicyBuilder& policy) {
                policy.resource("vault", confidential, {"10.1.2.0/24"}, {"https"});
              }),
              ElementsAre("sato loses lan https ssh: always ->  10.1.2.0/24"));
}

TEST(AccessChanges, OneServiceAlone) {
  EXPECT_THAT(told([](PolicyBuilder& policy) {
                policy.policy.resources.at(ResourceId("lan")).services = {
                    Service::parse("https").value(), Service::parse("tls:8443").value()};
              }),
              ElementsAre("sato gains lan tls:8443:  -> always", "sato loses lan ssh: always -> "));
}

TEST(AccessChanges, APersonWithoutADeviceReachesNothing) {
  EXPECT_THAT(told([](PolicyBuilder& policy) {
                policy.policy.devices.at(DeviceId("tanaka-pc")).state = DeviceState::blocked;
              }),
              ElementsAre("tanaka loses wiki https: always -> "));
  EXPECT_THAT(
      told([](PolicyBuilder& policy) {
        policy.person("sato", {});
        policy.policy.people.at(PersonId("sato")).state = PersonState::suspended;
      }),
      ElementsAre("sato loses lan https ssh: always -> ", "sato loses wiki https: always -> "));
}

TEST(AccessChanges, GrantsArePreparedForWhoHasNoDeviceYet) {
  PolicyBuilder before = office().person("mori");
  PolicyBuilder after = before;
  after.grant("mori-wiki", "mori", "wiki");
  EXPECT_THAT(told(before, after), ElementsAre("mori gains wiki https:  -> always"));
  after.device("mori-pc", "mori", {"10.66.0.9"});
  EXPECT_THAT(told(before, after), ElementsAre("mori gains wiki https:  -> always"));
}

TEST(EndedFlows, AreThoseOfWhomTheRightWasTaken) {
  const ValidPolicy before = office().valid();
  PolicyBuilder less = office();
  less.policy.grants.erase(GrantId("sato-lan"));
  less.resource("elsewhere", internal, {"10.3.0.128/25"}, {"https"});  // wiki is cut anew
  const Compiled from = compile(before, kNow).value();
  const ValidPolicy after = less.valid();
  const Compiled to = compile(after, kNow, &from).value();
  const auto flow = [&](std::string_view source, std::string_view destination, std::uint16_t port) {
    return LiveFlow{
        .source = address(source),
        .destination = address(destination),
        .port = Port(port),
        .mark = find_atom(from.space, address(destination), Protocol::tcp, Port(port)).verified()};
  };
  const LiveFlow flows[] = {
      flow("10.66.0.2", "10.1.0.9", 22),    // sato-lan
      flow("10.66.0.2", "10.3.0.9", 443),   // still granted
      flow("10.66.0.3", "10.3.0.200", 443)  // elsewhere is stricter
  };
  EXPECT_THAT(ended(from, to, flows), ElementsAre(0, 2));
  EXPECT_THAT(ended(from, from, flows), IsEmpty());
}

// Still granted, but as another protocol: it would have to begin with what it never sent.
TEST(EndedFlows, WhatHasToProveAnotherProtocolEnds) {
  const ValidPolicy before = office().valid();
  const Compiled from = compile(before, kNow).value();
  const LiveFlow flow{
      .source = address("10.66.0.2"),
      .destination = address("10.3.0.9"),
      .port = Port(443),
      .mark = find_atom(from.space, address("10.3.0.9"), Protocol::tcp, Port(443)).verified()};
  const auto with = [&](Service service) {
    PolicyBuilder policy = office();
    policy.policy.resources.at(ResourceId("wiki")).services = {std::move(service)};
    const ValidPolicy after = policy.valid();
    return ended(from, compile(after, kNow, &from).value(), {&flow, 1});
  };
  EXPECT_THAT(with(Service::parse("ssh:443").value()), ElementsAre(0));
  Service any = Service::parse("tcp:443").value();
  any.reason = "an old machine";
  EXPECT_THAT(with(any), IsEmpty()) << "nothing is to be proven there";
  EXPECT_THAT(with(Service::parse("https").value()), IsEmpty());
}

}  // namespace
}  // namespace sekisho

#include "policy/model/policy_edit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "policy/model/document.h"
#include "policy/model/validate.h"
#include "tests/support/zoneinfo.h"
#include "tests/unit/policy/model/example.h"

namespace sekisho {
namespace {

using testing::HasSubstr;

Policy office() {
  Policy policy;
  policy.roles[RoleId("sales")] = {.name = "Sales"};
  policy.people[PersonId("tanaka")] = {
      .name = "田中", .roles = {RoleId("sales")}, .state = PersonState::active};
  policy.resources[ResourceId("wiki")] = {.name = "Wiki",
                                          .classification = Classification::internal,
                                          .prefixes = {*Prefix::parse("198.51.100.0/24")},
                                          .services = {*Service::parse("https")}};
  policy.grants[GrantId("a.b")] = {
      .who = RoleId("sales"), .resource = ResourceId("wiki"), .reason = "daily work"};
  return policy;
}

TEST(PolicyEdit, LeadsFromOneToTheOtherAndBack) {
  const Policy before = office();
  Policy after = office();
  after.grants.erase(GrantId("a.b"));
  after.people[PersonId("tanaka")].state = PersonState::suspended;
  after.roles[RoleId("it")] = {.name = "IT"};

  PolicyEdit edit = difference(before, after);
  EXPECT_EQ(edit.grants.size() + edit.people.size() + edit.roles.size(), 3U);
  EXPECT_TRUE(edit.resources.empty() && edit.devices.empty());
  Policy policy = before;
  PolicyEdit undo = apply(edit, policy);
  EXPECT_EQ(policy, after);
  apply(undo, policy);
  EXPECT_EQ(policy, before);
}

// More than a reader takes at once; each value that can begin a line or hold a bracket.
TEST(PolicyEdit, ALargeDocumentIsReadInParts) {
  Policy policy = office();
  policy.quota.devices_per_person = 3;
  policy.response.contact = "[response]";
  for (int i = 0; i < 40'000; ++i) {
    policy.people[PersonId(fmt::format("p{}", i))] = {
        .name = fmt::format("[person.p{}] \"[\"", i), .roles = {}, .state = PersonState::active};
  }
  auto& prefixes = policy.resources.at(ResourceId("wiki")).prefixes;
  for (int i = 0; i < 200; ++i) prefixes.push_back(*Prefix::parse(fmt::format("10.0.{}.0/24", i)));
  std::ranges::sort(prefixes);
  const std::string text = write_policy(policy, Syntax::toml);
  ASSERT_GT(text.size(), std::size_t{2} << 20);
  ASSERT_THAT(text, HasSubstr("prefixes = [\n"));
  const auto read = read_edited(text, {}, "f");
  ASSERT_TRUE(read.has_value()) << to_string(read.error().front());
  EXPECT_EQ(write_edit(difference(policy, *read)), "");
  const auto broken = read_edited(text + "[person.last]\nname = 1\n", {}, "f");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().front().object, "person.last.name");
}

TEST(PolicyEdit, WhatChangesNothingIsLeftOut) {
  Policy policy = office();
  PolicyEdit edit;
  edit.grants[GrantId("a.b")] = policy.grants.at(GrantId("a.b"));
  edit.grants[GrantId("never-there")] = std::nullopt;
  EXPECT_TRUE(apply(edit, policy).empty());
  EXPECT_TRUE(edit.empty());
  EXPECT_EQ(policy, office());
}

TEST(PolicyEdit, IsWrittenAndRead) {
  Policy after = office();
  after.grants.erase(GrantId("a.b"));
  after.roles[RoleId("it")] = {.name = "IT"};
  const PolicyEdit edit = difference(office(), after);
  const std::string text = write_edit(edit);
  EXPECT_EQ(text, "remove = [\"grant.a.b\"]\n\n[role.it]\nname = \"IT\"\n");
  EXPECT_EQ(read_edit(text, "edit").value(), edit);
  EXPECT_EQ(read_edit("", "edit").value(), PolicyEdit{});
}

TEST(PolicyEdit, TheQuotaIsSetAndTakenAway) {
  Policy limited = office();
  limited.quota.devices_per_person = 2;
  for (const auto& [from, to] : {std::pair(office(), limited), std::pair(limited, office())}) {
    PolicyEdit edit = difference(from, to);
    EXPECT_EQ(read_edit(write_edit(edit), "edit").value(), edit);
    Policy policy = from;
    PolicyEdit undo = apply(edit, policy);
    EXPECT_EQ(policy, to);
    apply(undo, policy);
    EXPECT_EQ(policy, from);
  }
  EXPECT_EQ(write_edit(difference(limited, office())), "remove = [\"quota\"]\n");
}

TEST(PolicyEdit, TheResponseIsSetAndTakenAway) {
  Policy ready = office();
  ready.response = {
      .remediation = {ResourceId("wiki")},
      .contact = "佐藤 03-0000-0000",
      .officer = PersonId("tanaka"),
      .two_people = true,
      .reactions = {Reaction::record, Reaction::isolate, Reaction::cut, Reaction::cut},
      .most_devices = 5,
      .most_percent = 20,
      .window = std::chrono::minutes(90)};
  for (const auto& [from, to] : {std::pair(office(), ready), std::pair(ready, office())}) {
    PolicyEdit edit = difference(from, to);
    EXPECT_EQ(read_edit(write_edit(edit), "edit").value(), edit);
    Policy policy = from;
    PolicyEdit undo = apply(edit, policy);
    EXPECT_EQ(policy, to);
    apply(undo, policy);
    EXPECT_EQ(policy, from);
  }
  EXPECT_EQ(write_edit(difference(ready, office())), "remove = [\"response\"]\n");
  EXPECT_EQ(read_edited(write_policy(ready, Syntax::toml), {}, "f").value(), ready);
}

TEST(PolicyEdit, ARemovalThatMakesNoSenseIsRefused) {
  for (const std::string text :
       {"remove = 1\n", "remove = [1]\n", "remove = [\"grant\"]\n", "remove = [\"thing.x\"]\n",
        "remove = [\"role.it\", \"role.it\"]\n", "remove = [\"quota\", \"quota\"]\n",
        "remove = [\"response\"]\n[response]\ntwo_people = true\n",
        "remove = [\"quota\"]\n[quota]\ndevices_per_person = 1\n",
        "remove = [\"role.it\"]\n[role.it]\nname = \"x\"\n"}) {
    const auto edit = read_edit(text, "edit");
    ASSERT_FALSE(edit) << text;
    EXPECT_THAT(to_string(edit.error().front()), HasSubstr("remove")) << text;
  }
}

TEST(Amend, ChangesNothingWhereTheResultIsNotValid) {
  ValidPolicy valid = validate(office(), example_network()).value();
  PolicyEdit edit;
  edit.grants[GrantId("good")] = office().grants.at(GrantId("a.b"));
  edit.grants[GrantId("bad")] =
      Grant{.who = PersonId("nobody"), .resource = ResourceId("wiki"), .reason = "x"};
  const auto undo = amend(valid, edit);
  ASSERT_FALSE(undo);
  EXPECT_THAT(to_string(undo.error().front()), HasSubstr("grant.bad.who"));
  EXPECT_EQ(valid.policy(), office());
}

TEST(Amend, AQuotaIsCheckedAgainstAllDevices) {
  Policy policy = office();
  for (const std::uint8_t number : std::initializer_list<std::uint8_t>{2, 3}) {
    policy.devices[DeviceId("d" + std::to_string(number))] = {
        .person = PersonId("tanaka"),
        .public_key = key(number),
        .addresses = {ip("10.66.0." + std::to_string(number))}};
  }
  ValidPolicy valid = validate(policy, example_network()).value();
  PolicyEdit edit;
  edit.quota = Quota{.devices_per_person = 1};
  EXPECT_FALSE(amend(valid, edit));
  EXPECT_EQ(valid.policy(), policy);
  edit.quota = Quota{.devices_per_person = 2};
  EXPECT_TRUE(amend(valid, edit));
}

TEST(Amend, AResponseIsCheckedAndPutInOrder) {
  Policy policy = office();
  policy.resources[ResourceId("docs")] = policy.resources.at(ResourceId("wiki"));
  ValidPolicy valid = validate(policy, example_network()).value();
  PolicyEdit edit;
  edit.response = Response{.remediation = {ResourceId("wiki"), ResourceId("nothing")}};
  EXPECT_FALSE(amend(valid, edit));
  EXPECT_EQ(valid.policy(), policy);
  edit.response->remediation = {ResourceId("wiki"), ResourceId("docs"), ResourceId("wiki")};
  EXPECT_TRUE(amend(valid, edit));
  EXPECT_EQ(valid.policy().response.remediation,
            (std::vector{ResourceId("docs"), ResourceId("wiki")}));
  // What it names cannot go from under it.
  PolicyEdit removal;
  removal.resources[ResourceId("docs")] = std::nullopt;
  const auto refused = amend(valid, removal);
  ASSERT_FALSE(refused);
  EXPECT_THAT(to_string(refused.error().front()), HasSubstr("response.remediation[docs]"));
  PolicyEdit secret;
  secret.resources[ResourceId("docs")] = policy.resources.at(ResourceId("docs"));
  secret.resources[ResourceId("docs")]->classification = Classification::confidential;
  EXPECT_FALSE(amend(valid, secret));
}

TEST(Amend, AGrantIsCheckedForItsHours) {
  ValidPolicy valid = validate(office(), example_network(), zones()).value();
  PolicyEdit edit;
  Grant grant = office().grants.at(GrantId("a.b"));
  grant.conditions.hours = WeeklyHours{.spans = {DailyHours::parse("mon-fri 09:00-18:00").value()},
                                       .zone = "Asia/Tokio"};
  edit.grants[GrantId("hours")] = grant;
  EXPECT_FALSE(amend(valid, edit, zones()));
  grant.conditions.hours->zone = "Asia/Tokyo";
  grant.conditions.hours->spans.push_back(grant.conditions.hours->spans.front());
  edit.grants[GrantId("hours")] = grant;
  EXPECT_TRUE(amend(valid, edit, zones()));
  EXPECT_EQ(valid.policy().grants.at(GrantId("hours")).conditions.hours->spans.size(), 1U);
}

TEST(Amend, SeesWhatAnEditLeavesWithoutItsObject) {
  ValidPolicy valid = validate(office(), example_network()).value();
  PolicyEdit edit;
  edit.resources[ResourceId("wiki")] = std::nullopt;
  EXPECT_FALSE(amend(valid, edit));
  edit.grants[GrantId("a.b")] = std::nullopt;
  EXPECT_TRUE(amend(valid, edit));
  EXPECT_TRUE(valid.policy().grants.empty());
}

}  // namespace
}  // namespace sekisho

#include "policy/explain/review.h"

#include <gmock/gmock.h>

#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

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
      .device("sato-pc", "sato", {"10.66.0.2"})
      .device("tanaka-pc", "tanaka", {"10.66.0.3"})
      .resource("lan", internal, {"10.1.0.0/16"}, {"https", "ssh"})
      .resource("wiki", public_, {"10.3.0.0/24"}, {"https"})
      .grant("sales-wiki", "role:sales", "wiki");
  return policy;
}

// "again duplicate: it says the same as first"
std::vector<std::string> found(const PolicyBuilder& policy) {
  const ValidPolicy valid = policy.valid();
  const AtomSpace space = cut(valid, {}).value();
  std::vector<std::string> lines;
  for (const GrantFinding& finding : review({valid, space}, kNow)) {
    lines.push_back(finding.grant.str() + " " + std::string(to_string(finding.kind)) + ": " +
                    finding.why);
  }
  return lines;
}

TEST(Review, AGoodPolicyHasNoFindings) {
  EXPECT_THAT(found(office()), IsEmpty());
  EXPECT_THAT(found(PolicyBuilder()), IsEmpty());
}

TEST(Review, OfTwoThatSayTheSameOneIsFound) {
  EXPECT_THAT(found(office().grant("again", "sato", "lan").grant("first", "sato", "lan")),
              ElementsAre("first duplicate: it says the same as again"));
}

TEST(Review, WhatARoleGivesAlreadyIsShadowed) {
  EXPECT_THAT(found(office().grant("own", "sato", "wiki", {}, after(60))),
              ElementsAre("own shadowed: all of it is given by sales-wiki already"));
  PolicyBuilder shorter = office().grant("own", "sato", "wiki");
  shorter.policy.grants.at(GrantId("sales-wiki")).until = after(60);
  EXPECT_THAT(found(shorter), IsEmpty()) << "the own one lasts longer";
}

TEST(Review, ARoleIsShadowedOnlyWhereAllOfItsPeopleAre) {
  EXPECT_THAT(found(office().grant("a", "sato", "lan").grant("z", "role:sales", "lan")),
              ElementsAre("a shadowed: all of it is given by z already"));
  EXPECT_THAT(found(office()
                        .grant("a", "sato", "lan")
                        .grant("b", "tanaka", "lan")
                        .grant("z", "role:sales", "lan")),
              ElementsAre("z shadowed: all of it is given by a, b already"));
}

TEST(Review, ANarrowResourceInAWideOneOfItsKind) {
  EXPECT_THAT(found(office()
                        .resource("printer", internal, {"10.1.9.9/32"}, {"https"})
                        .grant("lan", "sato", "lan")
                        .grant("print", "sato", "printer")),
              ElementsAre("print shadowed: all of it is given by lan already"));
}

TEST(Review, UselessSaysWhy) {
  EXPECT_THAT(found(office().grant("old", "sato", "lan", {}, kNow)),
              ElementsAre("old useless: it ended at 2027-01-15T08:00:00Z"));
  EXPECT_THAT(found(office().grant("none", "role:nobody", "lan")),
              ElementsAre("none useless: nobody has the role nobody"));
  EXPECT_THAT(found(office()
                        .resource("lost", public_, {"10.1.7.0/24"}, {"https"})
                        .grant("lost", "sato", "lost")),
              ElementsAre("lost useless: nothing of lost is left to open: it offers nothing, or "
                          "stricter resources cover all of it"));
  EXPECT_THAT(found(office().person("mori").grant("m", "mori", "lan")),
              ElementsAre("m useless: mori has no active device"));
  EXPECT_THAT(found(office().person("mori", {}, after(60)).grant("m", "mori", "lan", after(90))),
              ElementsAre("m useless: mori is not there at its time"));
  PolicyBuilder fresh = office().grant("s", "sato", "lan");
  fresh.policy.grants.at(GrantId("s")).conditions.session = std::chrono::minutes(15);
  EXPECT_THAT(found(fresh),
              ElementsAre("s useless: it asks for a sign-in, and nobody can sign in yet"));
  PolicyBuilder away = office().person("kato", {"guests"}).grant("g", "role:guests", "lan");
  away.policy.people.at(PersonId("kato")).state = PersonState::suspended;
  EXPECT_THAT(found(away), ElementsAre("g useless: kato is suspended"));
  EXPECT_THAT(found(office().grant("soon", "sato", "lan", after(60))), IsEmpty())
      << "it is yet to begin";
}

}  // namespace
}  // namespace sekisho

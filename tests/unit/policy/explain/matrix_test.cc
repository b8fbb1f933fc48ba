#include "policy/explain/matrix.h"

#include <gmock/gmock.h>

#include "policy/explain/reasoning.h"
#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

using model::address;
using model::kNow;
using model::PolicyBuilder;
using ::testing::ElementsAre;
using enum Classification;

Time after(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

PolicyBuilder office() {
  PolicyBuilder policy;
  policy.person("mori")
      .person("sato", {"sales"}, after(90))
      .device("sato-pc", "sato", {"10.66.0.2", "fd66::2"})
      .resource("lan", internal, {"10.1.0.0/16"}, {"https", "ssh"})
      .resource("vault", confidential, {"10.1.2.0/24"}, {"https"})
      .resource("wiki", public_, {"10.3.0.0/24", "fd03::/64"}, {"https"})
      .grant("sales-lan", "role:sales", "lan")
      .grant("sato-wiki", "sato", "wiki", {}, after(60));
  return policy;
}

std::vector<std::string> cells(const PolicyBuilder& policy, const std::string& person, Time at) {
  const ValidPolicy valid = policy.valid();
  const AtomSpace space = cut(valid, {}).value();
  std::vector<std::string> lines;
  for (const MatrixCell& cell :
       matrix({valid, space}, {PersonId(person)},
              {ResourceId("lan"), ResourceId("vault"), ResourceId("wiki"), kInternet}, at)) {
    lines.push_back(cell.resource.str() + " " + std::string(to_string(cell.reach)) + " " +
                    (cell.reason ? std::string(to_string(*cell.reason)) : "no device") + " " +
                    (cell.grant ? cell.grant->str() : "-") + " " +
                    (cell.until ? to_string(*cell.until) : "-"));
  }
  return lines;
}

TEST(Matrix, TellsWhoReachesWhat) {
  EXPECT_THAT(
      cells(office(), "sato", kNow),
      ElementsAre("lan part granted sales-lan 2027-01-15T08:01:30Z", "vault closed no_grant - -",
                  "wiki open granted sato-wiki 2027-01-15T08:01:00Z",
                  "internet closed no_grant - -"));
}

TEST(Matrix, AtAnotherTime) {
  EXPECT_EQ(cells(office(), "sato", after(60))[2], "wiki closed grant_ended sato-wiki -");
  EXPECT_EQ(cells(office(), "sato", after(90))[0], "lan closed person_expired - -");
}

TEST(Matrix, WithoutADevice) {
  EXPECT_EQ(cells(office(), "mori", kNow)[0], "lan closed no device - -");
  PolicyBuilder four = office();
  four.policy.devices.at(DeviceId("sato-pc")).addresses = {address("10.66.0.2")};
  four.policy.resources.at(ResourceId("wiki")).prefixes = {model::prefix("fd03::/64")};
  EXPECT_EQ(cells(four, "sato", kNow)[2], "wiki closed no device - -");
}

std::vector<std::string> steps(const PolicyBuilder& policy, std::string_view to, Time at = kNow) {
  const ValidPolicy valid = policy.valid();
  const Flow flow{.source = address("10.66.0.2"), .destination = address(to), .port = Port(443)};
  std::vector<std::string> lines;
  for (const Step& step : reasoning(valid, flow, at)) {
    lines.push_back(step.object + " " + step.finding);
  }
  return lines;
}

TEST(Reasoning, NamesAllThatCounted) {
  EXPECT_THAT(
      steps(office(), "10.1.2.9"),
      ElementsAre(
          "device.sato-pc is sato's, active",
          "person.sato is active, valid until 2027-01-15T08:01:30Z, roles: sales",
          "resource.vault (confidential) covers the destination and offers the port for TLS",
          "resource.lan (internal) covers the destination; a stricter one decides",
          "grant.sales-lan on lan to role:sales: open; a stricter resource decides here"));
  EXPECT_THAT(steps(office(), "10.3.0.9", after(60)).back(),
              "grant.sato-wiki on wiki to person:sato: ended at 2027-01-15T08:01:00Z");
  EXPECT_THAT(steps(office(), "10.3.0.9").back(),
              "grant.sato-wiki on wiki to person:sato: open until 2027-01-15T08:01:00Z");
  EXPECT_EQ(steps(office(), "10.99.0.1").size(), 2u) << "no resource covers it";
}

}  // namespace
}  // namespace sekisho

#include <gmock/gmock.h>

#include "office.h"
#include "policy/model/document.h"

// What a policy means, asked of the engine.
namespace sekisho::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExplanationsTest : public EngineTest {
 protected:
  std::string field(const Node& node, std::string_view name) {
    const Node* found = node.find(name);
    if (found == nullptr) return "(missing)";
    if (const auto* word = found->string()) return *word;
    if (const auto* flag = std::get_if<bool>(&found->value)) return *flag ? "yes" : "no";
    return "-";
  }
  Policy now() const {
    return read_policy(world.revisions.at(world.active).document, Syntax::toml, "now").value();
  }
};

TEST_F(ExplanationsTest, ThePastIsAskedOfThePolicyThatWasInForce) {
  const Node::Table question{{"who", text("tanaka")}, {"destination", text("203.0.113.5:443")}};
  const auto asked_at = [&](std::string_view operation, std::string_view at) {
    Node::Table parameters = question;
    parameters.emplace_back("at", text(at));
    return must(operation, parameters);
  };
  world.now += std::chrono::hours(1);
  must("grant.remove", {{"id", text("web")}});
  world.now += std::chrono::hours(1);
  EXPECT_EQ(field(must("policy.can", question), "answer"), "no");
  EXPECT_EQ(field(asked_at("policy.can", "2026-11-22T00:59:59Z"), "answer"), "yes");
  EXPECT_EQ(field(asked_at("policy.can", "2026-11-22T00:59:59Z"), "grant"), "web");
  EXPECT_EQ(field(asked_at("policy.can", "2026-11-22T01:00:00Z"), "answer"), "no");
  EXPECT_EQ(field(asked_at("policy.can", "2027-11-22T01:00:00Z"), "answer"), "no");
  EXPECT_EQ(asked_at("policy.explain", "2026-11-22T00:59:59Z").find("elements"), nullptr)
      << "the kernel holds the policy of now";
  Node::Table too_early = question;
  too_early.emplace_back("at", text("2026-11-21T00:00:00Z"));
  EXPECT_EQ(refused("policy.can", too_early), ErrorCode::not_found);
  Node::Table no_time = question;
  no_time.emplace_back("at", text("yesterday"));
  EXPECT_EQ(refused("policy.can", no_time), ErrorCode::invalid);
}

TEST_F(ExplanationsTest, ATimeToComeIsAskedOfThePolicyOfNow) {
  must("grant.set", {{"id", text("web")}, {"until", text("2026-12-01")}});
  const auto at = [&](std::string_view time) {
    return field(must("policy.can", {{"who", text("tanaka")},
                                     {"destination", text("203.0.113.5:443")},
                                     {"at", text(time)}}),
                 "reason");
  };
  EXPECT_EQ(at("2026-11-30T23:59:59Z"), "granted");
  EXPECT_EQ(at("2026-12-01T00:00:00Z"), "grant_ended");
}

TEST_F(ExplanationsTest, ExplainNamesStepsAndElements) {
  const Node answer =
      must("policy.explain", {{"who", text("suzuki")}, {"destination", text("198.51.100.10:443")}});
  EXPECT_EQ(field(answer, "explanation"), "suzuki may reach wiki (internal) by https: grant wiki");
  std::vector<std::string> objects;
  for (const Node& step : *answer.find("steps")->array()) objects.push_back(field(step, "object"));
  EXPECT_THAT(objects, ElementsAre("device.phone", "person.suzuki", "resource.wiki", "grant.wiki"));
  const Node::Array& elements = *answer.find("elements")->array();
  ASSERT_EQ(elements.size(), 3U);
  EXPECT_THAT(*elements[0].string(), HasSubstr("cohort4: 10.66.0.3 : 0x0000000"));
  EXPECT_THAT(*elements[1].string(),
              HasSubstr("atoms4: 198.51.100.0-198.51.100.15 . tcp . 443 : 0x"));
  EXPECT_THAT(*elements[2].string(), HasSubstr("is there"));
  const Node refused_one =
      must("policy.explain", {{"who", text("tanaka")}, {"destination", text("198.51.100.10:443")}});
  EXPECT_THAT(*refused_one.find("elements")->array()->back().string(), HasSubstr("is not there"));
}

TEST_F(ExplanationsTest, WhoHasNoDeviceThereGetsAnAnswer) {
  must("person.add", {{"id", text("mori")}});
  for (const std::string_view operation : {"policy.can", "policy.explain"}) {
    const Node none =
        must(operation, {{"who", text("mori")}, {"destination", text("203.0.113.5:443")}});
    EXPECT_EQ(field(none, "answer"), "no");
    EXPECT_EQ(field(none, "reason"), "no_device");
    EXPECT_EQ(field(none, "explanation"), "mori has no device with an IPv4 address");
  }
}

TEST_F(ExplanationsTest, ANameThatTwoHaveIsSaidFully) {
  must("person.add", {{"id", text("phone")}});
  const auto person = [&](std::string_view who) {
    return field(
        must("policy.can", {{"who", text(who)}, {"destination", text("198.51.100.10:443")}}),
        "person");
  };
  EXPECT_EQ(
      refused("policy.can", {{"who", text("phone")}, {"destination", text("198.51.100.10:443")}}),
      ErrorCode::invalid);
  EXPECT_EQ(person("device:phone"), "suzuki");
  EXPECT_EQ(person("person:phone"), "phone");
  EXPECT_EQ(person("laptop"), "tanaka");
  EXPECT_EQ(refused("policy.can",
                    {{"who", text("person:laptop")}, {"destination", text("198.51.100.10:443")}}),
            ErrorCode::not_found);
}

TEST_F(ExplanationsTest, AnEmptyTimeIsNoTime) {
  EXPECT_EQ(refused("policy.can", {{"who", text("tanaka")},
                                   {"destination", text("203.0.113.5:443")},
                                   {"at", text("")}}),
            ErrorCode::invalid);
}

TEST_F(ExplanationsTest, MatrixOfAllAndOfSome) {
  const auto rows = [&](Node::Table parameters) {
    std::vector<std::string> lines;
    const Node cells = must("policy.matrix", std::move(parameters));
    for (const Node& row : *cells.array()) {
      lines.push_back(field(row, "person") + " " + field(row, "resource") + " " +
                      field(row, "reach") + " " + field(row, "reason"));
    }
    return lines;
  };
  EXPECT_THAT(rows({}), ElementsAre("suzuki wiki open granted", "suzuki internet closed no_grant",
                                    "tanaka wiki closed no_grant", "tanaka internet open granted"));
  EXPECT_THAT(rows({{"people", texts({"tanaka"})}, {"resources", texts({"internet"})}}),
              ElementsAre("tanaka internet open granted"));
  EXPECT_EQ(refused("policy.matrix", {{"people", texts({"nobody"})}}), ErrorCode::not_found);
  EXPECT_EQ(refused("policy.matrix", {{"resources", texts({"nothing"})}}), ErrorCode::not_found);
}

TEST_F(ExplanationsTest, ReviewOfThePolicyAndOfADocument) {
  const Node nothing = must("policy.review", {});
  EXPECT_THAT(*nothing.array(), IsEmpty());
  must("grant.add", {{"id", text("own")},
                     {"who", text("person:tanaka")},
                     {"resource", text("internet")},
                     {"reason", text("twice")}});
  const Node found = must("policy.review", {});
  const Node::Array& rows = *found.array();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(field(rows[0], "grant"), "web");
  EXPECT_EQ(field(rows[0], "finding"), "shadowed");
  Policy policy = now();
  policy.grants.erase(GrantId("web"));
  const Node checked =
      must("policy.check", {{"document", text(write_policy(policy, Syntax::toml))}});
  EXPECT_EQ(field(checked, "answer"), "yes");
  EXPECT_THAT(*checked.find("review")->array(), IsEmpty());
}

TEST_F(ExplanationsTest, DiffSaysWhoLosesAndWhichConnectionsEnd) {
  const auto live = [&](const IpAddress& from, const IpAddress& to) {
    return LiveFlow{.source = from,
                    .destination = to,
                    .source_port = Port(40000),
                    .port = Port(443),
                    .mark = world.mark_of(to, Protocol::tcp, Port(443)).verified(),
                    .bytes = 1234};
  };
  world.flows = {live(kLaptop, kWeb), live(kPhone, kWiki)};
  Policy policy = now();
  policy.grants.erase(GrantId("web"));
  policy.people.at(PersonId("tanaka")).name = "Tanaka";
  const Node told = must("policy.diff", {{"document", text(write_policy(policy, Syntax::toml))}});
  EXPECT_EQ(told.find("objects")->array()->size(), 2U);
  const Node::Array& access = *told.find("access")->array();
  ASSERT_EQ(access.size(), 1U);
  EXPECT_EQ(field(access[0], "change"), "loses");
  EXPECT_EQ(*access[0].find("people")->array()->front().string(), "tanaka");
  const Node::Array& flows = *told.find("flows")->array();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(field(flows[0], "device"), "laptop");
  EXPECT_EQ(field(flows[0], "destination"), "203.0.113.5");
  EXPECT_TRUE(https(kLaptop, kWeb)) << "it was only asked";

  must("policy.apply", {{"document", text(write_policy(policy, Syntax::toml))}});
  EXPECT_FALSE(world.live_passes(kLaptop, AtomMark::from_mark(world.flows[0].mark)));
  EXPECT_TRUE(world.live_passes(kPhone, AtomMark::from_mark(world.flows[1].mark)));
}

}  // namespace
}  // namespace sekisho::engine

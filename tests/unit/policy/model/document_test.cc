#include "policy/model/document.h"

#include <gmock/gmock.h>

#include "policy/model/mistakes.h"
#include "tests/unit/policy/model/example.h"

namespace sekisho {
namespace {

Position position_of(std::string_view toml, std::string path) {
  Errors errors = {Error{.object = std::move(path), .cause = "x"}};
  locate(errors, read_toml(toml, "f").value(), "f");
  int line = 0;
  int column = 0;
  std::sscanf(errors.front().place.c_str(), "f:%d:%d", &line, &column);
  return {line, column};
}

TEST(Locate, FindsValuesByPath) {
  const std::string toml = R"([grant.a]
resource = "w"
[grant."a.resource"]
who = "x"
[resource.w]
prefixes = ["10.0.0.0/8", "2001:DB8:0::/48"]
services = ["tls:443", { service = "tcp:5-5", reason = "r" }, "7"]
)";
  const std::vector<std::pair<std::string, Position>> table = {
      {"grant.a.resource", {2, 12}},
      {"grant.\"a.resource\".who", {4, 7}},
      {"grant.a.who", {1, 1}},                          // missing: what is around it
      {"resource.w.prefixes[2001:db8::/48]", {6, 27}},  // spelt in another way
      {"resource.w.services[https]", {7, 13}},          //
      {"resource.w.services[tcp:5].reason", {7, 56}},   //
      {"resource.w.services[2]", {7, 63}},              // by index
      {"resource.w.services[ssh].reason", {7, 12}},     //
      {"network.pools", {0, 0}},                        // not in this document
      {"", {0, 0}},
      {"grant.\"unterminated", {1, 1}},
      {"resource.w.services[", {7, 12}},
      {"..[[", {0, 0}},
  };
  for (const auto& [path, position] : table) EXPECT_EQ(position_of(toml, path), position) << path;
}

TEST(Locate, SortsByPlace) {
  Errors errors = {Error{.object = "network.mtu", .cause = "1"}, Error{.object = "b", .cause = "2"},
                   Error{.object = "a", .cause = "3"}};
  locate(errors, read_toml("a = 1\nb = 2\n", "f").value(), "f");
  EXPECT_THAT(errors, testing::ElementsAre(testing::Field(&Error::cause, "3"),
                                           testing::Field(&Error::cause, "2"),
                                           testing::Field(&Error::cause, "1")));
}

TEST(Decode, MistakesBeyondTheLimitAreCounted) {
  std::string toml;
  for (std::size_t i = 0; i < kMaxMistakes + 5; ++i) toml += "k" + std::to_string(i) + " = 1\n";
  const Errors errors = read_policy(toml, Syntax::toml, "f").error();
  EXPECT_EQ(errors.size(), kMaxMistakes + 1);
  EXPECT_EQ(errors.back().cause, "and 5 more mistakes");
}

TEST(Decode, ListingAdmitsAndEncodingSaysSo) {
  const Policy policy = read_policy("[person.a]\nname = \"x\"\n", Syntax::toml, "f").value();
  EXPECT_EQ(policy.people.at(PersonId("a")).state, PersonState::active);
  EXPECT_THAT(write_policy(policy, Syntax::toml), testing::HasSubstr("state = \"active\""));
}

TEST(Document, NodesWithoutATextHaveNoPlace) {
  const Errors errors = decode(Node{.value = Node::Table{{"x", Node{.value = true}}}}, "f").error();
  EXPECT_EQ(to_string(errors.front()),
            "x: unknown key (known here: quota response role person device resource grant)");
}

TEST(Document, IsAnExactRoundTrip) {
  const Policy policy = example_policy();
  EXPECT_EQ(decode(encode(policy), "f"), policy);
  for (const auto syntax : {Syntax::toml, Syntax::json}) {
    const std::string text = write_policy(policy, syntax);
    EXPECT_EQ(read_policy(text, syntax, "f"), policy) << text;
  }
}

TEST(Service, HasOneName) {
  for (const char* name :
       {"https", "ssh", "quic", "tls:8443", "ssh:2222", "tcp:5000-5010", "udp:53"}) {
    EXPECT_EQ(service(name).name(), name);
  }
  EXPECT_EQ(service("tls:443"), service("https"));
  EXPECT_EQ(service("ssh:22-22"), service("ssh"));
  for (const char* name : {"", "http", "HTTPS", "tls", "tls:", "tls:0", "quic:443", "tcp:1:2",
                           " ssh", "icmp:1", "tcp:1-2-3", "https:443"}) {
    EXPECT_FALSE(Service::parse(name)) << name;
  }
}

}  // namespace
}  // namespace sekisho

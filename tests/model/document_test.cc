#include "policy/model/document.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tests/model/random_edit.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"

// A policy is the same thing in both syntaxes: written and read it is equal, and written again it
// is the same text.
namespace sekisho::model {
namespace {

constexpr std::array<Syntax, 2> kSyntaxes = {Syntax::toml, Syntax::json};

// Texts with what either syntax has to escape, and letters of one to four bytes.
std::string random_text(Random& random) {
  static const std::vector<std::string_view> pieces{
      "\"", "\\", "'", "'''", "\"\"\"", "\\u0041", "#",  "=", "[", "]", "{", "}",
      ",",  " ",  "/", "a",   "é",      "関所",    "🔑", ":", ".", "$", "%", "-1e9"};
  std::string text(random.pick(pieces));
  for (std::uint64_t i = random.below(12); i > 0; --i) text += random.pick(pieces);
  return text;
}

// The random policies of the other tests are about what a flow meets; here every text counts too.
Policy policy_with_texts(Random& random, const Network& network) {
  Policy policy = random_policy(random, network);
  for (auto& [id, role] : policy.roles) role.name = random_text(random);
  for (auto& [id, person] : policy.people) person.name = random_text(random);
  for (auto& [id, resource] : policy.resources) {
    resource.name = random_text(random);
    for (Service& service : resource.services) {
      if (service.is_exception()) service.reason = random_text(random);
    }
  }
  for (auto& [id, grant] : policy.grants) grant.reason = random_text(random);
  return policy;
}

TEST(Document, IsAnExactRoundTripInBothSyntaxes) {
  const Seeds run = seeds(2'000);
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    const Policy policy = policy_with_texts(random, random_network(random));
    for (const Syntax syntax : kSyntaxes) {
      const std::string text = write_policy(policy, syntax);
      const auto back = read_policy(text, syntax, "f");
      ASSERT_TRUE(back) << to_string(back.error().front()) << "\n" << text;
      ASSERT_EQ(*back, policy) << text;
      for (const Syntax other : kSyntaxes) {
        const auto across = read_policy(write_policy(*back, other), other, "f");
        ASSERT_EQ(across, policy) << text;
      }
      ASSERT_EQ(write_policy(*back, syntax), text);
    }
  }
}

// The control: policies that differ are written differently, so equal texts mean equal policies.
TEST(Document, EveryEditShowsInBothSyntaxes) {
  const Seeds run = seeds(200);
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    const Network network = random_network(random);
    const Policy policy = policy_with_texts(random, network);
    for (int i = 0; i < 5; ++i) {
      Policy edited = policy;
      random_edit(random, edited, network);
      for (const Syntax syntax : kSyntaxes) {
        ASSERT_EQ(write_policy(edited, syntax) == write_policy(policy, syntax), edited == policy);
      }
    }
  }
}

}  // namespace
}  // namespace sekisho::model

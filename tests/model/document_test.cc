#include "policy/model/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "policy/model/format.h"
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

// A hand's work on a canonical text: tables in any order, lists broken up, comments and empty lines
// wherever TOML lets them stand. Every comment has a number.
class Hand {
 public:
  explicit Hand(Random& random) : random_(random) {}

  std::string rewrite(const std::string& canonical) {
    std::vector<std::string> tables;
    std::istringstream text(canonical);
    for (std::string line; std::getline(text, line);) {
      if (line.empty()) continue;
      if (line.starts_with('[') || tables.empty()) tables.emplace_back();
      tables.back() += rewrite_line(line);
    }
    std::string result = lines();
    for (; !tables.empty(); tables.pop_back()) {
      std::swap(tables.back(), tables[random_.below(tables.size())]);
      result += tables.back();
    }
    return result + lines();
  }

  const std::vector<std::string>& comments() const { return comments_; }

 private:
  std::string comment() {
    comments_.push_back("# " + std::to_string(comments_.size()) + random_text(random_) + ".");
    return comments_.back();
  }
  std::string lines() {
    std::string result;
    for (std::uint64_t i = random_.below(4); i > 1; --i)
      result += random_.percent(50) ? "\n" : " " + comment() + " \n";
    return result;
  }
  std::string end_line() {
    return random_.percent(20) ? " " + comment() + (random_.percent(50) ? "\n" : "\r\n") : "\n";
  }
  std::string rewrite_line(const std::string& line) {
    // A comma stands between the elements of these alone.
    const bool breaks = line.ends_with("\"]") && !line.starts_with("services") &&
                        !line.starts_with("hours") && random_.percent(50);
    if (!breaks) return lines() + line + end_line();
    std::string result = lines();
    std::size_t begin = 0;
    for (std::size_t at = line.find(" [") + 2; at < line.size(); begin = at) {
      const std::size_t end = line.find_first_of(",]", at);
      result += line.substr(begin, at - begin) + end_line() + lines();
      result += line.substr(at, end - at) + end_line() + lines();
      begin = end;
      at = end + 1;
      result += line.substr(begin, 1);
    }
    return result + end_line();
  }

  Random& random_;
  std::vector<std::string> comments_;
};

std::vector<std::string> comments_of(const std::string& text, const Hand& hand) {
  std::vector<std::string> found;
  for (const std::string& comment : hand.comments()) {
    for (std::size_t at = text.find(comment + "\n"); at != std::string::npos;
         at = text.find(comment + "\n", at + 1))
      found.push_back(comment);
  }
  return found;
}

TEST(Document, IsFormattedWithoutLossOfMeaningOrComments) {
  const Seeds run = seeds(2'000);
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    const Policy policy = policy_with_texts(random, random_network(random));
    const std::string canonical = write_policy(policy, Syntax::toml);
    Hand hand(random);
    const std::string text = hand.rewrite(canonical);
    const auto formatted = format_policy(text, Syntax::toml, "f");
    ASSERT_TRUE(formatted) << to_string(formatted.error().front()) << "\n" << text;
    ASSERT_EQ(read_policy(*formatted, Syntax::toml, "f"), policy) << *formatted;
    ASSERT_EQ(comments_of(*formatted, hand), hand.comments()) << text << "\n=>\n" << *formatted;
    ASSERT_EQ(format_policy(*formatted, Syntax::toml, "f"), *formatted) << text;
    // Nothing but them was added: an uncommented text is the canonical one.
    if (hand.comments().empty()) {
      ASSERT_EQ(*formatted, canonical);
    }
  }
}

}  // namespace
}  // namespace sekisho::model

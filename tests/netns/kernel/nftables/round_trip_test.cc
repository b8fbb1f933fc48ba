// What `nft list ruleset` prints of our table has nothing unknown in it and is all of it: loaded
// with nft it is the same table, as the daemon compares.
#include <map>
#include <regex>
#include <set>

#include "policy/compile/compile.h"
#include "policy/compile/render_nft.h"
#include "tests/model/random_policy.h"
#include "tests/netns/gateway/nftables.h"
#include "tests/netns/kernel/nftables/text_file.h"

namespace sekisho::kernel {
namespace {

using model::kNow;
using netns::must;
using netns::output_of;
using testing::IsEmpty;
using testing::Not;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kPolicies = 30;

// One namespace, in which it is kNow at first.
class RoundTrip : public testing::Test {
 protected:
  Instant model_now() const {
    return Instant(kNow) + std::chrono::floor<std::chrono::milliseconds>(Clock::now() - began_);
  }

  void install(const Ruleset& ruleset, const Tables& tables) {
    const auto installed = nftables_.install(ruleset, tables, model_now());
    ASSERT_TRUE(installed) << to_string(installed.error());
    ASSERT_THAT(differences(ruleset, tables), IsEmpty());
  }
  // As the daemon compares: everything is read back.
  std::vector<std::string> differences(const Ruleset& ruleset, const Tables& tables) {
    const auto observed = nftables_.observe(ruleset, tables, model_now());
    EXPECT_TRUE(observed) << to_string(observed.error());
    return observed.value_or(std::vector<std::string>{"not read"});
  }

  static std::string printed() { return output_of("nft list ruleset"); }
  // In place of every table there is.
  static void load(const std::string& text) {
    const TextFile file(text);
    must("nft flush ruleset && nft -f " + file.path());
  }

 private:
  netns::Namespace space_;
  netns::Inside inside_{space_};
  Clock::time_point began_ = Clock::now();

 protected:
  Nftables nftables_ = open_nftables();
};

// Time goes on between two listings.
std::string without_time_left(const std::string& text) {
  return std::regex_replace(text, std::regex(" expires [0-9a-z]+"), "");
}

// Ours are words, and may be any.
std::string without_comments(const std::string& text) {
  return std::regex_replace(text, std::regex("comment \"[^\"]*\""), "");
}

// The places of a packet that are read as bytes, because no field of nft lies there.
std::set<std::string> raw_places(const std::string& text) {
  const std::regex raw("@(ll|nh|th|ih),[0-9]+,[0-9]+");
  return {std::sregex_token_iterator(text.begin(), text.end(), raw), {}};
}

TEST_F(RoundTrip, OfWholePoliciesIsExact) {
  std::map<std::string, std::size_t> met;
  for (std::uint64_t seed = 1; seed <= kPolicies; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    model::Random random(seed);
    const ValidPolicy policy = model::random_valid_policy(random);
    const Ruleset ruleset = make_ruleset(policy.network());
    const auto compiled = compile(policy, kNow);
    ASSERT_TRUE(compiled) << to_string(compiled.error());
    const Tables& tables = compiled->tables;
    for (const auto& [address, entry] : tables.cohorts)
      ++met[address.family() == Family::v4 ? "cohort4" : "cohort6"];
    for (const auto& [place, mark] : tables.atoms) {
      ++met[place.addresses.first.family() == Family::v4 ? "atoms4" : "atoms6"];
      ++met["check " + std::to_string(static_cast<int>(mark.check()))];
    }
    for (const auto& [grant, until] : tables.grants) ++met[until ? "grant that ends" : "grant"];

    install(ruleset, tables);
    const std::string once = printed();
    EXPECT_EQ(output_of("nft list ruleset 2>&1 >/dev/null"), "") << "complaints";
    for (const char* word : {"unknown", "invalid", "netlink", "expr"})
      EXPECT_THAT(without_comments(once), Not(testing::HasSubstr(word)));
    EXPECT_EQ(raw_places(once), raw_places(render_nft(ruleset))) << "none that we did not write";

    load(once);
    EXPECT_THAT(differences(ruleset, tables), IsEmpty());
    EXPECT_EQ(without_time_left(printed()), without_time_left(once));
    EXPECT_THAT(nftables_.install(ruleset, tables, model_now())->changes, IsEmpty());
  }
  for (const char* kind : {"cohort4", "cohort6", "atoms4", "atoms6", "check 0", "check 1",
                           "check 2", "check 3", "grant", "grant that ends"}) {
    EXPECT_GT(met[kind], 10u) << kind;
  }
}

// In a listing: a rule, or what makes a base chain one.
bool says_what_is_done(const std::string& line) {
  const bool rule = line.starts_with("\t\t") && line.ends_with('"') &&
                    line.find(" comment \"") != std::string::npos;
  return rule || (line.starts_with("\t\ttype ") && line.find(" hook ") != std::string::npos);
}

// The control: whichever line is left out, what is loaded is another table, and the comparison says
// so.
TEST_F(RoundTrip, MissesNoLine) {
  const Ruleset ruleset = make_ruleset(network());
  const Tables tables = some_tables();
  install(ruleset, tables);
  const std::string once = printed();
  std::vector<std::string> lines;
  std::istringstream text(once);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  std::size_t looked_at = 0;
  for (std::size_t left_out = 0; left_out < lines.size(); ++left_out) {
    if (!says_what_is_done(lines[left_out])) continue;
    ++looked_at;
    SCOPED_TRACE(lines[left_out]);
    std::string rest;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i != left_out) rest += lines[i] + "\n";
    }
    load(rest);
    EXPECT_THAT(differences(ruleset, tables), Not(IsEmpty()));
    EXPECT_NE(printed(), once);
  }
  EXPECT_GT(looked_at, 100u);
}

// So does one word of one element.
TEST_F(RoundTrip, MissesNoElement) {
  const Ruleset ruleset = make_ruleset(network());
  const Tables tables = some_tables();
  install(ruleset, tables);
  const std::string once = printed();
  for (const auto& [word, other] :
       {std::pair("10.66.0.2 : 0x00000001", "10.66.0.2 : 0x00000002"),
        std::pair("203.0.113.0/24 . tcp . 22 : 0x00010028",
                  "203.0.113.0/25 . tcp . 22 : 0x00010028"),
        std::pair("0x00000001 . 0x00010017", "0x00000003 . 0x00010017")}) {
    std::string changed = once;
    const auto at = changed.find(word);
    ASSERT_NE(at, std::string::npos) << word << "\n" << once;
    changed.replace(at, std::string_view(word).size(), other);
    load(changed);
    EXPECT_THAT(differences(ruleset, tables), Not(IsEmpty())) << other;
  }
}

}  // namespace
}  // namespace sekisho::kernel

#include "policy/compile/ruleset.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "policy/compile/render_nft.h"
#include "tests/support/golden.h"

namespace sekisho {
namespace {

using namespace nft;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

Network network(std::vector<std::string> pools) {
  Network network;
  for (const auto& pool : pools) network.pools.push_back(Prefix::parse(pool).value());
  return network;
}

Network both_families() {
  return network({"10.66.0.0/16", "fd66::/64"});
}

const Chain& chain_of(const Ruleset& ruleset, const std::string& name) {
  const auto found =
      std::ranges::find_if(ruleset.chains, [&](const Chain& chain) { return chain.name == name; });
  EXPECT_NE(found, ruleset.chains.end()) << name;
  return *found;
}

std::vector<std::string> lines(const Chain& chain) {
  std::vector<std::string> all;
  for (const Rule& rule : chain.rules) {
    const std::string line = to_nft(rule);
    all.push_back(line.substr(0, line.find(" comment ")));
  }
  return all;
}

// The golden file is what `nft list ruleset` shows an administrator.
void expect_golden(const std::string& name, const std::string& text) {
  expect_file(std::filesystem::path(SEKISHO_GOLDEN) / "ruleset" / name, text);
}

TEST(Ruleset, ReadsAsTheGoldenText) {
  expect_golden("both_families.nft", render_nft(make_ruleset(both_families())));
}

TEST(Ruleset, OfOneFamilyReadsAsTheGoldenText) {
  Network only_v4 = network({"192.0.2.0/25"});
  only_v4.interface = "tunnel0";
  only_v4.listen_port = Port(51999);
  expect_golden("only_v4.nft", render_nft(make_ruleset(only_v4)));
}

// Comments that say nothing, or that the kernel would not keep.
int unexplained(const Ruleset& ruleset) {
  std::vector<std::string> comments{ruleset.comment};
  for (const auto& counter : ruleset.counters) comments.push_back(counter.comment);
  for (const auto& set : ruleset.sets) comments.push_back(set.comment);
  for (const auto& chain : ruleset.chains) {
    comments.push_back(chain.comment);
    for (const auto& rule : chain.rules) comments.push_back(rule.comment);
  }
  return static_cast<int>(std::ranges::count_if(comments, [](const std::string& comment) {
    return comment.size() <= 4 || comment.size() > kLongestComment ||
           comment.find('"') != std::string::npos;
  }));
}

TEST(Ruleset, ExplainsEverything) {
  Ruleset ruleset = make_ruleset(both_families());
  EXPECT_EQ(unexplained(ruleset), 0);
  ruleset.chains.front().rules.back().comment.clear();
  ruleset.sets.back().comment = std::string(kLongestComment + 1, '.');
  EXPECT_EQ(unexplained(ruleset), 2);
}

// A chain nobody reaches, or a jump to nowhere, is a mistake that the kernel would not name.
TEST(Ruleset, EveryChainIsReachedAndEveryTargetExists) {
  const auto ruleset = make_ruleset(both_families());
  std::set<std::string> chains, reached;
  for (const auto& chain : ruleset.chains) {
    EXPECT_TRUE(chains.insert(chain.name).second) << chain.name;
    if (chain.base) reached.insert(chain.name);
    for (const auto& rule : chain.rules) {
      for (const auto& statement : rule.statements) {
        if (const auto* jump = std::get_if<Jump>(&statement)) reached.insert(jump->chain);
        if (const auto* go = std::get_if<Goto>(&statement)) reached.insert(go->chain);
      }
    }
  }
  EXPECT_EQ(chains, reached);
}

// Chains that decide (reached by goto) end in a verdict without a condition; nothing falls out of
// them into a base chain's policy.
TEST(Ruleset, DecidingChainsEndInAVerdict) {
  const auto ruleset = make_ruleset(both_families());
  const std::set<std::string> return_on_purpose{"cohort_of_source", "cohort_of_destination",
                                                "count_flow", "log_refusal"};
  for (const auto& chain : ruleset.chains) {
    if (chain.base || return_on_purpose.contains(chain.name)) continue;
    const auto& last = chain.rules.back().statements;
    const bool verdict = std::holds_alternative<Accept>(last.back()) ||
                         std::holds_alternative<Drop>(last.back()) ||
                         std::holds_alternative<Goto>(last.back()) ||
                         std::holds_alternative<RejectProhibited>(last.back());
    EXPECT_TRUE(verdict) << chain.name;
    const bool unconditional =
        std::all_of(last.begin(), last.end() - 1, [](const Statement& statement) {
          return std::holds_alternative<Count>(statement) || std::holds_alternative<Log>(statement);
        });
    EXPECT_TRUE(unconditional) << chain.name;
  }
}

TEST(Ruleset, VpnTrafficMeetsAVerdictInEveryBaseChain) {
  const auto ruleset = make_ruleset(both_families());
  EXPECT_THAT(lines(chain_of(ruleset, "preraw")),
              Contains("iifname \"wg0\" meta mark set 0x005e0000 accept"));
  EXPECT_THAT(lines(chain_of(ruleset, "input")), Contains("iifname \"wg0\" goto to_gateway"));
  EXPECT_THAT(lines(chain_of(ruleset, "output")), Contains("oifname \"wg0\" goto from_gateway"));
  EXPECT_THAT(lines(chain_of(ruleset, "forward")), Contains("iifname \"wg0\" goto from_tunnel"));
  EXPECT_THAT(lines(chain_of(ruleset, "forward")), Contains("oifname \"wg0\" goto to_tunnel"));
}

// Or an uplink that checks sources would find no way back for them (netns RoutingTest shows it).
TEST(Ruleset, AnswersToDevicesAreMarkedAsSeen) {
  EXPECT_THAT(lines(chain_of(make_ruleset(both_families()), "prerouting")),
              ElementsAre("ip daddr 10.66.0.0/16 meta mark set 0x005e0000"));
}

TEST(Ruleset, AFamilyWithoutAPoolIsDroppedWhereItLeavesTheTunnel) {
  const std::string drop_v6 = "iifname \"wg0\" meta nfproto ipv6 drop";
  const std::string drop_v4 = "iifname \"wg0\" meta nfproto ipv4 drop";
  const auto v4 = lines(chain_of(make_ruleset(network({"10.66.0.0/16"})), "preraw"));
  EXPECT_EQ(v4.front(), drop_v6);
  const auto v6 = lines(chain_of(make_ruleset(network({"fd66::/64"})), "preraw"));
  EXPECT_EQ(v6.front(), drop_v4);
  const auto both = lines(chain_of(make_ruleset(both_families()), "preraw"));
  EXPECT_THAT(both, Not(Contains(drop_v6)));
  EXPECT_THAT(both, Not(Contains(drop_v4)));
}

TEST(Ruleset, FollowsTheNetwork) {
  Network other = both_families();
  other.interface = "staff";
  other.listen_port = Port(443);
  const std::string text = render_nft(make_ruleset(other));
  EXPECT_EQ(text.find("wg0"), std::string::npos);
  EXPECT_EQ(text.find("51820"), std::string::npos);
  EXPECT_NE(text.find("udp dport 443 fib daddr type local notrack"), std::string::npos);
}

}  // namespace
}  // namespace sekisho

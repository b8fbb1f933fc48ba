// What other tables may do to the tunnel's traffic is found, and nothing where they may not.
#include "tests/netns/gateway/nftables.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = ForeignRisk::Kind;

const std::string kIn = "iifname \"wg0\"", kOut = "oifname \"wg0\"", kArrives = "udp dport 51820",
                  kLeaves = "udp sport 51820";

class Foreign : public testing::Test {
 protected:
  void SetUp() override { install(nftables_, make_ruleset(network()), some_tables()); }

  // `ruleset` in nft's words, in place of the other tables there were.
  std::vector<ForeignRisk> risks(const std::string& ruleset) {
    must("nft list tables | grep -v 'inet sekisho' | sed 's/^/delete /' | nft -f -");
    must("nft -f - <<'END'\n" + ruleset + "\nEND");
    const std::string before = netns::output_of("nft -a list ruleset");
    const auto found = nftables_.foreign_risks({.interface = "wg0", .listen_port = Port(51820)});
    EXPECT_TRUE(found.has_value()) << (found ? "" : to_string(found.error()));
    EXPECT_EQ(netns::output_of("nft -a list ruleset"), before);
    return found.value_or(std::vector<ForeignRisk>{});
  }
  // With these rules in a chain of that hook. `more`: other chains.
  std::vector<ForeignRisk> at(const std::string& hook, const std::string& rules,
                              const std::string& policy = "accept", const std::string& more = "") {
    return risks("table ip6 other { " + more + "\n chain c { type filter hook " + hook +
                 " priority 5; policy " + policy + ";\n" + rules + "\n}\n}");
  }
  static ForeignRisk drops(std::vector<std::string> let_by) {
    return {Kind::drops, "ip6", "other", "c", std::move(let_by)};
  }

  netns::Namespace space_;
  netns::Inside inside_{space_};
  Nftables nftables_ = open_nftables();
};

TEST_F(Foreign, NothingWhereNobodyElseDropsOrMarks) {
  EXPECT_THAT(risks(""), IsEmpty());
  EXPECT_THAT(at("forward", "counter accept"), IsEmpty());
  EXPECT_THAT(
      at("forward", "tcp dport 22 counter accept\n meta mark set ct mark\n ct mark 7 accept"),
      IsEmpty());
  EXPECT_THAT(at("forward", "accept", "drop"), IsEmpty());
  EXPECT_THAT(at("forward", "", "accept", "chain unused { drop; }"), IsEmpty());
  EXPECT_THAT(risks("table ip other { flags dormant; chain c {"
                    " type filter hook forward priority 0; policy drop; }\n}"),
              IsEmpty());
}

TEST_F(Foreign, APolicyThatDrops) {
  EXPECT_THAT(at("prerouting", "", "drop"), ElementsAre(drops({kIn, kArrives})));
  EXPECT_THAT(at("input", "", "drop"), ElementsAre(drops({kIn, kArrives})));
  EXPECT_THAT(at("forward", "tcp dport 22 accept", "drop"), ElementsAre(drops({kIn, kOut})));
  EXPECT_THAT(at("output", "", "drop"), ElementsAre(drops({kOut, kLeaves})));
  EXPECT_THAT(at("postrouting", "", "drop"), ElementsAre(drops({kOut, kLeaves})));
}

TEST_F(Foreign, ARuleThatDropsOrRejectsThereOrBelow) {
  const auto found = ElementsAre(drops({kIn, kOut}));
  EXPECT_THAT(at("forward", "tcp dport 25 counter drop"), found);
  EXPECT_THAT(at("forward", "reject"), found);
  const std::string below = "chain c2 { tcp dport 25 drop; }\n chain c1 { jump c2; }";
  EXPECT_THAT(at("forward", "tcp dport 25 jump c1", "accept", below), found);
  EXPECT_THAT(at("forward", "goto c2", "accept", below), found);
  EXPECT_THAT(at("forward", "ct state vmap { established : accept, invalid : drop }"), found);
  EXPECT_THAT(at("forward", "tcp dport vmap { 22 : accept, 25 : jump c1 }", "accept", below),
              found);
  EXPECT_THAT(at("forward", "tcp dport vmap { 22 : accept, 25 : return }", "accept", below),
              IsEmpty());
}

TEST_F(Foreign, WhatLetsTheTunnelByMendsIt) {
  const std::string in = kIn + " counter accept\n", out = kOut + " accept\n";
  EXPECT_THAT(at("forward", in + out + "drop", "drop"), IsEmpty());
  const std::string arrives = kArrives + " accept\n", leaves = kLeaves + " accept\n";
  EXPECT_THAT(at("input", in + arrives, "drop"), IsEmpty());
  EXPECT_THAT(at("output", out + leaves, "drop"), IsEmpty());
  // Controls: one way only, too late, of another interface, of some traffic, the other way round.
  EXPECT_THAT(at("forward", in, "drop"), ElementsAre(drops({kOut})));
  EXPECT_THAT(at("forward", "tcp dport 25 drop\n" + in + out), ElementsAre(drops({kIn, kOut})));
  EXPECT_THAT(at("input", in, "drop"), ElementsAre(drops({kArrives})));
  EXPECT_THAT(at("output", leaves, "drop"), ElementsAre(drops({kOut})));
  for (const std::string& rule :
       {std::string("iifname \"wg1\" accept"), kIn + " tcp dport 53 accept",
        std::string("iifname != \"wg0\" accept"), std::string("udp dport 51821 accept"),
        std::string("udp dport != 51820 accept"), std::string("tcp dport 51820 accept"),
        kLeaves + " accept", kArrives + " ip6 saddr fd66::2 accept"}) {
    EXPECT_THAT(at("input", rule, "drop"), ElementsAre(drops({kIn, kArrives}))) << rule;
  }
}

// Where other firewalls have a place for it: Docker's DOCKER-USER, ufw's ufw-user-forward.
TEST_F(Foreign, WhatLetsTheTunnelByInAChainThatAllPass) {
  const std::string both = kIn + " accept\n" + kOut + " accept\n";
  const auto with = [&](const std::string& rules, const std::string& user,
                        const std::string& policy = "drop") {
    return at("forward", rules, policy,
              "chain user {\n" + user +
                  "\n}\n chain between { jump user; }\n"
                  "chain twice { jump user; jump user; }\n chain strict { drop; }");
  };
  for (const char* rules :
       {"jump user", "goto user", "jump between", "tcp dport 25 accept\n jump user",
        "jump user\n drop", "jump twice", "jump user\n tcp dport 25 jump strict"}) {
    EXPECT_THAT(with(rules, both), IsEmpty()) << rules;
  }
  EXPECT_THAT(with("jump user\n drop", both, "accept"), IsEmpty());
  EXPECT_THAT(with("jump user\n" + kOut + " accept", kIn + " accept"), IsEmpty());
  // Controls: not all pass there, it is too late, they came back before, they go past it, one way.
  const auto found = ElementsAre(drops({kIn, kOut}));
  for (const char* rules :
       {"tcp dport 25 jump user", "tcp dport 25 drop\n jump user",
        "tcp dport 25 return\n jump user", "return\n jump user", "tcp dport 25 goto between\n drop",
        "goto strict\n jump user", "tcp dport vmap { 25 : jump user, 26 : return }",
        "jump strict\n jump user"}) {
    EXPECT_THAT(with(rules, both), found) << rules;
  }
  EXPECT_THAT(with("jump user", "tcp dport 25 return\n" + both), found);
  EXPECT_THAT(with("jump user", "tcp dport 25 drop\n" + both, "accept"), found);
  EXPECT_THAT(with("jump user", "tcp dport 25 goto strict\n" + both, "accept"), found);
  EXPECT_THAT(with("jump user", kIn + " accept"), ElementsAre(drops({kOut})));
  EXPECT_THAT(with("jump user", kIn + " accept\n drop", "accept"), ElementsAre(drops({kOut})));
}

TEST_F(Foreign, RulesThatSetTheCtMark) {
  EXPECT_THAT(at("prerouting", "tcp dport 443 ct mark set meta mark"),
              ElementsAre(ForeignRisk{Kind::remarks, "ip6", "other", "c"}));
}

TEST_F(Foreign, EveryTableByItsOwnName) {
  const std::string body = " { chain c { type filter hook input priority 0; policy drop; }\n}\n";
  EXPECT_THAT(risks("table inet other" + body + "table ip sekisho" + body),
              ElementsAre(ForeignRisk{Kind::drops, "inet", "other", "c", {kIn, kArrives}},
                          ForeignRisk{Kind::drops, "ip", "sekisho", "c", {kIn, kArrives}}));
}

TEST_F(Foreign, FlowtablesThatPassPolicyBy) {
  const std::string rules =
      "table inet other { flowtable fast { hook ingress priority 0; devices = { lo }; }\n"
      " chain c { type filter hook forward priority 0; meta l4proto tcp flow add @fast; }\n}";
  if (netns::run("nft -f - 2>/dev/null <<'END'\n" + rules + "\nEND") != 0)
    GTEST_SKIP() << "this kernel has no flowtables (CONFIG_NF_FLOW_TABLE)";
  EXPECT_THAT(risks(rules), ElementsAre(ForeignRisk{Kind::bypasses, "inet", "other", "c"}));
}

}  // namespace
}  // namespace sekisho::kernel

// What install() makes of what it finds.
#include "policy/compile/render_nft.h"
#include "tests/netns/gateway/nftables.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class Install : public testing::Test {
 protected:
  std::vector<std::string> install() { return kernel::install(nftables_, ruleset_, tables_); }
  std::vector<std::string> observe() { return kernel::observe(nftables_, ruleset_, tables_); }
  static std::string listing() { return output_of("nft -a list ruleset"); }
  // What nft says, sorted: what is made again stands last.
  static std::string text() { return output_of("nft list ruleset | sort"); }

  netns::Namespace space_;
  netns::Inside inside_{space_};
  Nftables nftables_ = open_nftables();
  Ruleset ruleset_ = make_ruleset(network());
  Tables tables_ = some_tables();
};

TEST_F(Install, MakesTheTableAndSaysSo) {
  EXPECT_THAT(observe(), testing::ElementsAre("table sekisho is missing"));
  EXPECT_THAT(install(), testing::ElementsAre("table sekisho is missing"));
  EXPECT_THAT(observe(), IsEmpty());
}

TEST_F(Install, FindsEverythingTheSecondTimeAndTouchesNothing) {
  install();
  const auto before = listing();
  const auto generation = nftables_.generation().value();
  EXPECT_THAT(install(), IsEmpty());
  EXPECT_EQ(listing(), before);
  EXPECT_EQ(nftables_.generation().value(), generation);
}

TEST_F(Install, AnotherProcessAdoptsWhatItFinds) {
  install();
  const auto before = listing();
  auto later = open_nftables();
  EXPECT_THAT(kernel::install(later, ruleset_, tables_), IsEmpty());
  EXPECT_EQ(listing(), before);
}

TEST_F(Install, SendsElementsAloneWhereTheRulesAreRight) {
  install();
  const auto rules = output_of("nft -a list chains; nft -a list chain inet sekisho forward");
  tables_.cohorts.erase(ip("10.66.0.2"));
  tables_.cohorts[ip("10.66.0.9")] = {Cohort(5)};
  const auto changes = install();
  EXPECT_THAT(changes, testing::UnorderedElementsAre("element 10.66.0.2 of cohort4 is not ours",
                                                     "element 10.66.0.9 of cohort4 is missing"));
  EXPECT_EQ(output_of("nft -a list chains; nft -a list chain inet sekisho forward"), rules);
  EXPECT_THAT(observe(), IsEmpty());
}

// Every way to change our table that nft offers: it is seen, named, and made right.
struct Tampering {
  const char* name;
  const char* command;
  const char* seen;
};

class Tampered : public Install, public testing::WithParamInterface<Tampering> {};

TEST_P(Tampered, IsNamedAndRepaired) {
  install();
  const auto good = text();
  must(GetParam().command);
  EXPECT_THAT(observe(), Contains(HasSubstr(GetParam().seen)));
  EXPECT_THAT(install(), Contains(HasSubstr(GetParam().seen)));
  EXPECT_THAT(observe(), IsEmpty());
  EXPECT_EQ(text(), good);
}

const Tampering kTamperings[] = {
    {"Flush", "nft flush ruleset", "table sekisho is missing"},
    {"Delete", "nft delete table inet sekisho", "table sekisho is missing"},
    {"FlushTable", "nft flush table inet sekisho", "rule 1 of chain forward is missing"},
    {"FlushChain", "nft flush chain inet sekisho forward",
     "rule 2 of chain forward is missing: iifname \"wg0\" goto from_tunnel"},
    {"Dormant", "nft add table inet sekisho '{ flags dormant; }'", "table sekisho is switched off"},
    {"RuleAdded", "nft insert rule inet sekisho forward accept",
     "rule 1 of chain forward is not ours"},
    {"RuleAppended", "nft add rule inet sekisho to_tunnel accept",
     "rule 9 of chain to_tunnel is not ours"},
    {"RuleDeleted",
     "nft delete rule inet sekisho forward handle $(nft -a list chain inet sekisho forward | "
     "sed -n 's/.*goto to_tunnel.*handle //p')",
     "rule 3 of chain forward is missing"},
    {"RuleChanged",
     "nft replace rule inet sekisho forward handle $(nft -a list chain inet sekisho forward | "
     "sed -n 's/.*goto to_tunnel.*handle //p') oifname wg0 accept",
     "rule 3 of chain forward is missing"},
    {"CommentChanged",
     "nft replace rule inet sekisho forward handle $(nft -a list chain inet sekisho forward | "
     "sed -n 's/.*goto to_tunnel.*handle //p') oifname wg0 goto to_tunnel comment hello",
     "rule 3 of chain forward is missing"},
    {"Policy", "nft add chain inet sekisho forward '{ policy drop; }'",
     "chain forward has another hook, priority, type or policy"},
    {"ChainAdded", "nft add chain inet sekisho intruder", "chain intruder is not ours"},
    {"BaseChainAdded",
     "nft 'add chain inet sekisho early { type filter hook forward priority -400; }; "
     "add rule inet sekisho early accept'",
     "chain early is not ours"},
    {"ChainUsed",
     "nft 'add chain inet sekisho intruder; add rule inet sekisho intruder accept; "
     "insert rule inet sekisho from_tunnel goto intruder'",
     "chain intruder is not ours"},
    {"ChainElsewhere",
     "nft 'flush chain inet sekisho output; delete chain inet sekisho output; "
     "add chain inet sekisho output { type filter hook output priority 10; }; "
     "add rule inet sekisho output oifname wg0 goto from_gateway'",
     "chain output has another hook, priority, type or policy"},
    {"SetAdded",
     "nft 'add set inet sekisho friends { type ipv4_addr; }; "
     "insert rule inet sekisho from_tunnel ip saddr @friends accept'",
     "set friends is not ours"},
    {"VerdictMapAdded",
     "nft 'add chain inet sekisho ok; add map inet sekisho jumps { type ipv4_addr : verdict; }; "
     "add element inet sekisho jumps { 10.66.0.2 : goto ok }; "
     "insert rule inet sekisho from_tunnel ip saddr vmap @jumps'",
     "set jumps is not ours"},
    {"AnonymousSet", "nft insert rule inet sekisho from_tunnel ip saddr '{ 10.66.0.2 }' accept",
     "rule 1 of chain from_tunnel is not ours"},
    {"CounterAdded", "nft add counter inet sekisho mine", "object mine is not ours"},
    {"ElementAdded", "nft add element inet sekisho cohort4 '{ 10.66.7.7 : 1 }'",
     "element 10.66.7.7 of cohort4 is not ours"},
    {"ElementRemoved", "nft delete element inet sekisho cohort4 '{ 10.66.0.3 }'",
     "element 10.66.0.3 of cohort4 is missing"},
    {"ElementChanged",
     "nft 'delete element inet sekisho cohort4 { 10.66.0.3 }; "
     "add element inet sekisho cohort4 { 10.66.0.3 : 1 }'",
     "element 10.66.0.3 of cohort4 is 0x1 instead of 0x2"},
    {"ElementMadeToEnd",
     "nft 'delete element inet sekisho cohort4 { 10.66.0.3 }; "
     "add element inet sekisho cohort4 { 10.66.0.3 timeout 1h : 2 }'",
     "element 10.66.0.3 of cohort4 ends in 3600 s, where it never ends"},
    {"GrantAdded", "nft add element inet sekisho grants '{ 2 . 0x10017 }'",
     "element 0x2 . 0x10017 of grants is not ours"},
    {"GrantRemoved", "nft delete element inet sekisho grants '{ 1 . 0x10017 }'",
     "element 0x1 . 0x10017 of grants is missing"},
    {"AtomAdded",
     "nft add element inet sekisho atoms4 '{ 198.51.100.0/24 . tcp . 1-65535 : 0x10014 }'",
     "element 198.51.100.0-198.51.100.255 . 6 . 1-65535 of atoms4 is not ours"},
    {"AtomRemoved",
     "nft delete element inet sekisho atoms6 '{ 2001:db8::1-2001:db8::ffff . tcp . 443 }'",
     "element 2001:db8::1-2001:db8::ffff . 6 . 443 of atoms6 is missing"},
    {"AtomWidened",
     "nft 'delete element inet sekisho atoms4 { 203.0.113.0/24 . tcp . 443 }; "
     "add element inet sekisho atoms4 { 203.0.112.0/23 . tcp . 443 : 0x10014 }'",
     "element 203.0.112.0-203.0.113.255 . 6 . 443 of atoms4 is not ours"},
    {"SetsFlushed", "nft flush map inet sekisho cohort4",
     "element 10.66.0.2 of cohort4 is missing"},
};

INSTANTIATE_TEST_SUITE_P(Install, Tampered, testing::ValuesIn(kTamperings),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(Install, AnotherDeclarationOfASetIsReplaced) {
  install();
  const auto good = text();
  // The same table, with cohort4 declared without timeouts.
  std::string other = output_of("nft list ruleset");
  const auto at = other.find("\t\tflags timeout\n");
  other.erase(at, std::string("\t\tflags timeout\n").size());
  must("nft flush ruleset");
  must("nft -f - <<'END'\n" + other + "END\n");
  EXPECT_THAT(install(), Contains("set cohort4 is declared otherwise"));
  EXPECT_EQ(text(), good);
}

// A flowtable takes packets past the forward hook.
TEST_F(Install, DeletesFlowtables) {
  install();
  const auto good = text();
  const std::string add =
      "nft 'add flowtable inet sekisho fast { hook ingress priority 0; devices = { lo }; }; "
      "insert rule inet sekisho forward flow add @fast' 2>/dev/null";
  if (netns::run(add) != 0) GTEST_SKIP() << "this kernel has no flowtables (CONFIG_NF_FLOW_TABLE)";
  EXPECT_THAT(install(), Contains("flowtable fast is not ours"));
  EXPECT_EQ(text(), good);
}

TEST_F(Install, LeavesOtherTablesAlone) {
  must(
      "nft 'add table ip other; add chain ip other c { type filter hook forward priority 5; }; "
      "add rule ip other c counter accept; add table ip sekisho; add chain ip sekisho forward'");
  const auto other = output_of("nft -a list table ip other; nft -a list table ip sekisho");
  install();
  must("nft insert rule inet sekisho forward accept");
  install();
  EXPECT_EQ(output_of("nft -a list table ip other; nft -a list table ip sekisho"), other);
}

// Deleting and re-creating a base chain leaks packets in between, so the handles must stay. The
// control is the very thing: a chain that was deleted comes back with another handle.
TEST_F(Install, KeepsBaseChainsWhenRulesChange) {
  const std::string handles = "nft -a list chains inet | grep -o 'chain [a-z_]* { # handle [0-9]*'";
  install();
  const auto before = output_of(handles);
  EXPECT_THAT(before, HasSubstr("chain forward {"));
  must("nft flush table inet sekisho");
  must("nft add chain inet sekisho intruder");
  install();
  EXPECT_EQ(output_of(handles), before);

  must("nft 'flush chain inet sekisho output; delete chain inet sekisho output'");
  install();
  EXPECT_NE(output_of(handles), before);
}

TEST_F(Install, FollowsAnotherNetwork) {
  install();
  const auto chain = output_of("nft -a list chains inet");
  Network other = network();
  other.interface = "wg7";
  ruleset_ = make_ruleset(other);
  EXPECT_THAT(install(), Contains(HasSubstr("rule 1 of chain output is missing")));
  EXPECT_THAT(text(), HasSubstr("oifname \"wg7\" goto from_gateway"));
  EXPECT_EQ(text().find("wg0"), std::string::npos);
  EXPECT_EQ(output_of("nft -a list chains inet"), chain);
}

TEST_F(Install, KeepsCounters) {
  install();
  must("nft 'delete table inet sekisho'");
  std::string counted = render_nft(ruleset_);
  const auto at = counted.find("packets 0");
  counted.replace(at, std::string("packets 0").size(), "packets 77");
  must("nft -f - <<'END'\n" + counted + "END\n");
  install();
  EXPECT_THAT(text(), HasSubstr("packets 77"));
}

}  // namespace
}  // namespace sekisho::kernel

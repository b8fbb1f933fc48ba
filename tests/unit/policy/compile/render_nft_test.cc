#include "policy/compile/render_nft.h"

#include <gmock/gmock.h>

namespace sekisho {
namespace {

using testing::HasSubstr;
using testing::Not;

const Time kNow = parse_time("2026-11-22T09:00:00Z").value();

IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

Ruleset ruleset() {
  Network network;
  network.pools = {Prefix::parse("10.66.0.0/16").value(), Prefix::parse("fd66::/64").value()};
  return make_ruleset(network);
}

std::string rendered(const Tables& tables) {
  return render_nft(ruleset(), tables, kNow);
}

TEST(RenderNft, WithoutContentsIsTheEmptyTable) {
  EXPECT_EQ(render_nft(ruleset()), rendered({}));
  EXPECT_THAT(render_nft(ruleset()), Not(HasSubstr("elements")));
}

TEST(RenderNft, CohortsGoToTheMapOfTheirFamily) {
  Tables tables;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(1)};
  tables.cohorts[ip("fd66::2")] = {Cohort(0xffff)};
  const std::string text = rendered(tables);
  EXPECT_THAT(text, HasSubstr("elements = { 10.66.0.2 : 0x00000001 }"));
  EXPECT_THAT(text, HasSubstr("elements = { fd66::2 : 0x0000ffff }"));
  EXPECT_LT(text.find("map cohort4"), text.find("10.66.0.2 :"));
  EXPECT_GT(text.find("map cohort6"), text.find("10.66.0.2 :"));
}

TEST(RenderNft, WhatEndsCarriesTheSecondsThatRemain) {
  Tables tables;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(1), kNow + std::chrono::seconds(90)};
  tables.grants[{Cohort(1), AtomMark(0x1001, Check::tls)}] = kNow + std::chrono::hours(2);
  const std::string text = rendered(tables);
  EXPECT_THAT(text, HasSubstr("10.66.0.2 timeout 90s : 0x00000001"));
  EXPECT_THAT(text, HasSubstr("0x00000001 . 0x00010017 timeout 7200s"));
}

TEST(RenderNft, WhatHasEndedIsLeftOut) {
  Tables tables;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(1), kNow};
  tables.cohorts[ip("10.66.0.3")] = {Cohort(1), kNow + std::chrono::seconds(1)};
  tables.grants[{Cohort(1), AtomMark(0x1001, Check::tls)}] = kNow - std::chrono::seconds(1);
  const std::string text = rendered(tables);
  EXPECT_THAT(text, Not(HasSubstr("10.66.0.2 ")));
  EXPECT_THAT(text, HasSubstr("10.66.0.3 timeout 1s"));
  EXPECT_THAT(text, Not(HasSubstr("0x00010017")));
}

TEST(RenderNft, AtomsAreIntervalsAndBeginProvenOnlyWhereNothingIsToProve) {
  Tables tables;
  const AddressRange net{ip("203.0.113.0"), ip("203.0.113.255")};
  const AddressRange host{ip("2001:db8::1"), ip("2001:db8::1")};
  tables.atoms[{net, Protocol::tcp, PortRange::single(443)}] = AtomMark(0x1001, Check::tls);
  tables.atoms[{host, Protocol::udp, {Port(5000), Port(5010)}}] = AtomMark(0x1002, Check::none);
  const std::string text = rendered(tables);
  EXPECT_THAT(text, HasSubstr("{ 203.0.113.0-203.0.113.255 . 6 . 443 : 0x00010014 }"));
  EXPECT_THAT(text, HasSubstr("{ 2001:db8::1 . 17 . 5000-5010 : 0x00010023 }"));
}

TEST(RenderNft, SpellsStatementsAsNftDoes) {
  using namespace nft;
  const std::pair<Statement, std::string> spelled[] = {
      {HasMark{Mark::ct, 0xc, 0x4}, "ct mark & 0x0000000c == 0x00000004"},
      {HasMark{Mark::meta, 0xffffffff, 1, Compare::differs}, "meta mark != 0x00000001"},
      {PayloadBegins{4, 0xffffffff, 0x5353482d}, "@ih,0,32 0x5353482d"},
      {PayloadBegins{1, 0xc0, 0xc0, Compare::differs}, "@ih,0,8 & 0xc0 != 0xc0"},
      {PacketsUnder{Direction::reply, 16}, "ct reply packets < 16"},
      {Granted{false}, "meta mark . ct mark @grants"},
      {Granted{true}, "meta mark . ct mark | 0x00000003 @grants"},
      {FindAtom{Family::v6}, "ct mark set ip6 daddr . meta l4proto . th dport map @atoms6"},
      {Log{"hello", 6, 0}, "log prefix \"hello\" group 6"},
      {Masquerade{PortRange{Port(1024), Port(32767)}}, "masquerade to :1024-32767"},
  };
  for (const auto& [statement, text] : spelled) EXPECT_EQ(to_nft(statement), text);
}

}  // namespace
}  // namespace sekisho

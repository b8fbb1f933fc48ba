#include "gateway/kernel/nftables/expressions.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace sekisho::kernel {
namespace {

using namespace nft;

// The expressions of a rule of these statements, without its comment.
std::string expressions(std::vector<Statement> statements) {
  const auto text = canonical(*make_rule("sekisho", "c", {std::move(statements), "why"}));
  return text.substr(0, text.find('\0'));
}

Prefix prefix(const std::string& text) {
  return Prefix::parse(text).value();
}

struct Encoding {
  std::vector<Statement> statements;
  std::string expected;
};

const std::string kInet4 = "meta load nfproto => reg 1 ; cmp eq reg 1 0x00000002 ; ";
const std::string kInet6 = "meta load nfproto => reg 1 ; cmp eq reg 1 0x0000000a ; ";
const std::string kTcp = "meta load l4proto => reg 1 ; cmp eq reg 1 0x00000006 ; ";

// What nft 1.0.6 --debug=netlink says of the same statements. Numbers are the register's bytes.
const std::vector<Encoding>& encodings() {
  static const std::vector<Encoding> all{
      {{FromInterface{"wg0"}},
       "meta load iifname => reg 1 ; cmp eq reg 1 0x00306777 0x00000000 0x00000000 0x00000000 ; "},
      {{ToInterface{"wg0"}},
       "meta load oifname => reg 1 ; cmp eq reg 1 0x00306777 0x00000000 0x00000000 0x00000000 ; "},
      {{IsFamily{Family::v6}}, kInet6},
      {{HasAddress{Side::source, prefix("10.66.0.0/16")}},
       kInet4 + "payload load 2b @ network header + 12 => reg 1 ; cmp eq reg 1 0x0000420a ; "},
      {{HasAddress{Side::destination, prefix("10.66.0.1/32"), Compare::differs}},
       kInet4 + "payload load 4b @ network header + 16 => reg 1 ; cmp neq reg 1 0x0100420a ; "},
      {{HasAddress{Side::source, prefix("192.0.2.0/25")}},
       kInet4 + "payload load 4b @ network header + 12 => reg 1 ; bitwise reg 1 = ( reg 1 & "
                "0x80ffffff ) ^ 0x00000000 ; cmp eq reg 1 0x000200c0 ; "},
      {{HasAddress{Side::destination, prefix("fd66::/64")}},
       kInet6 + "payload load 8b @ network header + 24 => reg 1 ; cmp eq reg 1 0x000066fd "
                "0x00000000 ; "},
      {{IsProtocol{Protocol::tcp}}, kTcp},
      {{IsProtocol{Protocol::icmpv6, Compare::differs}},
       "meta load l4proto => reg 1 ; cmp neq reg 1 0x0000003a ; "},
      {{UdpPort{Side::destination, Port(51820)}},
       "meta load l4proto => reg 1 ; cmp eq reg 1 0x00000011 ; payload load 2b @ transport header "
       "+ 2 => reg 1 ; cmp eq reg 1 0x00006cca ; "},
      {{ToLocalAddress{}}, "fib daddr type => reg 1 ; cmp eq reg 1 0x00000002 ; "},
      {{IsDirection{Direction::reply}}, "ct load direction => reg 1 ; cmp eq reg 1 0x00000001 ; "},
      {{HasState{kEstablished | kRelated}},
       "ct load state => reg 1 ; bitwise reg 1 = ( reg 1 & 0x00000006 ) ^ 0x00000000 ; cmp neq reg "
       "1 0x00000000 ; "},
      {{HasMark{Mark::ct, 0xc, 0x4}},
       "ct load mark => reg 1 ; bitwise reg 1 = ( reg 1 & 0x0000000c ) ^ 0x00000000 ; cmp eq reg 1 "
       "0x00000004 ; "},
      {{HasMark{Mark::meta, 0xffffffff, 0, Compare::differs}},
       "meta load mark => reg 1 ; cmp neq reg 1 0x00000000 ; "},
      {{TcpFlags{kSyn, kSyn | kAck}},
       kTcp + "payload load 1b @ transport header + 13 => reg 1 ; bitwise reg 1 = ( reg 1 & "
              "0x00000012 ) ^ 0x00000000 ; cmp eq reg 1 0x00000002 ; "},
      {{TcpOption{19}},
       "exthdr load tcpopt 1b @ 19 + 0 present => reg 1 ; cmp eq reg 1 0x00000001 ; "},
      {{EchoRequest{Family::v6}},
       kInet6 +
           "meta load l4proto => reg 1 ; cmp eq reg 1 0x0000003a ; payload load 1b @ transport "
           "header + 0 => reg 1 ; cmp eq reg 1 0x00000080 ; "},
      {{PayloadBegins{4, 0xffffffff, 0x5353482d}},
       "payload load 4b @ inner header + 0 => reg 1 ; cmp eq reg 1 0x2d485353 ; "},
      {{PayloadBegins{2, 0xffff, 0x1603, Compare::differs}},
       "payload load 2b @ inner header + 0 => reg 1 ; cmp neq reg 1 0x00000316 ; "},
      {{PayloadBegins{1, 0xc0, 0xc0}},
       "payload load 1b @ inner header + 0 => reg 1 ; bitwise reg 1 = ( reg 1 & 0x000000c0 ) ^ "
       "0x00000000 ; cmp eq reg 1 0x000000c0 ; "},
      {{PacketsOver{Direction::original, 64}},
       "ct load packets => reg 1 , dir original ; byteorder reg 1 = hton(reg 1, 8, 8) ; cmp gt reg "
       "1 0x00000000 0x40000000 ; "},
      {{PacketsUnder{Direction::reply, 16}},
       "ct load packets => reg 1 , dir reply ; byteorder reg 1 = hton(reg 1, 8, 8) ; cmp lt reg 1 "
       "0x00000000 0x10000000 ; "},
      {{Granted{false}},
       "meta load mark => reg 1 ; ct load mark => reg 9 ; lookup reg 1 set grants 0x0 ; "},
      {{Granted{true}},
       "meta load mark => reg 1 ; ct load mark => reg 9 ; bitwise reg 9 = ( reg 9 & 0xfffffffc ) ^ "
       "0x00000003 ; lookup reg 1 set grants 0x0 ; "},
      {{InSet{Family::v4, Side::source, "held4"}},
       kInet4 + "payload load 4b @ network header + 12 => reg 1 ; lookup reg 1 set held4 0x0 ; "},
      {{OneIn{16}}, "numgen reg 1 = random mod 16 ; cmp eq reg 1 0x00000000 ; "},
      {{SetMark{Mark::meta, 0x5e0000}}, "immediate reg 1 0x005e0000 ; meta set mark with reg 1 ; "},
      {{SetMark{Mark::ct, 0}}, "immediate reg 1 0x00000000 ; ct set mark with reg 1 ; "},
      {{AddBits{1}},
       "ct load mark => reg 1 ; bitwise reg 1 = ( reg 1 & 0xfffffffe ) ^ 0x00000001 ; ct set mark "
       "with reg 1 ; "},
      {{FindCohort{Family::v6, Side::destination}},
       kInet6 + "payload load 16b @ network header + 24 => reg 1 ; lookup reg 1 set cohort6 dreg 1 "
                "0x0 ; meta set mark with reg 1 ; "},
      {{FindAtom{Family::v4}},
       kInet4 +
           "payload load 4b @ network header + 16 => reg 1 ; meta load l4proto => reg 9 ; "
           "byteorder reg 9 = hton(reg 9, 2, 1) ; payload load 2b @ transport header + 2 => reg "
           "10 ; lookup reg 1 set atoms4 dreg 1 0x0 ; ct set mark with reg 1 ; "},
      {{FindAtom{Family::v6}},
       kInet6 +
           "payload load 16b @ network header + 24 => reg 1 ; meta load l4proto => reg 2 ; "
           "byteorder reg 2 = hton(reg 2, 2, 1) ; payload load 2b @ transport header + 2 => reg "
           "13 ; lookup reg 1 set atoms6 dreg 1 0x0 ; ct set mark with reg 1 ; "},
      {{FlowsOver{Family::v4, "flows4", 256}, AddSource{Family::v4, "held4"}},
       kInet4 +
           "payload load 4b @ network header + 12 => reg 1 ; dynset add reg_key 1 set flows4 "
           "expr [ connlimit count 256 flags 1 ] ; payload load 4b @ network header + 12 => reg "
           "1 ; dynset add reg_key 1 set held4 ; "},
      {{RateOver{Family::v4, "quiet4", 20, 50}},
       kInet4 + "payload load 4b @ network header + 12 => reg 1 ; dynset update reg_key 1 set "
                "quiet4 expr [ limit rate 20/second burst 50 type packets flags 0x1 ] ; "},
      {{RateUnder{10, 20}}, "limit rate 10/second burst 20 type packets flags 0x0 ; "},
      {{Count{"opened"}}, "objref type 1 name opened ; "},
      {{Log{"open", 5, 96}}, "log prefix open group 5 snaplen 96 qthreshold 0 ; "},
      {{ClampMss{}},
       "rt load tcpmss => reg 1 ; byteorder reg 1 = hton(reg 1, 2, 2) ; exthdr write tcpopt reg 1 "
       "=> 2b @ 2 + 2 ; "},
      {{NoTrack{}}, "notrack ; "},
      {{Masquerade{}}, "masq ; "},
      {{Masquerade{PortRange{Port(1024), Port(32767)}}},
       "immediate reg 1 0x00000004 ; immediate reg 2 0x0000ff7f ; masq proto_min reg 1 proto_max "
       "reg 2 flags 0x2 ; "},
      {{RejectReset{}}, "reject type 1 code 0 ; "},
      {{RejectProhibited{}}, "reject type 2 code 3 ; "},
      {{Accept{}}, "immediate reg 0 accept ; "},
      {{Drop{}}, "immediate reg 0 drop ; "},
      {{Return{}}, "immediate reg 0 return ; "},
      {{Jump{"x"}}, "immediate reg 0 jump -> x ; "},
      {{Goto{"x"}}, "immediate reg 0 goto -> x ; "},
  };
  return all;
}

TEST(Expressions, AreThoseOfNft) {
  for (const auto& [statements, expected] : encodings()) {
    EXPECT_EQ(expressions(statements), expected);
  }
}

TEST(Expressions, EveryKindOfStatementIsTested) {
  for (std::size_t kind = 0; kind < std::variant_size_v<Statement>; ++kind) {
    EXPECT_TRUE(std::ranges::any_of(encodings(),
                                    [&](const Encoding& encoding) {
                                      return std::ranges::any_of(
                                          encoding.statements,
                                          [&](const Statement& s) { return s.index() == kind; });
                                    }))
        << "kind " << kind;
  }
}

// nft states a dependency once in a rule; so the registers and the listing stay the same.
TEST(Expressions, StateADependencyOncePerRule) {
  const auto text = expressions({TcpFlags{kSyn, kSyn | kRst}, TcpFlags{kAck, kAck}});
  EXPECT_EQ(text.find(kTcp), text.rfind(kTcp));
  EXPECT_EQ(text.find(kTcp), 0u);
}

TEST(Expressions, CommentsAreNftsUserData) {
  const auto text = canonical(*make_rule("t", "c", {{Accept{}}, "why"}));
  EXPECT_EQ(text, std::string("immediate reg 0 accept ; \0\x04why\0", 31));
}

}  // namespace
}  // namespace sekisho::kernel

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "policy/base/ip.h"
#include "policy/base/ports.h"
#include "policy/model/network.h"

namespace sekisho {

// The statements of which our rules are made: all of them, and no others. Names on the right are
// nft's (nft(8)); render_nft spells them so, gateway/kernel/nftables encodes them. A match that
// finds nothing to look at (no payload, no conntrack entry, another family) does not match.
namespace nft {

enum class Side : std::uint8_t { source, destination };
enum class Direction : std::uint8_t { original, reply };
// The packet's own mark, or that of its conntrack entry.
enum class Mark : std::uint8_t { meta, ct };
enum class Compare : std::uint8_t { equal, differs };

// Bits of struct tcphdr's flags byte.
inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10;
// IP_CT_* as the nf_tables "ct state" bits (enum nft_ct_state_bit in nft(8)'s ct state).
inline constexpr std::uint32_t kEstablished = 2, kRelated = 4, kNew = 8;

// clang-format off
struct FromInterface { std::string name; };                                 // iifname "wg0"
struct ToInterface { std::string name; };                                   // oifname "wg0"
struct IsFamily { Family family; };                                         // meta nfproto ipv6
struct HasAddress { Side side; Prefix prefix; Compare is = Compare::equal; };  // ip saddr 10.0.0.0/8
struct IsProtocol { Protocol protocol; Compare is = Compare::equal; };      // meta l4proto tcp
struct UdpPort { Side side; Port port; };                                   // udp dport 51820
struct ToLocalAddress {};                                                   // fib daddr type local
struct IsDirection { Direction direction; };                                // ct direction reply
struct HasState { std::uint32_t any_of; };                                  // ct state new
struct HasMark {                                                            // ct mark & 0xc == 0x4
  Mark mark; std::uint32_t mask; std::uint32_t value; Compare is = Compare::equal; };
struct TcpFlags { std::uint8_t value; std::uint8_t mask; };                 // tcp flags syn / syn,ack
struct TcpOption { std::uint8_t kind; };                                    // tcp option md5sig exists
struct EchoRequest { Family family; };                                      // icmp type echo-request
// The first `bytes` (1, 2 or 4) of the payload: @ih,0,8 & 0xc0 == 0xc0. Packets without that many
// bytes match neither way.
struct PayloadBegins {
  int bytes; std::uint32_t mask; std::uint32_t value; Compare is = Compare::equal; };
struct PacketsOver { Direction direction; std::uint64_t count; };           // ct reply packets > 64
struct PacketsUnder { Direction direction; std::uint64_t count; };          // ct reply packets < 16
struct Granted { bool once_proven; };           // meta mark . ct mark @grants; `ct mark | 3` once proven
struct InSet { Family family; Side side; std::string set; };                // ip saddr @held4
struct OneIn { std::uint32_t n; };                                          // numgen random mod 16 0
struct SetMark { Mark mark; std::uint32_t value; };                         // meta mark set 0x0
struct AddBits { std::uint32_t bits; };                                     // ct mark set ct mark | 0x1
struct FindCohort { Family family; Side side; };            // meta mark set ip saddr map @cohort4
struct FindAtom { Family family; };  // ct mark set ip daddr . meta l4proto . th dport map @atoms4
struct FlowsOver { Family family; std::string set; std::uint32_t count; };  // add @s { ip saddr ct count over 256 }
struct AddSource { Family family; std::string set; };                       // add @s { ip saddr }
struct RateOver {                            // update @s { ip saddr limit rate over 20/second burst 50 packets }
  Family family; std::string set; std::uint32_t per_second; std::uint32_t burst; };
struct RateUnder { std::uint32_t per_second; std::uint32_t burst; };        // limit rate 10/second burst 20 packets
struct Count { std::string counter; };                                      // counter name "opened"
// snaplen 0: the whole packet.
struct Log { std::string prefix; std::uint16_t group; std::uint32_t snaplen; };
struct ClampMss {};                                         // tcp option maxseg size set rt mtu
struct NoTrack {};
struct Masquerade { std::optional<PortRange> ports; };                      // masquerade to :1024-32767
struct RejectReset {};                                                      // reject with tcp reset
struct RejectProhibited {};                                 // reject with icmpx admin-prohibited
struct Accept {};
struct Drop {};
struct Return {};
struct Jump { std::string chain; };
struct Goto { std::string chain; };
// clang-format on

using Statement =
    std::variant<FromInterface, ToInterface, IsFamily, HasAddress, IsProtocol, UdpPort,
                 ToLocalAddress, IsDirection, HasState, HasMark, TcpFlags, TcpOption, EchoRequest,
                 PayloadBegins, PacketsOver, PacketsUnder, Granted, InSet, OneIn, SetMark, AddBits,
                 FindCohort, FindAtom, FlowsOver, AddSource, RateOver, RateUnder, Count, Log,
                 ClampMss, NoTrack, Masquerade, RejectReset, RejectProhibited, Accept, Drop, Return,
                 Jump, Goto>;

struct Rule {
  std::vector<Statement> statements;
  std::string comment;
};

enum class Hook : std::uint8_t { prerouting, input, forward, output, postrouting };
enum class Priority : std::uint8_t { raw, filter, srcnat };

// What makes a chain a base chain. Its policy is always accept: what is not to or from the tunnel
// is not ours to judge, and what is meets an explicit verdict.
struct Base {
  Hook hook;
  Priority priority;
};

struct Chain {
  std::string name;
  std::string comment;
  std::optional<Base> base;
  std::vector<Rule> rules;
};

enum class Field : std::uint8_t { ipv4_addr, ipv6_addr, inet_proto, inet_service, mark };

// A set, or a map to marks.
struct Set {
  std::string name;
  std::string comment;
  std::vector<Field> key;
  bool to_mark = false;
  bool interval = false;
  bool timeout = false;  // elements may end by themselves
  bool dynamic = false;  // filled by rules, not by policy
  std::optional<std::uint32_t> size = {};
  std::optional<std::chrono::seconds> default_timeout = {};
};

struct Counter {
  std::string name;
  std::string comment;
};

}  // namespace nft

// Everything in the kernel that does not change while policy does: one table of family inet. The
// contents of its maps and sets are Tables.
struct Ruleset {
  std::string table;
  std::string comment;
  std::vector<nft::Counter> counters;
  std::vector<nft::Set> sets;
  std::vector<nft::Chain> chains;
};

// Comments end up in the kernel, which keeps 128 bytes with the final NUL.
inline constexpr std::size_t kLongestComment = 127;

// The names of the sets that hold policy.
inline constexpr const char* kTableName = "sekisho";
inline constexpr const char* kGrantsSet = "grants";
const char* cohort_map(Family family);  // cohort4, cohort6
const char* atom_map(Family family);    // atoms4, atoms6

// nflog groups: opening packets, first payloads, refusals.
inline constexpr std::uint16_t kOpenGroup = 5, kHelloGroup = 6, kRefusalGroup = 7;

// In meta mark between prerouting and the forward or input hook: "our rules saw this packet". The
// policy routing of the gateway sends nothing out of the tunnel that does not carry it.
inline constexpr std::uint32_t kSeenMark = 0x005e0000, kSeenMask = 0x00ff0000;

// Deterministic. With empty Tables it refuses all VPN traffic, so it is also the fence of the boot.
// A family without a pool is dropped where it leaves the tunnel.
Ruleset make_ruleset(const Network& network);

}  // namespace sekisho

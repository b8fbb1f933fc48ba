#include <fmt/format.h>

#include "policy/compile/render_nft.h"

namespace sekisho {

namespace {

using namespace nft;

std::string_view ip(Family family) {
  return family == Family::v4 ? "ip" : "ip6";
}
std::string_view address(Side side) {
  return side == Side::source ? "saddr" : "daddr";
}
std::string_view other_than(Compare is) {
  return is == Compare::equal ? "" : "!= ";
}

std::string_view name_of(Direction direction) {
  return direction == Direction::original ? "original" : "reply";
}

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::icmp:
      return "icmp";
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::icmpv6:
      return "ipv6-icmp";
  }
  return {};
}

std::string_view name_of(Mark mark) {
  return mark == Mark::meta ? "meta mark" : "ct mark";
}

// In the order in which nft lists them.
std::string names_of_flags(std::uint8_t flags) {
  std::string names;
  const std::pair<std::uint8_t, std::string_view> all[] = {
      {kFin, "fin"}, {kSyn, "syn"}, {kRst, "rst"}, {kAck, "ack"}};
  for (const auto& [bit, name] : all) {
    if (flags & bit) names += fmt::format("{}{}", names.empty() ? "" : ",", name);
  }
  return names;
}

std::string names_of_states(std::uint32_t states) {
  std::string names;
  const std::pair<std::uint32_t, std::string_view> all[] = {
      {kEstablished, "established"}, {kRelated, "related"}, {kNew, "new"}};
  for (const auto& [bit, name] : all) {
    if (states & bit) names += fmt::format("{}{}", names.empty() ? "" : ",", name);
  }
  return names;
}

std::string text(const FromInterface& s) {
  return fmt::format("iifname \"{}\"", s.name);
}
std::string text(const ToInterface& s) {
  return fmt::format("oifname \"{}\"", s.name);
}
std::string text(const IsFamily& s) {
  return fmt::format("meta nfproto {}", s.family == Family::v4 ? "ipv4" : "ipv6");
}
std::string text(const HasAddress& s) {
  const bool host = s.prefix.length() == s.prefix.address().bits();
  return fmt::format("{} {} {}{}", ip(s.prefix.family()), address(s.side), other_than(s.is),
                     host ? s.prefix.address().to_string() : s.prefix.to_string());
}
std::string text(const IsProtocol& s) {
  return fmt::format("meta l4proto {}{}", other_than(s.is), name_of(s.protocol));
}
std::string text(const UdpPort& s) {
  return fmt::format("udp {} {}", s.side == Side::source ? "sport" : "dport", s.port.value());
}
std::string text(const ToLocalAddress&) {
  return "fib daddr type local";
}
std::string text(const IsDirection& s) {
  return fmt::format("ct direction {}", name_of(s.direction));
}
std::string text(const HasState& s) {
  return fmt::format("ct state {}", names_of_states(s.any_of));
}
std::string text(const HasMark& s) {
  if (s.mask == 0xffffffff) {
    return fmt::format("{} {}{:#010x}", name_of(s.mark), other_than(s.is), s.value);
  }
  return fmt::format("{} & {:#010x} {} {:#010x}", name_of(s.mark), s.mask,
                     s.is == Compare::equal ? "==" : "!=", s.value);
}
std::string text(const TcpFlags& s) {
  return s.value == s.mask
             ? fmt::format("tcp flags & {0} == {0}", names_of_flags(s.value))
             : fmt::format("tcp flags {} / {}", names_of_flags(s.value), names_of_flags(s.mask));
}
std::string text(const TcpOption& s) {
  return fmt::format("tcp option {} exists", s.kind == 19 ? "md5sig" : std::to_string(s.kind));
}
std::string text(const EchoRequest& s) {
  return fmt::format("{} type echo-request", s.family == Family::v4 ? "icmp" : "icmpv6");
}
std::string text(const PayloadBegins& s) {
  const std::uint32_t all = 0xffffffff >> (32 - 8 * s.bytes);
  const std::string load = fmt::format("@ih,0,{}", 8 * s.bytes);
  if (s.mask == all) return fmt::format("{} {}{:#x}", load, other_than(s.is), s.value);
  return fmt::format("{} & 0x{:x} {} 0x{:x}", load, s.mask,
                     s.is == Compare::equal ? "==" : "!=", s.value);
}
std::string text(const PacketsOver& s) {
  return fmt::format("ct {} packets > {}", name_of(s.direction), s.count);
}
std::string text(const PacketsUnder& s) {
  return fmt::format("ct {} packets < {}", name_of(s.direction), s.count);
}
std::string text(const Granted& s) {
  return fmt::format("meta mark . ct mark{} @{}", s.once_proven ? " | 0x00000003" : "", kGrantsSet);
}
std::string text(const InSet& s) {
  return fmt::format("{} {} @{}", ip(s.family), address(s.side), s.set);
}
std::string text(const OneIn& s) {
  return fmt::format("numgen random mod {} 0", s.n);
}
std::string text(const SetMark& s) {
  return fmt::format("{} set {:#010x}", name_of(s.mark), s.value);
}
std::string text(const AddBits& s) {
  return fmt::format("ct mark set ct mark | {:#010x}", s.bits);
}
std::string text(const FindCohort& s) {
  return fmt::format("meta mark set {} {} map @{}", ip(s.family), address(s.side),
                     cohort_map(s.family));
}
std::string text(const FindAtom& s) {
  return fmt::format("ct mark set {} daddr . meta l4proto . th dport map @{}", ip(s.family),
                     atom_map(s.family));
}
std::string text(const FlowsOver& s) {
  return fmt::format("add @{} {{ {} saddr ct count over {} }}", s.set, ip(s.family), s.count);
}
std::string text(const AddSource& s) {
  return fmt::format("add @{} {{ {} saddr }}", s.set, ip(s.family));
}
std::string text(const RateOver& s) {
  return fmt::format("update @{} {{ {} saddr limit rate over {}/second burst {} packets }}", s.set,
                     ip(s.family), s.per_second, s.burst);
}
std::string text(const RateUnder& s) {
  return fmt::format("limit rate {}/second burst {} packets", s.per_second, s.burst);
}
std::string text(const Count& s) {
  return fmt::format("counter name \"{}\"", s.counter);
}
std::string text(const Log& s) {
  std::string log = fmt::format("log prefix \"{}\" group {}", s.prefix, s.group);
  if (s.snaplen != 0) log += fmt::format(" snaplen {}", s.snaplen);
  return log;
}
std::string text(const ClampMss&) {
  return "tcp option maxseg size set rt mtu";
}
std::string text(const NoTrack&) {
  return "notrack";
}
std::string text(const Masquerade& s) {
  return s.ports ? fmt::format("masquerade to :{}", s.ports->to_string()) : "masquerade";
}
std::string text(const RejectReset&) {
  return "reject with tcp reset";
}
std::string text(const RejectProhibited&) {
  return "reject with icmpx admin-prohibited";
}
std::string text(const Accept&) {
  return "accept";
}
std::string text(const Drop&) {
  return "drop";
}
std::string text(const Return&) {
  return "return";
}
std::string text(const Jump& s) {
  return fmt::format("jump {}", s.chain);
}
std::string text(const Goto& s) {
  return fmt::format("goto {}", s.chain);
}

}  // namespace

std::string to_nft(const nft::Statement& statement) {
  return std::visit([](const auto& s) { return text(s); }, statement);
}

std::string to_nft(const nft::Rule& rule) {
  std::string line;
  for (const auto& statement : rule.statements) line += to_nft(statement) + " ";
  return line + fmt::format("comment \"{}\"", rule.comment);
}

}  // namespace sekisho

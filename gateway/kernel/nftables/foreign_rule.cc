#include "gateway/kernel/nftables/foreign_rule.h"

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/udp.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace sekisho::kernel {

namespace {

std::string_view name_of(const nftnl_expr& expression) {
  return nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME);
}

// What it does not know counts as setting it.
bool sets_connmark(const nftnl_expr& target) {
  std::uint32_t length = 0;
  const void* data = nftnl_expr_get(&target, NFTNL_EXPR_TG_INFO, &length);
  const std::uint32_t revision = nftnl_expr_get_u32(&target, NFTNL_EXPR_TG_REV);
  const auto restores = [&](auto info) {
    if (data == nullptr || length < sizeof info) return false;
    std::memcpy(&info, data, sizeof info);
    return info.mode == XT_CONNMARK_RESTORE;
  };
  return !(revision == 1   ? restores(xt_connmark_tginfo1{})
           : revision == 2 ? restores(xt_connmark_tginfo2{})
                           : false);
}

using Conditions = std::vector<const nftnl_expr*>;

// Of a comparison with one value: that it is equal to it. Empty for anything else.
std::string_view equal_to(const nftnl_expr& expression) {
  if (name_of(expression) != "cmp" ||
      nftnl_expr_get_u32(&expression, NFTNL_EXPR_CMP_OP) != NFT_CMP_EQ) {
    return {};
  }
  std::uint32_t length = 0;
  const void* data = nftnl_expr_get(&expression, NFTNL_EXPR_CMP_DATA, &length);
  return {static_cast<const char*>(data), data == nullptr ? 0 : length};
}

// iifname "wg0", oifname "wg0"
Ways ways_of_interface(const Conditions& conditions, const std::string& interface) {
  const std::string_view name = equal_to(*conditions[1]);
  if (name_of(*conditions[0]) != "meta" || name.substr(0, name.find('\0')) != interface) return {};
  const std::uint32_t key = nftnl_expr_get_u32(conditions[0], NFTNL_EXPR_META_KEY);
  return {.in = key == NFT_META_IIFNAME, .out = key == NFT_META_OIFNAME};
}

// udp dport 51820, udp sport 51820
Ways ways_of_port(const Conditions& conditions, Port port) {
  const bool of_udp = name_of(*conditions[0]) == "meta" &&
                      nftnl_expr_get_u32(conditions[0], NFTNL_EXPR_META_KEY) == NFT_META_L4PROTO &&
                      equal_to(*conditions[1]) == std::string_view("\x11");
  const std::array<char, 2> wanted{static_cast<char>(port.value() >> 8),
                                   static_cast<char>(port.value())};
  const bool of_port =
      name_of(*conditions[2]) == "payload" &&
      nftnl_expr_get_u32(conditions[2], NFTNL_EXPR_PAYLOAD_BASE) == NFT_PAYLOAD_TRANSPORT_HEADER &&
      equal_to(*conditions[3]) == std::string_view(wanted.data(), wanted.size());
  if (!of_udp || !of_port) return {};
  const std::uint32_t offset = nftnl_expr_get_u32(conditions[2], NFTNL_EXPR_PAYLOAD_OFFSET);
  return {.arrives = offset == offsetof(udphdr, dest),
          .leaves = offset == offsetof(udphdr, source)};
}

// The ways on which all of the tunnel's traffic meets these conditions.
Ways ways_of(const Conditions& conditions, const TunnelTraffic& tunnel) {
  switch (conditions.size()) {
    case 0:
      return {.in = true, .out = true, .arrives = true, .leaves = true};
    case 2:
      return ways_of_interface(conditions, tunnel.interface);
    case 4:
      return ways_of_port(conditions, tunnel.listen_port);
    default:
      return {};
  }
}

}  // namespace

void ForeignRule::take(std::uint32_t verdict, std::string_view chain) {
  drops = drops || verdict == NF_DROP;
  const int code = static_cast<int>(verdict);
  returns = returns || code == NFT_RETURN;
  goes = goes || code == NFT_GOTO;
  if (code == NFT_JUMP || code == NFT_GOTO) to.emplace_back(chain);
}

ForeignRule understood(const nftnl_rule& rule, const TunnelTraffic& tunnel) {
  ForeignRule found;
  Conditions conditions;
  auto* iterator = nftnl_expr_iter_create(&rule);
  while (const auto* expression = nftnl_expr_iter_next(iterator)) {
    const std::string_view name = name_of(*expression);
    if (name == "immediate" && nftnl_expr_is_set(expression, NFTNL_EXPR_IMM_VERDICT)) {
      const auto verdict = nftnl_expr_get_u32(expression, NFTNL_EXPR_IMM_VERDICT);
      const char* chain = nftnl_expr_get_str(expression, NFTNL_EXPR_IMM_CHAIN);
      found.take(verdict, chain == nullptr ? "" : chain);
      found.always = conditions.empty();
      if (verdict == NF_ACCEPT) found.accepts = ways_of(conditions, tunnel);
    } else if (name == "lookup" && nftnl_expr_is_set(expression, NFTNL_EXPR_LOOKUP_DREG) &&
               nftnl_expr_get_u32(expression, NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT) {
      found.map = nftnl_expr_get_str(expression, NFTNL_EXPR_LOOKUP_SET);
    } else if (name == "reject") {
      found.drops = true;
    } else if (name == "target") {  // of iptables-nft
      const std::string_view target = nftnl_expr_get_str(expression, NFTNL_EXPR_TG_NAME);
      found.drops = found.drops || target == "REJECT";
      found.remarks = found.remarks || (target == "CONNMARK" && sets_connmark(*expression));
    } else if (name == "ct" && nftnl_expr_is_set(expression, NFTNL_EXPR_CT_SREG)) {
      found.remarks =
          found.remarks || nftnl_expr_get_u32(expression, NFTNL_EXPR_CT_KEY) == NFT_CT_MARK;
    } else if (name == "flow_offload") {
      found.bypasses = true;
    } else if (name != "counter" && name != "log") {
      conditions.push_back(expression);
    }
  }
  nftnl_expr_iter_destroy(iterator);
  return found;
}

}  // namespace sekisho::kernel

#include "gateway/kernel/nftables/foreign.h"

#include <fmt/format.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/udp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "gateway/kernel/nftables/declarations.h"
#include "gateway/kernel/nftables/expressions.h"

namespace sekisho::kernel {

namespace {

// The ways of the tunnel's traffic through a chain: it comes from the interface, it goes to it, and
// encrypted it arrives at WireGuard's port and leaves from it.
struct Ways {
  bool in = false, out = false, arrives = false, leaves = false;

  bool any() const { return in || out || arrives || leaves; }
  void remove(const Ways& other) {
    in = in && !other.in;
    out = out && !other.out;
    arrives = arrives && !other.arrives;
    leaves = leaves && !other.leaves;
  }
};

// What matters here of a rule.
struct ForeignRule {
  bool drops = false, remarks = false, bypasses = false;
  Ways accepts;                 // all of the tunnel's traffic of that way
  std::vector<std::string> to;  // the chains it jumps or goes to
  std::string map;              // that its verdict is looked up in
};

struct ForeignChain {
  ChainDeclaration declared;
  std::vector<ForeignRule> rules;
};

struct ForeignTable {
  bool dormant = false;
  std::map<std::string, ForeignChain> chains;
};

using Place = std::pair<std::uint8_t, std::string>;  // family, table
using ForeignTables = std::map<Place, ForeignTable>;

// As nft names those whose hooks the tunnel's traffic passes; nothing for the others.
std::optional<std::string> name_of(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    default:
      return std::nullopt;
  }
}

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

void take(ForeignRule& rule, std::uint32_t verdict, std::string_view chain) {
  rule.drops = rule.drops || verdict == NF_DROP;
  const int code = static_cast<int>(verdict);
  if (code == NFT_JUMP || code == NFT_GOTO) rule.to.emplace_back(chain);
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
      take(found, verdict, chain == nullptr ? "" : chain);
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

bool may_drop(const ForeignTable& table, const ForeignRule& rule, std::set<std::string>& seen) {
  return rule.drops || std::ranges::any_of(rule.to, [&](const std::string& name) {
           const auto chain = table.chains.find(name);
           return chain != table.chains.end() && seen.insert(name).second &&
                  std::ranges::any_of(chain->second.rules, [&](const ForeignRule& below) {
                    return may_drop(table, below, seen);
                  });
         });
}

// The ways of the tunnel's traffic through a base chain of that hook.
Ways ways_through(std::uint32_t hook) {
  return {.in = hook <= NF_INET_FORWARD,
          .out = hook >= NF_INET_FORWARD,
          .arrives = hook<NF_INET_FORWARD, .leaves = hook> NF_INET_FORWARD};
}

// The ways that the base chain may drop: those that no rule accepts before something drops.
Ways dropped(const ForeignTable& table, const ForeignChain& chain) {
  Ways left = ways_through(*chain.declared.hook);
  for (const ForeignRule& rule : chain.rules) {
    left.remove(rule.accepts);
    std::set<std::string> seen;
    if (may_drop(table, rule, seen)) return left;
  }
  return chain.declared.policy == NF_DROP ? left : Ways{};
}

void look(const Place& place, const ForeignTable& table, const TunnelTraffic& tunnel,
          std::vector<ForeignRisk>& risks) {
  for (const auto& entry : table.chains) {
    const ForeignChain& chain = entry.second;
    const auto add = [&](ForeignRisk::Kind kind, std::vector<std::string> let_by = {}) {
      risks.push_back({kind, *name_of(place.first), place.second, entry.first, std::move(let_by)});
    };
    if (chain.declared.hook && *chain.declared.hook < NF_INET_NUMHOOKS) {
      const Ways ways = dropped(table, chain);
      const auto port = tunnel.listen_port.value();
      std::vector<std::string> let_by;
      if (ways.in) let_by.push_back(fmt::format("iifname \"{}\"", tunnel.interface));
      if (ways.out) let_by.push_back(fmt::format("oifname \"{}\"", tunnel.interface));
      if (ways.arrives) let_by.push_back(fmt::format("udp dport {}", port));
      if (ways.leaves) let_by.push_back(fmt::format("udp sport {}", port));
      if (ways.any()) add(ForeignRisk::Kind::drops, std::move(let_by));
    }
    if (std::ranges::any_of(chain.rules, &ForeignRule::remarks)) add(ForeignRisk::Kind::remarks);
    if (std::ranges::any_of(chain.rules, &ForeignRule::bypasses)) add(ForeignRisk::Kind::bypasses);
  }
}

// Lists the things of one kind of all foreign tables. Their table's name is attribute 1 of all.
Result<void> list(
    Socket& socket, int type, const std::string& what, const std::function<void()>& restart,
    const std::function<void(const Place&, const Attributes&, const nlmsghdr&)>& each) {
  Message message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), 0);
  message.extra<nfgenmsg>()->nfgen_family = NFPROTO_UNSPEC;
  return socket.dump(message, what, restart, [&](const nlmsghdr& answer) -> Result<void> {
    const Attributes attributes = Attributes::of(answer, sizeof(nfgenmsg));
    const std::uint8_t family =
        static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(&answer))->nfgen_family;
    const std::string table(attributes.text(NFTA_CHAIN_TABLE).value_or(""));
    if (name_of(family) && (family != NFPROTO_INET || table != kTableName))
      each({family, table}, attributes, answer);
    return {};
  });
}

// Adds the verdicts in the rule's map to the rule. A map that went meanwhile has none.
Result<void> read_map(Socket& socket, const Place& place, ForeignRule& rule) {
  Message message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, 0);
  message.extra<nfgenmsg>()->nfgen_family = place.first;
  mnl_attr_put_strz(message.header(), NFTA_SET_ELEM_LIST_TABLE, place.second.c_str());
  mnl_attr_put_strz(message.header(), NFTA_SET_ELEM_LIST_SET, rule.map.c_str());
  const ForeignRule before = rule;
  auto done = socket.dump(
      message, "verdicts of " + rule.map, [&] { rule = before; },
      [&](const nlmsghdr& answer) -> Result<void> {
        const auto elements =
            Attributes::of(answer, sizeof(nfgenmsg)).nest(NFTA_SET_ELEM_LIST_ELEMENTS);
        for (const auto& item : elements.items()) {
          const auto verdict =
              Attributes(item.value).nest(NFTA_SET_ELEM_DATA).nest(NFTA_DATA_VERDICT);
          if (const auto code = verdict.be32(NFTA_VERDICT_CODE))
            take(rule, *code, verdict.text(NFTA_VERDICT_CHAIN).value_or(""));
        }
        return {};
      });
  if (!done && done.error().code != ErrorCode::not_found) return done;
  return {};
}

Result<ForeignTables> read_tables(Socket& socket, const TunnelTraffic& tunnel) {
  ForeignTables tables;
  auto done = list(
      socket, NFT_MSG_GETTABLE, "all tables", [&] { tables.clear(); },
      [&](const Place& place, const Attributes& attributes, const nlmsghdr&) {
        const std::uint32_t flags = attributes.be32(NFTA_TABLE_FLAGS).value_or(0);
        tables[place].dormant = (flags & NFT_TABLE_F_DORMANT) != 0;
      });
  if (!done) return std::unexpected(std::move(done.error()));
  const auto forget_chains = [&] {
    for (auto& [place, table] : tables) table.chains.clear();
  };
  done = list(socket, NFT_MSG_GETCHAIN, "all chains", forget_chains,
              [&](const Place& place, const Attributes& attributes, const nlmsghdr&) {
                const std::string name(attributes.text(NFTA_CHAIN_NAME).value_or(""));
                tables[place].chains[name].declared = read_chain(attributes);
              });
  if (!done) return std::unexpected(std::move(done.error()));
  const auto forget_rules = [&] {
    for (auto& [place, table] : tables)
      for (auto& [name, chain] : table.chains) chain.rules.clear();
  };
  done = list(socket, NFT_MSG_GETRULE, "all rules", forget_rules,
              [&](const Place& place, const Attributes& attributes, const nlmsghdr& answer) {
                const RulePointer rule(nftnl_rule_alloc());
                if (nftnl_rule_nlmsg_parse(&answer, rule.get()) != 0) return;
                const std::string chain(attributes.text(NFTA_RULE_CHAIN).value_or(""));
                tables[place].chains[chain].rules.push_back(understood(*rule, tunnel));
              });
  if (!done) return std::unexpected(std::move(done.error()));
  for (auto& [place, table] : tables) {
    for (auto& [name, chain] : table.chains) {
      for (ForeignRule& rule : chain.rules) {
        if (rule.map.empty()) continue;
        if (done = read_map(socket, place, rule); !done)
          return std::unexpected(std::move(done.error()));
      }
    }
  }
  return tables;
}

}  // namespace

Result<std::vector<ForeignRisk>> read_foreign_risks(Socket& socket, const TunnelTraffic& tunnel) {
  const auto tables = read_tables(socket, tunnel);
  if (!tables) return std::unexpected(tables.error());
  std::vector<ForeignRisk> risks;
  for (const auto& [place, table] : *tables) {
    if (!table.dormant) look(place, table, tunnel, risks);
  }
  return risks;
}

}  // namespace sekisho::kernel

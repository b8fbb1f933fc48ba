#include "gateway/kernel/nftables/foreign.h"

#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "gateway/kernel/nftables/declarations.h"
#include "gateway/kernel/nftables/expressions.h"
#include "gateway/kernel/nftables/foreign_rule.h"

namespace sekisho::kernel {

namespace {

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

// Whether something in the chain, or below, may drop what goes on the ways that are `left`. Those
// that it accepts for good are taken out of them; the others come out of the chain at its end.
bool may_drop(const ForeignTable& table, const ForeignChain& chain, Ways& left,
              std::set<std::string>& seen) {
  Ways returned;
  for (const ForeignRule& rule : chain.rules) {
    left.remove(rule.accepts);
    if (!left.any()) break;
    if (rule.returns) returned.add(left);
    bool dropped = rule.drops;
    for (const std::string& name : rule.to) {
      Ways below = left;
      const auto next = table.chains.find(name);
      // A chain that was seen had more ways left, or as many, and dropped nothing of them.
      dropped = dropped || (next != table.chains.end() && seen.insert(name).second &&
                            may_drop(table, next->second, below, seen));
      if (rule.goes) returned.add(below);
      if (rule.always) left = below;
    }
    if (dropped) {
      left.add(returned);
      return true;
    }
    if (rule.always && (rule.returns || rule.goes)) left = {};
  }
  left.add(returned);
  return false;
}

// The ways of the tunnel's traffic through a base chain of that hook.
Ways ways_through(std::uint32_t hook) {
  const bool before = hook<NF_INET_FORWARD, after = hook> NF_INET_FORWARD;
  return {.in = !after, .out = !before, .arrives = before, .leaves = after};
}

// The ways that the base chain may drop: those that nothing accepts before something drops.
Ways dropped(const ForeignTable& table, const ForeignChain& chain) {
  Ways left = ways_through(*chain.declared.hook);
  std::set<std::string> seen;
  if (may_drop(table, chain, left, seen) || chain.declared.policy == NF_DROP) return left;
  return {};
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
            rule.take(*code, verdict.text(NFTA_VERDICT_CHAIN).value_or(""));
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

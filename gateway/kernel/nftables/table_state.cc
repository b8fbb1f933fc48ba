#include "gateway/kernel/nftables/table_state.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <tuple>

#include "gateway/kernel/nftables/expressions.h"

namespace sekisho::kernel {

namespace {

Message request(int type, std::size_t room = Message::kDefaultRoom) {
  Message message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), 0, room);
  message.extra<nfgenmsg>()->nfgen_family = NFPROTO_INET;
  return message;
}

// Reads a list of things that belong to tables. All of them carry their table's name as attribute
// 1; the kernel filters by it where it knows how, so the caller's filter is here.
Result<void> list(Socket& socket, int type, const std::string& table, const std::string& what,
                  const std::function<void()>& restart,
                  const std::function<void(const Attributes&, const nlmsghdr&)>& each) {
  Message message = request(type);
  mnl_attr_put_strz(message.header(), NFTA_CHAIN_TABLE, table.c_str());
  auto done = socket.dump(message, what, restart, [&](const nlmsghdr& answer) -> Result<void> {
    const Attributes attributes = Attributes::of(answer, sizeof(nfgenmsg));
    if (attributes.text(NFTA_CHAIN_TABLE) == table) each(attributes, answer);
    return {};
  });
  return done;
}

Result<bool> read_header(Socket& socket, const std::string& table, TableState& state) {
  Message message = request(NFT_MSG_GETTABLE);
  mnl_attr_put_strz(message.header(), NFTA_TABLE_NAME, table.c_str());
  auto done = socket.request(
      message, "nftables table " + table, [&](const nlmsghdr& answer) -> Result<void> {
        const Attributes attributes = Attributes::of(answer, sizeof(nfgenmsg));
        state.flags = attributes.be32(NFTA_TABLE_FLAGS).value_or(0);
        state.present = true;
        return {};
      });
  if (!done && done.error().code != ErrorCode::not_found) return std::unexpected(done.error());
  return state.present;
}

Result<void> read_chains(Socket& socket, const std::string& table, TableState& state) {
  return list(
      socket, NFT_MSG_GETCHAIN, table, "chains of table " + table, [&] { state.chains.clear(); },
      [&](const Attributes& attributes, const nlmsghdr&) {
        const std::string name(attributes.text(NFTA_CHAIN_NAME).value_or(""));
        state.chains[name].declared = read_chain(attributes);
      });
}

Result<void> read_rules(Socket& socket, const std::string& table, TableState& state) {
  const auto forget = [&] {
    for (auto& [name, chain] : state.chains) chain.rules.clear();
  };
  return list(socket, NFT_MSG_GETRULE, table, "rules of table " + table, forget,
              [&](const Attributes& attributes, const nlmsghdr& answer) {
                const RulePointer rule(nftnl_rule_alloc());
                const bool readable = nftnl_rule_nlmsg_parse(&answer, rule.get()) == 0;
                const std::string chain(attributes.text(NFTA_RULE_CHAIN).value_or(""));
                state.chains[chain].rules.push_back(readable ? canonical(*rule) : "unreadable");
              });
}

Result<void> read_sets(Socket& socket, const std::string& table, TableState& state) {
  return list(
      socket, NFT_MSG_GETSET, table, "sets of table " + table, [&] { state.sets.clear(); },
      [&](const Attributes& attributes, const nlmsghdr&) {
        const SetDeclaration declared = read_set(attributes);
        if ((declared.flags & NFT_SET_ANONYMOUS) != 0) return;
        state.sets[std::string(attributes.text(NFTA_SET_NAME).value_or(""))] = declared;
      });
}

Result<void> read_objects(Socket& socket, const std::string& table, TableState& state) {
  auto objects = list(
      socket, NFT_MSG_GETOBJ, table, "objects of table " + table, [&] { state.objects.clear(); },
      [&](const Attributes& attributes, const nlmsghdr&) {
        state.objects.emplace(attributes.be32(NFTA_OBJ_TYPE).value_or(0),
                              attributes.text(NFTA_OBJ_NAME).value_or(""));
      });
  if (!objects) return objects;
  return list(
      socket, NFT_MSG_GETFLOWTABLE, table, "flowtables of table " + table,
      [&] { state.flowtables.clear(); },
      [&](const Attributes& attributes, const nlmsghdr&) {
        state.flowtables.emplace(attributes.text(NFTA_FLOWTABLE_NAME).value_or(""));
      });
}

}  // namespace

Result<std::vector<Element>> read_elements(Socket& socket, const std::string& table,
                                           const std::string& set, bool interval) {
  std::vector<Element> elements;
  Message message = request(NFT_MSG_GETSETELEM);
  mnl_attr_put_strz(message.header(), NFTA_SET_ELEM_LIST_TABLE, table.c_str());
  mnl_attr_put_strz(message.header(), NFTA_SET_ELEM_LIST_SET, set.c_str());
  auto done = socket.dump(
      message, "elements of " + set, [&] { elements.clear(); },
      [&](const nlmsghdr& answer) -> Result<void> {
        const auto list =
            Attributes::of(answer, sizeof(nfgenmsg)).nest(NFTA_SET_ELEM_LIST_ELEMENTS);
        for (const auto& item : list.items()) {
          if (auto element = read_element(Attributes(item.value), interval)) {
            elements.push_back(*element);
          }
        }
        return {};
      });
  if (!done) return std::unexpected(done.error());
  std::ranges::sort(elements, {}, [](const Element& e) { return std::tie(e.first, e.last); });
  // A walk over a set that grows meanwhile also comes to some twice.
  const auto twice = std::ranges::unique(elements, &Element::same_place);
  elements.erase(twice.begin(), twice.end());
  return elements;
}

Result<std::optional<Element>> read_one(Socket& socket, const std::string& table,
                                        const std::string& set, const Element& place) {
  Message message = request(NFT_MSG_GETSETELEM);
  nlmsghdr* header = message.header();
  mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, table.c_str());
  mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, set.c_str());
  nlattr* list = mnl_attr_nest_start(header, NFTA_SET_ELEM_LIST_ELEMENTS);
  nlattr* nest = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
  const auto put_key = [&](std::uint16_t type, const ElementKey& key) {
    nlattr* data = mnl_attr_nest_start(header, type);
    mnl_attr_put(header, NFTA_DATA_VALUE, key.size, key.bytes.data());
    mnl_attr_nest_end(header, data);
  };
  put_key(NFTA_SET_ELEM_KEY, place.first);
  const bool interval = place.last.size != 0;
  if (interval) put_key(NFTA_SET_ELEM_KEY_END, place.last);
  mnl_attr_nest_end(header, nest);
  mnl_attr_nest_end(header, list);

  std::optional<Element> found;
  auto done = socket.request(
      message, "element " + describe(set, place) + " of " + set,
      [&](const nlmsghdr& answer) -> Result<void> {
        const auto elements =
            Attributes::of(answer, sizeof(nfgenmsg)).nest(NFTA_SET_ELEM_LIST_ELEMENTS);
        for (const auto& item : elements.items()) {
          const auto element = read_element(Attributes(item.value), interval);
          // An interval set answers with whatever covers the place.
          if (element && element->same_place(place)) found = element;
        }
        return {};
      });
  if (!done && done.error().code != ErrorCode::not_found) return std::unexpected(done.error());
  return found;
}

Result<std::uint32_t> read_generation(Socket& socket) {
  std::uint32_t generation = 0;
  Message message = request(NFT_MSG_GETGEN);
  auto done =
      socket.request(message, "nftables generation", [&](const nlmsghdr& answer) -> Result<void> {
        generation = Attributes::of(answer, sizeof(nfgenmsg)).be32(NFTA_GEN_ID).value_or(0);
        return {};
      });
  if (!done) return std::unexpected(done.error());
  return generation;
}

Result<TableState> read_table(Socket& socket, const std::string& table,
                              const std::map<std::string, SetDeclaration>& contents) {
  TableState state;
  const auto present = read_header(socket, table, state);
  if (!present) return std::unexpected(present.error());
  if (!*present) return state;
  for (auto* read : {read_chains, read_rules, read_sets, read_objects}) {
    if (auto done = read(socket, table, state); !done) return std::unexpected(done.error());
  }
  for (const auto& [set, wanted] : contents) {
    const auto there = state.sets.find(set);
    if (there == state.sets.end() || there->second != wanted) continue;
    auto elements = read_elements(socket, table, set, (wanted.flags & NFT_SET_INTERVAL) != 0);
    if (!elements) return std::unexpected(elements.error());
    state.contents[set] = std::move(*elements);
  }
  return state;
}

}  // namespace sekisho::kernel

#include "gateway/kernel/nftables/transaction.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <utility>

#include "gateway/kernel/nftables/declarations.h"
#include "gateway/kernel/nftables/expressions.h"
#include "policy/compile/render_nft.h"

namespace sekisho::kernel {

namespace {

// A nest's length has 16 bits; one element with everything takes less than 160 bytes.
constexpr std::size_t kLargestNest = 65'000;
constexpr std::size_t kLargestElement = 160;

void put_text(nlmsghdr* message, std::uint16_t type, const std::string& text) {
  mnl_attr_put_strz(message, type, text.c_str());
}

void put_key(nlmsghdr* message, std::uint16_t type, const ElementKey& key) {
  nlattr* nest = mnl_attr_nest_start(message, type);
  mnl_attr_put(message, NFTA_DATA_VALUE, key.size, key.bytes.data());
  mnl_attr_nest_end(message, nest);
}

void put_element(nlmsghdr* message, const Element& element, bool by_place) {
  nlattr* nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
  put_key(message, NFTA_SET_ELEM_KEY, element.first);
  if (element.last.size != 0) put_key(message, NFTA_SET_ELEM_KEY_END, element.last);
  if (!by_place && element.mark) {
    nlattr* data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    mnl_attr_put_u32(message, NFTA_DATA_VALUE, *element.mark);
    mnl_attr_nest_end(message, data);
  }
  if (!by_place && element.left) {
    const auto milliseconds = static_cast<std::uint64_t>(element.left->count());
    mnl_attr_put_u64(message, NFTA_SET_ELEM_TIMEOUT, htobe64(milliseconds));
  }
  mnl_attr_nest_end(message, nest);
}

}  // namespace

Transaction::Transaction(std::string table, std::optional<std::uint32_t> generation)
    : table_(std::move(table)) {
  names_.emplace_back("the batch itself");
  nlmsghdr* message = batch_.begin(NFNL_MSG_BATCH_BEGIN, 0);
  auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->res_id = htons(NFNL_SUBSYS_NFTABLES);
  if (generation) mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(*generation));
  end();
}

nlmsghdr* Transaction::begin(int type, int flags, std::string name) {
  names_.push_back(std::move(name));
  nlmsghdr* message = batch_.begin(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type),
                                   static_cast<std::uint16_t>(flags));
  auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->nfgen_family = NFPROTO_INET;
  return message;
}

void Transaction::put_table(std::uint32_t flags, const std::string& comment) {
  nlmsghdr* message = begin(NFT_MSG_NEWTABLE, NLM_F_CREATE, "table " + table_);
  put_text(message, NFTA_TABLE_NAME, table_);
  mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, htonl(flags));
  const std::string data = comment_data(NFTNL_UDATA_TABLE_COMMENT, comment);
  mnl_attr_put(message, NFTA_TABLE_USERDATA, data.size(), data.data());
  end();
}

void Transaction::put_counter(const nft::Counter& counter) {
  nlmsghdr* message = begin(NFT_MSG_NEWOBJ, NLM_F_CREATE, "counter " + counter.name);
  put_text(message, NFTA_OBJ_TABLE, table_);
  put_text(message, NFTA_OBJ_NAME, counter.name);
  mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
  nlattr* data = mnl_attr_nest_start(message, NFTA_OBJ_DATA);
  mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, 0);
  mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, 0);
  mnl_attr_nest_end(message, data);
  const std::string comment = comment_data(NFTNL_UDATA_OBJ_COMMENT, counter.comment);
  mnl_attr_put(message, NFTA_OBJ_USERDATA, comment.size(), comment.data());
  end();
}

void Transaction::put_set(const nft::Set& set) {
  nlmsghdr* message = begin(NFT_MSG_NEWSET, NLM_F_CREATE, "set " + set.name);
  write_set(*message, table_, set, ++next_set_id_);
  end();
}

void Transaction::put_chain(const nft::Chain& chain) {
  nlmsghdr* message = begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE, "chain " + chain.name);
  write_chain(*message, table_, chain);
  end();
}

void Transaction::put_rule(const std::string& chain, const nft::Rule& rule) {
  nlmsghdr* message = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
                            fmt::format("rule of chain {}: {}", chain, to_nft(rule)));
  const RulePointer made = make_rule(table_, chain, rule);
  nftnl_rule_nlmsg_build_payload(message, made.get());
  end();
}

void Transaction::flush_chain(const std::string& chain) {
  delete_named(NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, chain, "rules of chain " + chain);
}

void Transaction::delete_chain(const std::string& chain) {
  delete_named(NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, chain, "chain " + chain);
}

void Transaction::delete_set(const std::string& set) {
  delete_named(NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, set, "set " + set);
}

void Transaction::delete_flowtable(const std::string& name) {
  delete_named(NFT_MSG_DELFLOWTABLE, NFTA_FLOWTABLE_TABLE, NFTA_FLOWTABLE_NAME, name,
               "flowtable " + name);
}

void Transaction::delete_object(std::uint32_t type, const std::string& name) {
  nlmsghdr* message = begin(NFT_MSG_DELOBJ, 0, "object " + name);
  put_text(message, NFTA_OBJ_TABLE, table_);
  put_text(message, NFTA_OBJ_NAME, name);
  mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(type));
  end();
}

void Transaction::delete_named(int type, std::uint16_t table_attribute,
                               std::uint16_t name_attribute, const std::string& name,
                               std::string what) {
  nlmsghdr* message = begin(type, 0, std::move(what));
  put_text(message, table_attribute, table_);
  put_text(message, name_attribute, name);
  end();
}

void Transaction::put_elements(const std::string& set, std::span<const Element> elements) {
  write_elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, set, elements, false);
}

// What is added when it was there is not added twice, so afterwards every one is there to be
// deleted. (NFT_MSG_DESTROYSETELEM does the same from Linux 6.3 on.)
void Transaction::remove_elements(const std::string& set, std::span<const Element> elements) {
  std::vector<Element> lasting(elements.begin(), elements.end());
  for (Element& element : lasting) element.left.reset();
  put_elements(set, lasting);
  remove_present_elements(set, elements);
}

// nft_set_flush() in net/netfilter/nf_tables_api.c: a deletion that names no elements.
void Transaction::remove_all_elements(const std::string& set) {
  delete_named(NFT_MSG_DELSETELEM, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET, set,
               "all elements of " + set);
}

void Transaction::remove_present_elements(const std::string& set,
                                          std::span<const Element> elements) {
  write_elements(NFT_MSG_DELSETELEM, 0, set, elements, true);
}

void Transaction::write_elements(int type, int flags, const std::string& set,
                                 std::span<const Element> elements, bool by_place) {
  const char* verb = type == NFT_MSG_NEWSETELEM ? "added to" : "removed from";
  while (!elements.empty()) {
    nlmsghdr* message = begin(type, flags, {});
    put_text(message, NFTA_SET_ELEM_LIST_TABLE, table_);
    put_text(message, NFTA_SET_ELEM_LIST_SET, set);
    nlattr* list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    const std::size_t before = message->nlmsg_len;
    std::size_t count = 0;
    while (count < elements.size() &&
           message->nlmsg_len - before + kLargestElement <= kLargestNest) {
      put_element(message, elements[count++], by_place);
    }
    mnl_attr_nest_end(message, list);
    names_.back() = fmt::format("element {} {} {}", describe(set, elements.front()), verb, set);
    if (count > 1) {
      names_.back() =
          fmt::format("elements {} to {} ({} of them) {} {}", describe(set, elements.front()),
                      describe(set, elements[count - 1]), count, verb, set);
    }
    end();
    elements = elements.subspan(count);
  }
}

std::expected<void, CommitFailure> Transaction::commit(Socket& socket) {
  const std::string what = "nftables table " + table_;
  nlmsghdr* message = batch_.begin(NFNL_MSG_BATCH_END, 0);
  auto* header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  header->res_id = htons(NFNL_SUBSYS_NFTABLES);
  end();
  names_.emplace_back("the end of the batch");
  const auto report = socket.send(batch_, what);
  if (!report) return std::unexpected(CommitFailure{report.error()});
  if (report->accepted()) return {};
  const Refusal& first = report->refused.front();
  std::string cause = fmt::format("the kernel refused {}: {}", names_[first.message], first.why);
  if (report->refused.size() > 1) {
    cause += fmt::format("; and {} more", report->refused.size() - 1);
  }
  std::string advice = "nothing was changed";
  if (first.error_number == EPERM) {
    advice +=
        "; if another program owns the table, nft list table inet sekisho names it: end that "
        "program; else sekishod lacks CAP_NET_ADMIN";
  }
  return std::unexpected(
      CommitFailure{{.object = what, .cause = std::move(cause), .advice = std::move(advice)},
                    first.error_number});
}

}  // namespace sekisho::kernel

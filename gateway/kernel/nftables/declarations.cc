#include "gateway/kernel/nftables/declarations.h"

#include <arpa/inet.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>

#include "gateway/kernel/nftables/expressions.h"

namespace sekisho::kernel {

namespace {

using namespace nft;

// nft's data types (enum datatypes in nftables' include/datatype.h) and their sizes in bytes.
struct Type {
  std::uint32_t number, bytes;
};

Type type_of(Field field) {
  switch (field) {
    case Field::ipv4_addr:
      return {7, 4};
    case Field::ipv6_addr:
      return {8, 16};
    case Field::inet_proto:
      return {12, 1};
    case Field::inet_service:
      return {13, 2};
    case Field::mark:
      return {19, 4};
  }
  return {};
}

constexpr std::uint32_t padded(std::uint32_t bytes) {
  return (bytes + 3) & ~3U;
}

std::uint32_t number_of(Hook hook) {
  switch (hook) {
    case Hook::prerouting:
      return NF_INET_PRE_ROUTING;
    case Hook::input:
      return NF_INET_LOCAL_IN;
    case Hook::forward:
      return NF_INET_FORWARD;
    case Hook::output:
      return NF_INET_LOCAL_OUT;
    case Hook::postrouting:
      return NF_INET_POST_ROUTING;
  }
  return 0;
}

std::int32_t number_of(Priority priority) {
  switch (priority) {
    case Priority::raw:
      return NF_IP_PRI_RAW;
    case Priority::filter:
      return NF_IP_PRI_FILTER;
    case Priority::srcnat:
      return NF_IP_PRI_NAT_SRC;
  }
  return 0;
}

// The user data by which nft knows how to print keys and values (libnftnl/udata.h); byte orders as
// in nftables' enum byteorder.
std::string set_user_data(const Set& set) {
  constexpr std::uint32_t kMixed = 0, kHost = 1, kNetwork = 2;
  std::string data;
  const auto put = [&](std::uint8_t type, std::uint32_t value) {
    data += static_cast<char>(type);
    data += static_cast<char>(sizeof value);
    data.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  put(NFTNL_UDATA_SET_KEYBYTEORDER, set.key.size() == 1 ? kNetwork : kMixed);
  if (set.to_mark) put(NFTNL_UDATA_SET_DATABYTEORDER, kHost);
  return data + comment_data(NFTNL_UDATA_SET_COMMENT, set.comment);
}

void put_text(nlmsghdr& message, std::uint16_t type, const std::string& text) {
  mnl_attr_put_strz(&message, type, text.c_str());
}

void put_be32(nlmsghdr& message, std::uint16_t type, std::uint32_t value) {
  mnl_attr_put_u32(&message, type, htonl(value));
}

void write_concatenation(nlmsghdr& message, const Set& set) {
  nlattr* fields = mnl_attr_nest_start(&message, NFTA_SET_DESC_CONCAT);
  for (const Field field : set.key) {
    nlattr* one = mnl_attr_nest_start(&message, NFTA_LIST_ELEM);
    put_be32(message, NFTA_SET_FIELD_LEN, type_of(field).bytes);
    mnl_attr_nest_end(&message, one);
  }
  mnl_attr_nest_end(&message, fields);
}

}  // namespace

SetDeclaration declaration_of(const Set& set) {
  SetDeclaration declared;
  const bool concatenated = set.key.size() > 1;
  for (const Field field : set.key) {
    const Type type = type_of(field);
    declared.key_type = declared.key_type << 6 | type.number;
    declared.key_bytes += concatenated ? padded(type.bytes) : type.bytes;
  }
  if (set.interval) declared.flags |= NFT_SET_INTERVAL;
  if (set.interval && concatenated) declared.flags |= NFT_SET_CONCAT;
  if (set.timeout) declared.flags |= NFT_SET_TIMEOUT;
  if (set.dynamic) declared.flags |= NFT_SET_EVAL;
  if (set.to_mark) {
    declared.flags |= NFT_SET_MAP;
    declared.data_type = type_of(Field::mark).number;
  }
  declared.size = set.size.value_or(0);
  if (set.default_timeout) {
    declared.timeout_ms =
        static_cast<std::uint64_t>(std::chrono::milliseconds(*set.default_timeout).count());
  }
  return declared;
}

SetDeclaration read_set(const Attributes& attributes) {
  SetDeclaration declared;
  declared.flags = attributes.be32(NFTA_SET_FLAGS).value_or(0);
  declared.key_type = attributes.be32(NFTA_SET_KEY_TYPE).value_or(0);
  declared.key_bytes = attributes.be32(NFTA_SET_KEY_LEN).value_or(0);
  declared.data_type = attributes.be32(NFTA_SET_DATA_TYPE).value_or(0);
  declared.size = attributes.nest(NFTA_SET_DESC).be32(NFTA_SET_DESC_SIZE).value_or(0);
  declared.timeout_ms = attributes.be64(NFTA_SET_TIMEOUT).value_or(0);
  return declared;
}

void write_set(nlmsghdr& message, const std::string& table, const Set& set, std::uint32_t id) {
  const SetDeclaration declared = declaration_of(set);
  put_text(message, NFTA_SET_TABLE, table);
  put_text(message, NFTA_SET_NAME, set.name);
  put_be32(message, NFTA_SET_FLAGS, declared.flags);
  put_be32(message, NFTA_SET_KEY_TYPE, declared.key_type);
  put_be32(message, NFTA_SET_KEY_LEN, declared.key_bytes);
  if (declared.data_type != 0) {
    put_be32(message, NFTA_SET_DATA_TYPE, declared.data_type);
    put_be32(message, NFTA_SET_DATA_LEN, type_of(Field::mark).bytes);
  }
  put_be32(message, NFTA_SET_ID, id);
  nlattr* description = mnl_attr_nest_start(&message, NFTA_SET_DESC);
  if (declared.size != 0) put_be32(message, NFTA_SET_DESC_SIZE, declared.size);
  if ((declared.flags & NFT_SET_CONCAT) != 0) write_concatenation(message, set);
  mnl_attr_nest_end(&message, description);
  if (declared.timeout_ms != 0) {
    mnl_attr_put_u64(&message, NFTA_SET_TIMEOUT, htobe64(declared.timeout_ms));
  }
  const std::string data = set_user_data(set);
  mnl_attr_put(&message, NFTA_SET_USERDATA, data.size(), data.data());
}

ChainDeclaration declaration_of(const Chain& chain) {
  if (!chain.base) return {};
  return {.hook = number_of(chain.base->hook),
          .priority = number_of(chain.base->priority),
          .policy = NF_ACCEPT,
          .type = chain.base->priority == Priority::srcnat ? "nat" : "filter"};
}

ChainDeclaration read_chain(const Attributes& attributes) {
  ChainDeclaration declared;
  if (!attributes.has(NFTA_CHAIN_HOOK)) return declared;
  const Attributes hook = attributes.nest(NFTA_CHAIN_HOOK);
  declared.hook = hook.be32(NFTA_HOOK_HOOKNUM);
  declared.priority = static_cast<std::int32_t>(hook.be32(NFTA_HOOK_PRIORITY).value_or(0));
  declared.policy = attributes.be32(NFTA_CHAIN_POLICY).value_or(0);
  declared.type = attributes.text(NFTA_CHAIN_TYPE).value_or("");
  return declared;
}

void write_chain(nlmsghdr& message, const std::string& table, const Chain& chain) {
  const ChainDeclaration declared = declaration_of(chain);
  put_text(message, NFTA_CHAIN_TABLE, table);
  put_text(message, NFTA_CHAIN_NAME, chain.name);
  if (declared.hook) {
    nlattr* hook = mnl_attr_nest_start(&message, NFTA_CHAIN_HOOK);
    put_be32(message, NFTA_HOOK_HOOKNUM, *declared.hook);
    put_be32(message, NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(declared.priority));
    mnl_attr_nest_end(&message, hook);
    put_be32(message, NFTA_CHAIN_POLICY, declared.policy);
    put_text(message, NFTA_CHAIN_TYPE, declared.type);
  }
  const std::string comment = comment_data(NFTNL_UDATA_CHAIN_COMMENT, chain.comment);
  mnl_attr_put(&message, NFTA_CHAIN_USERDATA, comment.size(), comment.data());
}

}  // namespace sekisho::kernel

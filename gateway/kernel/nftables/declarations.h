#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/message.h"
#include "policy/compile/ruleset.h"

// What a set or a chain is, apart from what it holds: as we want it, as it is written to the
// kernel, and as the kernel tells of it, in one form that compares.
namespace sekisho::kernel {

struct SetDeclaration {
  std::uint32_t flags = 0;      // NFT_SET_*
  std::uint32_t key_type = 0;   // nft's number of the type; a concatenation has 6 bits a field
  std::uint32_t key_bytes = 0;  // as the kernel counts: fields of a concatenation padded to 4
  std::uint32_t data_type = 0;  // 0: no map
  std::uint32_t size = 0;       // 0: no limit
  std::uint64_t timeout_ms = 0;

  bool operator==(const SetDeclaration&) const = default;
};

SetDeclaration declaration_of(const nft::Set& set);
SetDeclaration read_set(const Attributes& attributes);
// Attributes of NFT_MSG_NEWSET. `id` is any number that is unique in the batch.
void write_set(nlmsghdr& message, const std::string& table, const nft::Set& set, std::uint32_t id);

struct ChainDeclaration {
  std::optional<std::uint32_t> hook = {};  // NF_INET_*; none: a regular chain
  std::int32_t priority = 0;
  std::uint32_t policy = 0;  // NF_ACCEPT, NF_DROP
  std::string type = {};     // filter, nat

  bool operator==(const ChainDeclaration&) const = default;
};

ChainDeclaration declaration_of(const nft::Chain& chain);
ChainDeclaration read_chain(const Attributes& attributes);
void write_chain(nlmsghdr& message, const std::string& table, const nft::Chain& chain);

}  // namespace sekisho::kernel

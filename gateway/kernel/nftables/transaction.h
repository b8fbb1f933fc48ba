#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/nftables/elements.h"
#include "policy/compile/ruleset.h"

namespace sekisho::kernel {

// Table flags that linux/netfilter/nf_tables.h of Debian 12 does not know yet (Linux 6.9).
inline constexpr std::uint32_t kTableOwner = 2, kTablePersists = 4;

struct CommitFailure {
  Error error;           // names the refused object
  int error_number = 0;  // errno of the first refusal; 0 where nothing was sent
};

// Changes to one table that happen all together or not at all: one nfnetlink batch
// (net/netfilter/nfnetlink.c, nf_tables_api.c). Written in the order in which they take effect.
class Transaction {
 public:
  // Where `generation` is given, the kernel refuses with ERESTART if any ruleset changed since.
  Transaction(std::string table, std::optional<std::uint32_t> generation);

  void put_table(std::uint32_t flags, const std::string& comment);
  void put_counter(const nft::Counter& counter);
  void put_set(const nft::Set& set);
  void put_chain(const nft::Chain& chain);
  void put_rule(const std::string& chain, const nft::Rule& rule);
  // All rules of the chain; the chain stays.
  void flush_chain(const std::string& chain);
  void delete_chain(const std::string& chain);
  void delete_set(const std::string& set);
  void delete_object(std::uint32_t type, const std::string& name);
  void delete_flowtable(const std::string& name);

  // An element that is there already, with the same mark, is left as it is.
  void put_elements(const std::string& set, std::span<const Element> elements);
  // For sets whose elements end by themselves: those that ended a moment ago are no failure. Fails
  // where the kernel has another mark at the place.
  void remove_elements(const std::string& set, std::span<const Element> elements);
  // All that the set holds; the set stays.
  void remove_all_elements(const std::string& set);
  // Fails where one is not there.
  void remove_present_elements(const std::string& set, std::span<const Element> elements);

  bool empty() const { return names_.size() <= 1; }
  std::size_t bytes() const { return batch_.bytes().size(); }
  // Once.
  std::expected<void, CommitFailure> commit(Socket& socket);

 private:
  nlmsghdr* begin(int type, int flags, std::string name);
  void end() { batch_.commit(); }
  void write_elements(int type, int flags, const std::string& set,
                      std::span<const Element> elements, bool by_place);
  void delete_named(int type, std::uint16_t table_attribute, std::uint16_t name_attribute,
                    const std::string& name, std::string what);

  std::string table_;
  Batch batch_;
  std::vector<std::string> names_;  // what each message of the batch is about
  std::uint32_t next_set_id_ = 0;
};

}  // namespace sekisho::kernel

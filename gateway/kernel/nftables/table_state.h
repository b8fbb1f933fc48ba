#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/nftables/declarations.h"
#include "gateway/kernel/nftables/elements.h"

namespace sekisho::kernel {

struct ChainState {
  ChainDeclaration declared;
  std::vector<std::string> rules;  // canonical()
};

// One table of family inet as the kernel has it.
struct TableState {
  bool present = false;
  std::uint32_t flags = 0;
  std::map<std::string, ChainState> chains;
  std::map<std::string, SetDeclaration> sets;               // anonymous ones left out
  std::set<std::pair<std::uint32_t, std::string>> objects;  // NFT_OBJECT_*, name
  std::set<std::string> flowtables;
  Contents contents;  // of the sets asked for
};

// Reads the table; `contents` names the sets whose elements are wanted as well, and those that are
// not there, or not declared as here, are left out.
Result<TableState> read_table(Socket& socket, const std::string& table,
                              const std::map<std::string, SetDeclaration>& contents);

// The elements of one set; sorted, each once. While the kernel makes the set larger, its walk
// passes some over: what is not here but was to be is asked for by read_one().
Result<std::vector<Element>> read_elements(Socket& socket, const std::string& table,
                                           const std::string& set, bool interval);

// The element that `place` names; nothing where there is none.
Result<std::optional<Element>> read_one(Socket& socket, const std::string& table,
                                        const std::string& set, const Element& place);

// A number that grows with every change to any ruleset of this network namespace.
Result<std::uint32_t> read_generation(Socket& socket);

}  // namespace sekisho::kernel

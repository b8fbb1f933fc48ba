#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gateway/kernel/nftables/table_state.h"
#include "policy/compile/ruleset.h"

namespace sekisho::kernel {

// How far ends may lie apart without being another end: the kernel counts ticks, the clock is read
// before the request, and reading takes its time, which the caller adds.
inline constexpr std::chrono::milliseconds kEndTolerance{2000};

// How the table in the kernel differs from the wanted one, so that it can be made right and told.
struct Comparison {
  bool table_missing = false;
  // Somebody switched the whole table off.
  bool table_dormant = false;
  // Declared otherwise, or absent.
  std::set<std::string> chains_to_make, sets_to_make, counters_to_make;
  // Declared otherwise, or not ours.
  std::set<std::string> chains_to_delete, sets_to_delete, flowtables_to_delete;
  std::set<std::pair<std::uint32_t, std::string>> objects_to_delete;
  // Our chains whose rules are not exactly ours.
  std::set<std::string> chains_to_fill;
  // Elements of the sets that stay.
  Contents to_remove, to_add;

  // One line for the record each: "rule 3 of chain forward is missing: ...". At most kMostLines,
  // and then one that says how many more.
  std::vector<std::string> lines;
  std::size_t unlisted = 0;

  static constexpr std::size_t kMostLines = 100;
  bool same() const { return lines.empty(); }
  void say(std::string line);
};

Comparison compare(const TableState& there, const Ruleset& wanted, const Contents& contents,
                   std::chrono::milliseconds tolerance = kEndTolerance);

// What the policy sets of a ruleset are declared as: those whose contents are compared.
std::map<std::string, SetDeclaration> policy_sets(const Ruleset& ruleset);

}  // namespace sekisho::kernel

#include "gateway/kernel/nftables/comparison.h"

#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <tuple>

#include "gateway/kernel/nftables/expressions.h"
#include "policy/compile/render_nft.h"

namespace sekisho::kernel {

namespace {

// The longest common subsequence: which rules of `wanted` and of `there` stand for each other.
std::pair<std::vector<bool>, std::vector<bool>> common_rules(
    const std::vector<std::string>& wanted, const std::vector<std::string>& there) {
  const std::size_t width = there.size() + 1;
  std::vector<std::size_t> longest((wanted.size() + 1) * width, 0);
  for (std::size_t i = wanted.size(); i-- > 0;) {
    for (std::size_t j = there.size(); j-- > 0;) {
      longest[i * width + j] = wanted[i] == there[j] ? 1 + longest[(i + 1) * width + j + 1]
                                                     : std::max(longest[(i + 1) * width + j],
                                                                longest[i * width + j + 1]);
    }
  }
  std::vector<bool> kept(wanted.size()), ours(there.size());
  for (std::size_t i = 0, j = 0; i < wanted.size() && j < there.size();) {
    if (wanted[i] == there[j]) {
      kept[i++] = ours[j++] = true;
    } else if (longest[(i + 1) * width + j] >= longest[i * width + j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return {kept, ours};
}

void compare_rules(const nft::Chain& chain, const std::vector<std::string>& there,
                   const std::string& table, Comparison& result) {
  std::vector<std::string> wanted;
  for (const auto& rule : chain.rules) {
    wanted.push_back(canonical(*make_rule(table, chain.name, rule)));
  }
  if (wanted == there) return;
  result.chains_to_fill.insert(chain.name);
  const auto [kept, ours] = common_rules(wanted, there);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i]) continue;
    result.say(fmt::format("rule {} of chain {} is missing: {}", i + 1, chain.name,
                           to_nft(chain.rules[i])));
  }
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i]) continue;
    result.say(
        fmt::format("rule {} of chain {} is not ours: {}", i + 1, chain.name, there[i].c_str()));
  }
}

void compare_chains(const TableState& there, const Ruleset& wanted, Comparison& result) {
  std::set<std::string> ours;
  for (const auto& chain : wanted.chains) {
    ours.insert(chain.name);
    const auto found = there.chains.find(chain.name);
    if (found == there.chains.end()) {
      result.chains_to_make.insert(chain.name);
      result.chains_to_fill.insert(chain.name);
      result.say(fmt::format("chain {} is missing", chain.name));
      continue;
    }
    ChainDeclaration declared = found->second.declared;
    const ChainDeclaration ideal = declaration_of(chain);
    if (declared != ideal) {
      result.say(fmt::format("chain {} has another hook, priority, type or policy", chain.name));
      result.chains_to_make.insert(chain.name);
      declared.policy = ideal.policy;
      // A policy is changed in place; anything else only by making the chain again.
      if (declared != ideal) {
        result.chains_to_delete.insert(chain.name);
        result.chains_to_fill.insert(chain.name);
        continue;
      }
    }
    compare_rules(chain, found->second.rules, wanted.table, result);
  }
  for (const auto& [name, chain] : there.chains) {
    if (ours.contains(name)) continue;
    result.chains_to_delete.insert(name);
    result.say(fmt::format("chain {} is not ours", name));
  }
}

void compare_sets(const TableState& there, const Ruleset& wanted, Comparison& result) {
  std::set<std::string> ours;
  for (const auto& set : wanted.sets) {
    ours.insert(set.name);
    const auto found = there.sets.find(set.name);
    if (found != there.sets.end() && found->second == declaration_of(set)) continue;
    result.sets_to_make.insert(set.name);
    if (found != there.sets.end()) result.sets_to_delete.insert(set.name);
    result.say(fmt::format("set {} is {}", set.name,
                           found == there.sets.end() ? "missing" : "declared otherwise"));
  }
  for (const auto& [name, set] : there.sets) {
    if (ours.contains(name)) continue;
    result.sets_to_delete.insert(name);
    result.say(fmt::format("set {} is not ours", name));
  }
}

void compare_objects(const TableState& there, const Ruleset& wanted, Comparison& result) {
  auto foreign = there.objects;
  for (const auto& counter : wanted.counters) {
    if (foreign.erase({NFT_OBJECT_COUNTER, counter.name}) != 0) continue;
    result.counters_to_make.insert(counter.name);
    result.say(fmt::format("counter {} is missing", counter.name));
  }
  for (const auto& [type, name] : foreign) {
    result.say(fmt::format("object {} is not ours", name));
  }
  result.objects_to_delete = std::move(foreign);
  for (const auto& name : there.flowtables) {
    result.say(fmt::format("flowtable {} is not ours", name));
  }
  result.flowtables_to_delete = there.flowtables;
}

// Near its end an element may be gone already, or still be there: both are as they should be.
bool about_to_end(const Element& element, std::chrono::milliseconds tolerance) {
  return element.left && *element.left <= tolerance;
}

std::string end_of(const Element& element) {
  if (!element.left) return "never ends";
  return fmt::format("ends in {} s",
                     std::chrono::ceil<std::chrono::seconds>(*element.left).count());
}

void compare_elements(const std::string& set, const std::vector<Element>& there,
                      const std::vector<Element>& wanted, std::chrono::milliseconds tolerance,
                      Comparison& result) {
  auto& remove = result.to_remove[set];
  auto& add = result.to_add[set];
  const auto place = [](const Element& e) { return std::tie(e.first, e.last); };
  auto have = there.begin();
  auto want = wanted.begin();
  while (have != there.end() || want != wanted.end()) {
    if (have == there.end() || (want != wanted.end() && place(*want) < place(*have))) {
      if (!about_to_end(*want, tolerance)) {
        result.say(fmt::format("element {} of {} is missing", describe(set, *want), set));
        add.push_back(*want);
      }
      ++want;
    } else if (want == wanted.end() || place(*have) < place(*want)) {
      if (!about_to_end(*have, tolerance)) {
        result.say(fmt::format("element {} of {} is not ours", describe(set, *have), set));
        remove.push_back(*have);
      }
      ++have;
    } else {
      if (have->mark != want->mark) {
        result.say(fmt::format("element {} of {} is {:#x} instead of {:#x}", describe(set, *want),
                               set, have->mark.value_or(0), want->mark.value_or(0)));
        remove.push_back(*have);
        add.push_back(*want);
      } else if (!have->ends_with(*want, tolerance)) {
        result.say(fmt::format("element {} of {} {}, where it {}", describe(set, *want), set,
                               end_of(*have), end_of(*want)));
        remove.push_back(*have);
        add.push_back(*want);
      }
      ++have;
      ++want;
    }
  }
}

}  // namespace

void Comparison::say(std::string line) {
  if (lines.size() < kMostLines) {
    lines.push_back(std::move(line));
  } else {
    ++unlisted;
  }
}

std::map<std::string, SetDeclaration> policy_sets(const Ruleset& ruleset) {
  std::map<std::string, SetDeclaration> sets;
  for (const auto& set : ruleset.sets) {
    if (!set.dynamic) sets.emplace(set.name, declaration_of(set));
  }
  return sets;
}

Comparison compare(const TableState& there, const Ruleset& wanted, const Contents& contents,
                   std::chrono::milliseconds tolerance) {
  Comparison result;
  result.table_missing = !there.present;
  result.table_dormant = (there.flags & NFT_TABLE_F_DORMANT) != 0;
  if (result.table_missing) result.say(fmt::format("table {} is missing", wanted.table));
  if (result.table_dormant) result.say(fmt::format("table {} is switched off", wanted.table));
  compare_chains(there, wanted, result);
  compare_sets(there, wanted, result);
  compare_objects(there, wanted, result);
  for (const auto& [set, elements] : contents) {
    const auto found = there.contents.find(set);
    if (result.sets_to_make.contains(set) || found == there.contents.end()) {
      result.to_add[set] = elements;
    } else {
      compare_elements(set, found->second, elements, tolerance, result);
    }
  }
  // What a missing table lacks needs no telling.
  if (result.table_missing) {
    result.lines.resize(1);
  } else if (result.unlisted != 0) {
    result.lines.push_back(fmt::format("and {} more differences", result.unlisted));
  }
  return result;
}

}  // namespace sekisho::kernel

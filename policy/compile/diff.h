#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "policy/compile/tables.h"

namespace sekisho {

// One change of contents, as one netlink batch will carry it. An element that changes (another
// cohort, another end) stands in both lists. Removals are applied first.
struct TablesDiff {
  bool empties_cohorts = false;  // before all else: every device loses its entry, in one step
  std::vector<std::pair<IpAddress, CohortEntry>> remove_cohorts, add_cohorts;
  std::vector<std::pair<Destinations, AtomMark>> remove_atoms, add_atoms;
  std::vector<std::pair<GrantKey, std::optional<Time>>> remove_grants, add_grants;

  bool empty() const;
  std::size_t size() const;
  // True where no packet that passed before could be refused after: only rights added.
  bool only_loosens() const;
  // True where no packet that was refused before could pass after.
  bool only_tightens() const;

  // Found by diff() from what each device may do before and after; where a change cuts atoms anew
  // both stay true (it may do either).
  bool may_refuse_more = true;
  bool may_pass_more = true;
};

TablesDiff diff(const Tables& from, const Tables& to);

// Puts `atoms` in the place of those of `tables`, and notes in `diff` what that changes.
void replace_atoms(Tables& tables, std::map<Destinations, AtomMark> atoms, TablesDiff& diff);

}  // namespace sekisho

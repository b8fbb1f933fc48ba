#include "policy/compile/rights.h"

#include <algorithm>
#include <cstdint>

namespace sekisho {

bool ends_before(const End& a, const End& b) {
  return a && (!b || *a < *b);
}
End later(const End& a, const End& b) {
  return ends_before(a, b) ? b : a;
}

Rights tidy(Rights rights) {
  std::ranges::sort(rights, {}, &Rights::value_type::first);
  Rights tidied;
  for (const auto& [atom, end] : rights) {
    if (!tidied.empty() && tidied.back().first == atom) {
      tidied.back().second = later(tidied.back().second, end);
    } else {
      tidied.emplace_back(atom, end);
    }
  }
  return tidied;
}

std::size_t RightsHash::operator()(const Rights& rights) const {
  std::size_t hash = rights.size();
  for (const auto& [atom, end] : rights) {
    const auto until = end ? static_cast<std::uint64_t>(end->time_since_epoch().count()) + 1 : 0;
    hash = (hash ^ atom.opening()) * 0x9e3779b97f4a7c15U;
    hash = (hash ^ until ^ hash >> 32) * 0x9e3779b97f4a7c15U;
  }
  return hash;
}

Rights rights_of(const Tables& tables, Cohort cohort) {
  Rights rights;
  for (auto row = tables.grants.lower_bound({cohort, AtomMark{}});
       row != tables.grants.end() && row->first.cohort == cohort; ++row) {
    rights.emplace_back(row->first.atom, row->second);
  }
  return rights;
}

void remove_rights(Tables& tables, Cohort cohort) {
  tables.grants.erase(tables.grants.lower_bound({cohort, AtomMark{}}),
                      tables.grants.upper_bound({cohort, AtomMark::from_mark(0xffffffff)}));
}

void replace_rights(Tables& tables, Cohort cohort, const Rights& rights, TablesDiff& diff) {
  const Rights before = rights_of(tables, cohort);
  if (before == rights) return;
  compare_rights(cohort, before, rights, diff);
  remove_rights(tables, cohort);
  for (const auto& [atom, until] : rights) tables.grants.emplace(GrantKey{cohort, atom}, until);
}

void compare_rights(Cohort cohort, const Rights& before, const Rights& after, TablesDiff& diff) {
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    const bool gone = b == after.end() || (a != before.end() && a->first < b->first);
    const bool came = a == before.end() || (b != after.end() && b->first < a->first);
    if (!gone && !came && a->second == b->second) {
      ++a;
      ++b;
      continue;
    }
    if (!came) diff.remove_grants.emplace_back(GrantKey{cohort, a->first}, a->second);
    if (!gone) diff.add_grants.emplace_back(GrantKey{cohort, b->first}, b->second);
    if (!came) ++a;
    if (!gone) ++b;
  }
}

Shift& Shift::operator|=(const Shift& other) {
  takes |= other.takes;
  gives |= other.gives;
  return *this;
}

Shift shift(const Rights& before, const End& until_before, const Rights& after,
            const End& until_after) {
  Shift found;
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    if (b == after.end() || (a != before.end() && a->first < b->first)) {
      found.takes = true;
      ++a;
    } else if (a == before.end() || b->first < a->first) {
      found.gives = true;
      ++b;
    } else {
      const End was = earlier(until_before, (a++)->second);
      const End is = earlier(until_after, (b++)->second);
      found |= {.takes = ends_before(is, was), .gives = ends_before(was, is)};
    }
  }
  return found;
}

}  // namespace sekisho

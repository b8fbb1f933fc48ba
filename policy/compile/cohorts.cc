#include "policy/compile/cohorts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "policy/model/validate.h"

namespace sekisho {
namespace {

// A cohort has at least one device, so there are numbers for all.
static_assert(kMaxDevices < kIsolatedCohort.value());

// Holders with equal rights, before they have their number.
struct Group {
  const Rights* rights = nullptr;
  std::vector<const Cohorts::Holder*> holders;
  Cohort cohort;
};

std::vector<Group> group(const std::vector<Cohorts::Holder>& holders) {
  struct Same {
    bool operator()(const Rights* a, const Rights* b) const { return *a == *b; }
  };
  struct Hash {
    std::size_t operator()(const Rights* rights) const { return RightsHash{}(*rights); }
  };
  std::vector<Group> groups;
  std::unordered_map<const Rights*, std::size_t, Hash, Same> known;
  for (const Cohorts::Holder& holder : holders) {
    if (holder.addresses.empty()) continue;
    const auto [entry, fresh] = known.try_emplace(&holder.rights, groups.size());
    if (fresh) groups.push_back({.rights = &holder.rights, .holders = {}, .cohort = {}});
    groups[entry->second].holders.push_back(&holder);
  }
  return groups;
}

}  // namespace

// One rearrangement, from leaving to diff.
class Cohorts::Move {
 public:
  Move(Cohorts& cohorts, Tables& tables) : cohorts_(cohorts), tables_(tables) {}

  void leave(const IpAddress& address) {
    const auto found = tables_.cohorts.find(address);
    if (found == tables_.cohorts.end()) return;
    const Cohort cohort = found->second.cohort;
    before_.emplace(address, found->second);
    tables_.cohorts.erase(found);
    if (--cohorts_.addresses_in_[cohort.value()] > 0) return;
    clear_rows(cohort);
    cohorts_.forget(rows_before_.at(cohort), cohort);
  }

  void arrive(std::vector<Group> groups) {
    for (Group& each : groups) each.cohort = cohorts_.find(tables_, *each.rights);
    keep_numbers_of_equals(groups);
    for (Group& each : groups) {
      if (!each.cohort) each.cohort = own_number(each);
    }
    std::uint16_t lowest = 1;
    for (Group& each : groups) {
      if (!each.cohort) each.cohort = free_number(lowest);
      enter(each);
    }
  }

  void tell(TablesDiff& diff) const {
    std::set<std::tuple<Cohort, End, Cohort, End>> judged;
    Shift found;
    for (const auto& [address, before] : before_) {
      const auto after = tables_.cohorts.find(address);
      const bool stays = after != tables_.cohorts.end();
      if (stays && before && after->second == *before && !rows_before_.contains(before->cohort)) {
        continue;
      }
      const bool same = stays && before && after->second == *before;
      if (before && !same) diff.remove_cohorts.emplace_back(address, *before);
      if (stays && !same) diff.add_cohorts.emplace_back(*after);
      const CohortEntry was = before.value_or(CohortEntry{});
      const CohortEntry is = stays ? after->second : CohortEntry{};
      if (judged.emplace(was.cohort, was.until, is.cohort, is.until).second) {
        found |=
            shift(rights_before(was.cohort), was.until, rights_of(tables_, is.cohort), is.until);
      }
    }
    for (const auto& [cohort, rights] : rows_before_) {
      compare_rights(cohort, rights, rights_of(tables_, cohort), diff);
    }
    diff.may_refuse_more |= found.takes;
    diff.may_pass_more |= found.gives;
  }

 private:
  void keep_numbers_of_equals(std::vector<Group>& groups) {
    std::unordered_map<Rights, Cohort, RightsHash> known;
    for (const auto& [cohort, rights] : rows_before_) known.try_emplace(rights, cohort);
    for (Group& each : groups) {
      if (each.cohort) continue;
      const auto same = known.find(*each.rights);
      if (same != known.end()) each.cohort = take(same->second);
    }
  }

  // One that a device of the group had and that nobody has now.
  Cohort own_number(const Group& group) {
    for (const Holder* holder : group.holders) {
      for (const IpAddress& address : holder->addresses) {
        const auto was = before_.find(address);
        if (was == before_.end() || !was->second) continue;
        if (!rows_before_.contains(was->second->cohort)) continue;
        if (const Cohort own = take(was->second->cohort)) return own;
      }
    }
    return {};
  }

  Cohort free_number(std::uint16_t& from) {
    while (cohorts_.addresses_in_[from] > 0 || taken_.contains(Cohort(from))) ++from;
    return take(Cohort(from));
  }

  Cohort take(Cohort cohort) { return taken_.insert(cohort).second ? cohort : Cohort(); }

  void enter(const Group& group) {
    auto& count = cohorts_.addresses_in_[group.cohort.value()];
    if (count == 0) {
      clear_rows(group.cohort);
      for (const auto& [atom, until] : *group.rights) {
        tables_.grants.emplace(GrantKey{group.cohort, atom}, until);
      }
      cohorts_.remember(*group.rights, group.cohort);
    }
    for (const Holder* holder : group.holders) {
      for (const IpAddress& address : holder->addresses) {
        before_.try_emplace(address);
        tables_.cohorts.insert_or_assign(address, CohortEntry{group.cohort, holder->until});
        ++count;
      }
    }
  }

  void clear_rows(Cohort cohort) {
    rows_before_.try_emplace(cohort, rights_of(tables_, cohort));
    remove_rights(tables_, cohort);
  }

  Rights rights_before(Cohort cohort) const {
    const auto changed = rows_before_.find(cohort);
    return changed != rows_before_.end() ? changed->second : rights_of(tables_, cohort);
  }

  Cohorts& cohorts_;
  Tables& tables_;
  std::map<IpAddress, std::optional<CohortEntry>> before_;
  std::map<Cohort, Rights> rows_before_;  // of the cohorts whose rows change
  std::set<Cohort> taken_;
};

Cohorts::Cohorts(const Tables& tables) : Cohorts() {
  for (const auto& [address, entry] : tables.cohorts) ++addresses_in_[entry.cohort.value()];
  for (std::size_t i = 1; i <= kMost; ++i) {
    const Cohort cohort(static_cast<std::uint16_t>(i));
    if (addresses_in_[i] > 0) remember(rights_of(tables, cohort), cohort);
  }
}

void Cohorts::remember(const Rights& rights, Cohort cohort) {
  by_hash_.emplace(RightsHash{}(rights), cohort);
}

void Cohorts::forget(const Rights& rights, Cohort cohort) {
  auto [entry, end] = by_hash_.equal_range(RightsHash{}(rights));
  for (; entry != end; ++entry) {
    if (entry->second != cohort) continue;
    by_hash_.erase(entry);
    return;
  }
}

Cohort Cohorts::find(const Tables& tables, const Rights& rights) const {
  const auto [begin, end] = by_hash_.equal_range(RightsHash{}(rights));
  for (auto entry = begin; entry != end; ++entry) {
    if (rights_of(tables, entry->second) == rights) return entry->second;
  }
  return {};
}

void Cohorts::rearrange(Tables& tables, const std::vector<IpAddress>& leaving,
                        const std::vector<Holder>& holders, TablesDiff& diff) {
  Move move(*this, tables);
  for (const IpAddress& address : leaving) move.leave(address);
  move.arrive(group(holders));
  move.tell(diff);
}

}  // namespace sekisho

#include "policy/compile/transition.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace sekisho {

namespace {

using Rights = std::map<AtomMark, std::optional<Time>>;

std::map<Cohort, Rights> retired_rights(const Tables& from, const std::vector<AtomMark>& retired) {
  const std::set<AtomMark> gone(retired.begin(), retired.end());
  std::map<Cohort, Rights> rights;
  for (const auto& [key, until] : from.grants) {
    if (gone.contains(key.atom)) rights[key.cohort].emplace(key.atom, until);
  }
  return rights;
}

std::map<Cohort, Rights> all_rights(const Tables& tables) {
  std::map<Cohort, Rights> rights;
  for (const auto& [key, until] : tables.grants) rights[key.cohort].emplace(key.atom, until);
  return rights;
}

// Deals the cohort numbers that `used` does not hold.
class Dealer {
 public:
  explicit Dealer(std::set<Cohort> used) : used_(std::move(used)) {}
  std::optional<Cohort> deal() {
    for (; next_ <= 0xffff; ++next_) {
      const Cohort candidate(static_cast<std::uint16_t>(next_));
      if (used_.insert(candidate).second) return candidate;
    }
    return std::nullopt;
  }

 private:
  std::set<Cohort> used_;
  std::uint32_t next_ = 1;
};

}  // namespace

Tables transition(const Tables& from, const Tables& to, const std::vector<AtomMark>& retired) {
  Tables between{.cohorts = {}, .atoms = to.atoms, .grants = to.grants};
  const auto old_rights = retired_rights(from, retired);
  const auto new_rights = all_rights(to);
  std::set<Cohort> used;
  for (const auto& [address, entry] : to.cohorts) used.insert(entry.cohort);
  for (const auto& [key, until] : to.grants) used.insert(key.cohort);
  Dealer dealer(std::move(used));

  // By cohort before, the device's own end then, cohort after: what has ended does not come back.
  std::map<std::tuple<Cohort, std::optional<Time>, Cohort>, Cohort> groups;
  std::set<Cohort> kept;
  for (const auto& [address, entry] : to.cohorts) {
    const auto before = from.cohorts.find(address);
    const CohortEntry was = before == from.cohorts.end() ? CohortEntry{} : before->second;
    auto [group, added] = groups.try_emplace({was.cohort, was.until, entry.cohort}, entry.cohort);
    if (added && !kept.insert(entry.cohort).second) {
      const std::optional<Cohort> own = dealer.deal();
      if (!own) return to;
      group->second = *own;
      if (const auto rights = new_rights.find(entry.cohort); rights != new_rights.end()) {
        for (const auto& [atom, until] : rights->second) between.grants[{*own, atom}] = until;
      }
    }
    between.cohorts[address] = {group->second, entry.until};
  }
  for (const auto& [group, cohort] : groups) {
    const auto rights = old_rights.find(std::get<0>(group));
    if (rights == old_rights.end()) continue;
    for (const auto& [atom, until] : rights->second)
      between.grants.try_emplace({cohort, atom}, earlier(until, std::get<1>(group)));
  }
  return between;
}

}  // namespace sekisho

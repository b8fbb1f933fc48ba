#include "policy/compile/diff.h"

#include <set>
#include <tuple>

#include "policy/compile/rights.h"

namespace sekisho {
namespace {

template <class Map>
using Entries = std::vector<std::pair<typename Map::key_type, typename Map::mapped_type>>;

// Both maps in step; an entry that differs goes to both lists.
template <class Map>
void compare(const Map& from, const Map& to, Entries<Map>& removed, Entries<Map>& added) {
  auto a = from.begin();
  auto b = to.begin();
  while (a != from.end() || b != to.end()) {
    if (b == to.end() || (a != from.end() && a->first < b->first)) {
      removed.emplace_back(*a++);
    } else if (a == from.end() || b->first < a->first) {
      added.emplace_back(*b++);
    } else {
      if (a->second != b->second) {
        removed.emplace_back(*a);
        added.emplace_back(*b);
      }
      ++a;
      ++b;
    }
  }
}

// The devices whose own entry or whose cohort's grants changed: all others may do what they could.
std::set<IpAddress> touched_devices(const Tables& from, const Tables& to, const TablesDiff& diff) {
  std::set<IpAddress> devices;
  for (const auto& [address, entry] : diff.remove_cohorts) devices.insert(address);
  for (const auto& [address, entry] : diff.add_cohorts) devices.insert(address);
  std::set<Cohort> cohorts;
  for (const auto& [key, until] : diff.remove_grants) cohorts.insert(key.cohort);
  for (const auto& [key, until] : diff.add_grants) cohorts.insert(key.cohort);
  if (cohorts.empty()) return devices;
  for (const Tables* tables : {&from, &to}) {
    for (const auto& [address, entry] : tables->cohorts) {
      if (cohorts.contains(entry.cohort)) devices.insert(address);
    }
  }
  return devices;
}

// An atom's region that moves elsewhere may do either; one that only grows takes nothing, one that
// only shrinks gives nothing.
void compare_atoms(const std::map<Destinations, AtomMark>& from,
                   const std::map<Destinations, AtomMark>& to, TablesDiff& diff) {
  compare(from, to, diff.remove_atoms, diff.add_atoms);
  diff.may_refuse_more |= !diff.remove_atoms.empty();
  diff.may_pass_more |= !diff.add_atoms.empty();
}

}  // namespace

bool TablesDiff::empty() const {
  return size() == 0 && !empties_cohorts;
}

std::size_t TablesDiff::size() const {
  return remove_cohorts.size() + add_cohorts.size() + remove_atoms.size() + add_atoms.size() +
         remove_grants.size() + add_grants.size();
}

bool TablesDiff::only_loosens() const {
  return empty() || !may_refuse_more;
}
bool TablesDiff::only_tightens() const {
  return empty() || !may_pass_more;
}

TablesDiff diff(const Tables& from, const Tables& to) {
  TablesDiff diff;
  diff.may_refuse_more = diff.may_pass_more = false;
  compare(from.cohorts, to.cohorts, diff.remove_cohorts, diff.add_cohorts);
  compare(from.grants, to.grants, diff.remove_grants, diff.add_grants);
  compare_atoms(from.atoms, to.atoms, diff);

  // Most devices of a cohort move alike, so each kind of move is judged once.
  std::set<std::tuple<Cohort, End, Cohort, End>> judged;
  const auto entry_of = [](const Tables& tables, const IpAddress& device) {
    const auto found = tables.cohorts.find(device);
    return found == tables.cohorts.end() ? CohortEntry{} : found->second;
  };
  for (const IpAddress& device : touched_devices(from, to, diff)) {
    const CohortEntry was = entry_of(from, device);
    const CohortEntry is = entry_of(to, device);
    if (!judged.emplace(was.cohort, was.until, is.cohort, is.until).second) continue;
    const Shift found =
        shift(rights_of(from, was.cohort), was.until, rights_of(to, is.cohort), is.until);
    diff.may_refuse_more |= found.takes;
    diff.may_pass_more |= found.gives;
  }
  return diff;
}

void replace_atoms(Tables& tables, std::map<Destinations, AtomMark> atoms, TablesDiff& diff) {
  compare_atoms(tables.atoms, atoms, diff);
  tables.atoms = std::move(atoms);
}

}  // namespace sekisho

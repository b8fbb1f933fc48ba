#include "policy/compile/diff.h"

#include <set>

namespace sekisho {
namespace {

using End = std::optional<Time>;

bool ends_before(const End& a, const End& b) {
  return a && (!b || *a < *b);
}
End earlier(const End& a, const End& b) {
  return ends_before(a, b) ? a : b;
}

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

// A device's way through one set of tables: its rights in order of atom, each with the end that
// comes first, the device's own or the grant's.
class RightsOf {
 public:
  RightsOf(const Tables& tables, const IpAddress& device) : at_(tables.grants.end()), end_(at_) {
    const auto entry = tables.cohorts.find(device);
    if (entry == tables.cohorts.end()) return;
    until_ = entry->second.until;
    cohort_ = entry->second.cohort;
    at_ = tables.grants.lower_bound({cohort_, AtomMark{}});
  }
  bool done() const { return at_ == end_ || at_->first.cohort != cohort_; }
  AtomMark atom() const { return at_->first.atom; }
  End until() const { return earlier(until_, at_->second); }
  void advance() { ++at_; }

 private:
  std::map<GrantKey, End>::const_iterator at_;
  std::map<GrantKey, End>::const_iterator end_;
  Cohort cohort_;
  End until_;
};

void compare_rights(const Tables& from, const Tables& to, const IpAddress& device,
                    TablesDiff& diff) {
  RightsOf before(from, device);
  RightsOf after(to, device);
  while (!before.done() || !after.done()) {
    if (after.done() || (!before.done() && before.atom() < after.atom())) {
      diff.may_refuse_more = true;
      before.advance();
    } else if (before.done() || after.atom() < before.atom()) {
      diff.may_pass_more = true;
      after.advance();
    } else {
      diff.may_refuse_more |= ends_before(after.until(), before.until());
      diff.may_pass_more |= ends_before(before.until(), after.until());
      before.advance();
      after.advance();
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

}  // namespace

bool TablesDiff::empty() const {
  return size() == 0;
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
  compare(from.cohorts, to.cohorts, diff.remove_cohorts, diff.add_cohorts);
  compare(from.atoms, to.atoms, diff.remove_atoms, diff.add_atoms);
  compare(from.grants, to.grants, diff.remove_grants, diff.add_grants);

  // An atom's region that moves elsewhere may do either; one that only grows takes nothing, one
  // that only shrinks gives nothing.
  diff.may_refuse_more = !diff.remove_atoms.empty();
  diff.may_pass_more = !diff.add_atoms.empty();
  for (const IpAddress& device : touched_devices(from, to, diff)) {
    compare_rights(from, to, device, diff);
  }
  return diff;
}

}  // namespace sekisho

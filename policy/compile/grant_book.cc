#include "policy/compile/grant_book.h"

#include <algorithm>

namespace sekisho {

void GrantBook::start(const Policy& policy, GrantTimes& times) {
  *this = {};
  for (const auto& [id, grant] : policy.grants) note(id, grant, times);
}

std::set<Who> GrantBook::update(const Policy& policy, const PolicyEdit& undo, GrantTimes& times) {
  std::set<Who> touched;
  for (const auto& [id, before] : undo.grants) {
    if (before) {
      touched.insert(before->who);
      std::erase(by_who_.at(before->who), id);
      drop_dates(id);
    }
    const auto after = policy.grants.find(id);
    if (after == policy.grants.end()) continue;
    touched.insert(after->second.who);
    note(id, after->second, times);
  }
  for (const Agenda* agenda : {&openings_, &closings_}) {
    for (const GrantId& id : due(*agenda, times.now())) {
      const Grant& grant = policy.grants.at(id);
      touched.insert(grant.who);
      drop_dates(id);
      set_dates(id, times.of(grant));
    }
  }
  return touched;
}

Rights GrantBook::rights_of(const Policy& policy, const Who& who, const Opened& opened,
                            GrantTimes& times) const {
  Rights rights;
  const auto ids = by_who_.find(who);
  if (ids == by_who_.end()) return rights;
  for (const GrantId& id : ids->second) {
    const Grant& grant = policy.grants.at(id);
    const GrantTimes::Stretch stretch = times.of(grant);
    const auto atoms = opened.find(grant.resource);
    if (!stretch.open || atoms == opened.end()) continue;
    for (const AtomMark atom : atoms->second) rights.emplace_back(atom, stretch.end);
  }
  return tidy(std::move(rights));
}

std::optional<Time> GrantBook::next_opening() const {
  return openings_.empty() ? std::nullopt : std::optional(openings_.begin()->first);
}

void GrantBook::note(const GrantId& id, const Grant& grant, GrantTimes& times) {
  by_who_[grant.who].push_back(id);
  set_dates(id, times.of(grant));
}

void GrantBook::set_dates(const GrantId& id, const GrantTimes::Stretch& stretch) {
  if (!stretch.end && !stretch.opens_at) return;
  dates_[id] = stretch;
  if (stretch.end) closings_.emplace(*stretch.end, id);
  if (stretch.opens_at) openings_.emplace(*stretch.opens_at, id);
}

void GrantBook::drop_dates(const GrantId& id) {
  const auto dates = dates_.find(id);
  if (dates == dates_.end()) return;
  if (dates->second.end) closings_.erase({*dates->second.end, id});
  if (dates->second.opens_at) openings_.erase({*dates->second.opens_at, id});
  dates_.erase(dates);
}

std::vector<GrantId> GrantBook::due(const Agenda& agenda, Time now) {
  std::vector<GrantId> ids;
  for (auto entry = agenda.begin(); entry != agenda.end() && entry->first <= now; ++entry) {
    ids.push_back(entry->second);
  }
  return ids;
}

}  // namespace sekisho

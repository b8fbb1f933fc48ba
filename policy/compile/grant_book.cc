#include "policy/compile/grant_book.h"

#include <algorithm>

namespace sekisho {

Window window_of(const Grant& grant, Time now) {
  if (grant.until && *grant.until <= now) return {};
  if (grant.from && *grant.from > now) return {.open = false, .closes = {}, .reopens = grant.from};
  return {.open = true, .closes = grant.until, .reopens = {}};
}

void GrantBook::start(const Policy& policy, Time now) {
  *this = {};
  for (const auto& [id, grant] : policy.grants) note(id, grant, now);
}

std::set<Who> GrantBook::update(const Policy& policy, const PolicyEdit& undo, Time now) {
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
    note(id, after->second, now);
  }
  for (const Agenda* agenda : {&openings_, &closings_}) {
    for (const GrantId& id : due(*agenda, now)) {
      const Grant& grant = policy.grants.at(id);
      touched.insert(grant.who);
      drop_dates(id);
      set_dates(id, window_of(grant, now));
    }
  }
  return touched;
}

Rights GrantBook::rights_of(const Policy& policy, const Who& who, const Opened& opened,
                            Time now) const {
  Rights rights;
  const auto ids = by_who_.find(who);
  if (ids == by_who_.end()) return rights;
  for (const GrantId& id : ids->second) {
    const Grant& grant = policy.grants.at(id);
    const Window window = window_of(grant, now);
    const auto atoms = opened.find(grant.resource);
    if (!window.open || atoms == opened.end()) continue;
    for (const AtomMark atom : atoms->second) rights.emplace_back(atom, window.closes);
  }
  return tidy(std::move(rights));
}

std::optional<Time> GrantBook::next_opening() const {
  return openings_.empty() ? std::nullopt : std::optional(openings_.begin()->first);
}

void GrantBook::note(const GrantId& id, const Grant& grant, Time now) {
  by_who_[grant.who].push_back(id);
  set_dates(id, window_of(grant, now));
}

void GrantBook::set_dates(const GrantId& id, const Window& window) {
  if (!window.closes && !window.reopens) return;
  dates_[id] = {window.closes, window.reopens};
  if (window.closes) closings_.emplace(*window.closes, id);
  if (window.reopens) openings_.emplace(*window.reopens, id);
}

void GrantBook::drop_dates(const GrantId& id) {
  const auto dates = dates_.find(id);
  if (dates == dates_.end()) return;
  if (dates->second.closes) closings_.erase({*dates->second.closes, id});
  if (dates->second.reopens) openings_.erase({*dates->second.reopens, id});
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

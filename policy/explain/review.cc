#include "policy/explain/review.h"

#include <algorithm>
#include <optional>
#include <set>

namespace sekisho {
namespace {

// The first few.
template <class Id>
std::string listed(const std::vector<Id>& ids) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t index = 0; index < ids.size() && index < kShown; ++index) {
    text += (index == 0 ? "" : ", ") + ids[index].str();
  }
  return ids.size() > kShown ? text + " and others" : text;
}

class Review {
 public:
  Review(Version version, Time now) : version_(version), book_(version, now), now_(now) {
    for (const auto& [id, person] : policy().people) {
      for (const RoleId& role : person.roles) members_[role].push_back(id);
    }
    for (const auto& [id, person] : policy().people) grants_of_[id] = book_.grants_of(id);
  }

  std::vector<GrantFinding> run() {
    std::vector<GrantFinding> findings;
    for (const auto& [id, grant] : policy().grants) {
      if (auto why = useless(grant)) {
        findings.push_back(
            {.grant = id, .kind = GrantFinding::Kind::useless, .by = {}, .why = *std::move(why)});
        gone_.insert(id);
      }
    }
    // From the last id to the first; what has gone gives nothing any more, so of two that say the
    // same the first stays.
    for (auto entry = policy().grants.rbegin(); entry != policy().grants.rend(); ++entry) {
      if (gone_.contains(entry->first)) continue;
      auto finding = shadowed(entry->first, entry->second);
      if (!finding) continue;
      gone_.insert(entry->first);
      findings.push_back(*std::move(finding));
    }
    std::ranges::sort(findings, {}, &GrantFinding::grant);
    return findings;
  }

 private:
  const Policy& policy() const { return version_.policy.policy(); }

  std::vector<PersonId> people_of(const Grant& grant) const {
    if (const auto* person = std::get_if<PersonId>(&grant.who)) return {*person};
    const auto found = members_.find(std::get<RoleId>(grant.who));
    return found == members_.end() ? std::vector<PersonId>{} : found->second;
  }

  std::optional<std::string> useless(const Grant& grant) const {
    if (grant.until && *grant.until <= now_) return "it ended at " + to_string(*grant.until);
    if (grant.conditions.session) return "it asks for a sign-in, and nobody can sign in yet";
    if (book_.opened_by(grant.resource).empty()) {
      return "nothing of " + grant.resource.str() +
             " is left to open: it offers nothing, or stricter resources cover all of it";
    }
    if (grant.conditions.hours && grant.until) {
      const WeeklyHours& hours = *grant.conditions.hours;
      const Time begins = std::max(now_, grant.from.value_or(now_));
      const auto open = open_periods(hours, version_.policy.zones().at(hours.zone), begins);
      if (open.empty() || *grant.until <= open.front().begin) {
        return "it ends at " + to_string(*grant.until) + ", before its hours come again";
      }
    }
    const std::vector<PersonId> people = people_of(grant);
    if (people.empty()) return "nobody has the role " + std::get<RoleId>(grant.who).str();
    std::string reason;
    for (const PersonId& id : people) {
      const Person& person = policy().people.at(id);
      if (person.state != PersonState::active) {
        reason = id.str() + " is suspended";
      } else if (!term_of(grant, person, now_)) {
        reason = id.str() + " is not there at its time";
      } else if (!book_.has_active_device(id)) {
        reason = id.str() + " has no active device";
      } else {
        return std::nullopt;
      }
    }
    return people.size() == 1 ? reason : "of " + listed(people) + " nobody can use it: " + reason;
  }

  std::optional<GrantFinding> shadowed(const GrantId& id, const Grant& grant) const {
    std::set<GrantId> by;
    for (const PersonId& person : people_of(grant)) {
      const auto term = term_of(grant, policy().people.at(person), now_);
      if (!term) continue;
      for (const Atom* atom : book_.opened_by(grant.resource)) {
        const auto other = one_that_covers(id, person, *term, *atom);
        if (!other) return std::nullopt;
        by.insert(*other);
      }
    }
    GrantFinding finding{
        .grant = id, .kind = GrantFinding::Kind::shadowed, .by = {by.begin(), by.end()}, .why = {}};
    if (by.size() == 1) {
      const Grant& other = policy().grants.at(*by.begin());
      const bool same = other.who == grant.who && other.resource == grant.resource &&
                        other.from == grant.from && other.until == grant.until &&
                        other.conditions == grant.conditions;
      if (same) finding.kind = GrantFinding::Kind::duplicate;
    }
    finding.why = finding.kind == GrantFinding::Kind::duplicate
                      ? "it says the same as " + listed(finding.by)
                      : "all of it is given by " + listed(finding.by) + " already";
    return finding;
  }

  // A grant that gives this person this atom for all of `term`.
  std::optional<GrantId> one_that_covers(const GrantId& id, const PersonId& person,
                                         const Term& term, const Atom& atom) const {
    for (const GrantId& other : grants_of_.at(person)) {
      if (other == id || gone_.contains(other)) continue;
      const Grant& grant = policy().grants.at(other);
      if (!atom.opened_by.contains(grant.resource)) continue;
      const auto its = term_of(grant, policy().people.at(person), now_);
      if (its && covers(*its, term)) return other;
    }
    return std::nullopt;
  }

  Version version_;
  AccessBook book_;
  Time now_;
  std::map<RoleId, std::vector<PersonId>> members_;
  std::map<PersonId, std::vector<GrantId>> grants_of_;
  std::set<GrantId> gone_;
};

}  // namespace

std::vector<GrantFinding> review(Version version, Time now) {
  return Review(version, now).run();
}

std::string_view to_string(GrantFinding::Kind kind) {
  switch (kind) {
    case GrantFinding::Kind::duplicate:
      return "duplicate";
    case GrantFinding::Kind::shadowed:
      return "shadowed";
    case GrantFinding::Kind::useless:
      return "useless";
  }
  return "useless";
}

}  // namespace sekisho

#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "policy/compile/atoms.h"
#include "policy/explain/term.h"
#include "policy/model/policy_edit.h"
#include "policy/model/validate.h"

// Who may reach what, and what becomes of it by a change, in the words of people.
namespace sekisho {

// A policy and its destinations, as cut for it. Both outlive what looks at them.
struct Version {
  const ValidPolicy& policy;
  const AtomSpace& space;
};

// Which grants are whose and what they open.
class AccessBook {
 public:
  // `now`: what ended before counts for nothing.
  AccessBook(Version version, Time now);

  struct Right {
    Term term;
    GrantId grant;
  };
  // By atom, whether there is a device to use them or not. Empty for who is suspended or has ended.
  std::map<AtomMark, std::vector<Right>> rights_of(const PersonId& person) const;
  bool has_active_device(const PersonId& person) const;

  // The grants to the person and to their roles.
  std::vector<GrantId> grants_of(const PersonId& person) const;
  // What a grant on the resource opens.
  const std::vector<const Atom*>& opened_by(const ResourceId& resource) const;
  const Policy& policy() const { return version_.policy.policy(); }
  const AtomSpace& space() const { return version_.space; }
  Time now() const { return now_; }

 private:
  Version version_;
  Time now_;
  std::unordered_map<Who, std::vector<GrantId>> by_who_;
  std::unordered_map<ResourceId, std::vector<const Atom*>> atoms_;
  std::unordered_set<PersonId> with_active_device_;
};

// What some people gain or lose of one resource.
struct AccessChange {
  enum class Kind {
    gains,    // before, they might do less or nothing
    loses,    // after, they may do less or nothing
    changes,  // both
  };
  Kind kind = Kind::loses;
  std::vector<PersonId> people;  // sorted
  ResourceId resource;
  std::vector<std::string> services;  // "https", sorted
  Terms before, after;                // empty: nothing
  // Where it is only a part of these services: the destinations, "10.1.0.0/16". Else empty.
  std::vector<std::string> where;
};

// `edit` leads from one to the other. What changes at `now` and at any time after.
std::vector<AccessChange> access_changes(Version before, Version after, const PolicyEdit& edit,
                                         Time now);

std::string_view to_string(AccessChange::Kind kind);

}  // namespace sekisho

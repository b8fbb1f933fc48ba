#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/compile/grant_times.h"
#include "policy/compile/rights.h"
#include "policy/model/policy_edit.h"

namespace sekisho {

// Which grants are whose, and when which of them begins or ends. It follows a policy that it does
// not hold. Inside policy/compile only.
class GrantBook {
 public:
  // All grants of `policy`; `times` are of the moment.
  void start(const Policy& policy, GrantTimes& times);
  // After an edit that `undo` takes back, and after time went on. Whose grants changed.
  std::set<Who> update(const Policy& policy, const PolicyEdit& undo, GrantTimes& times);

  // What the grants to `who` itself open, as the atoms that each resource has.
  using Opened = std::unordered_map<ResourceId, std::vector<AtomMark>>;
  Rights rights_of(const Policy& policy, const Who& who, const Opened& opened,
                   GrantTimes& times) const;

  // The next second at which a grant begins.
  std::optional<Time> next_opening() const;

 private:
  using Agenda = std::set<std::pair<Time, GrantId>>;

  void note(const GrantId& id, const Grant& grant, GrantTimes& times);
  void set_dates(const GrantId& id, const GrantTimes::Stretch& stretch);
  void drop_dates(const GrantId& id);
  static std::vector<GrantId> due(const Agenda& agenda, Time now);

  std::unordered_map<Who, std::vector<GrantId>> by_who_;
  std::map<GrantId, GrantTimes::Stretch> dates_;  // of those that have one
  Agenda openings_, closings_;
};

}  // namespace sekisho

#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/compile/rights.h"
#include "policy/model/policy.h"
#include "policy/model/policy_edit.h"

namespace sekisho {

// A grant at one moment.
struct Window {
  bool open = false;
  End closes;                   // by itself; of an open one
  std::optional<Time> reopens;  // the next second at which it begins to be open
};
Window window_of(const Grant& grant, Time now);

// Which grants are whose, and when which of them begins or ends. It follows a policy that it does
// not hold. Inside policy/compile only.
class GrantBook {
 public:
  // All grants of `policy`.
  void start(const Policy& policy, Time now);
  // After an edit that `undo` takes back, and after time went on to `now`. Whose grants changed.
  std::set<Who> update(const Policy& policy, const PolicyEdit& undo, Time now);

  // What the grants to `who` itself open at `now`, as the atoms that each resource has.
  using Opened = std::unordered_map<ResourceId, std::vector<AtomMark>>;
  Rights rights_of(const Policy& policy, const Who& who, const Opened& opened, Time now) const;

  // The next second at which a grant begins.
  std::optional<Time> next_opening() const;

 private:
  using Agenda = std::set<std::pair<Time, GrantId>>;
  struct Dates {
    End closes;
    std::optional<Time> reopens;
  };

  void note(const GrantId& id, const Grant& grant, Time now);
  void set_dates(const GrantId& id, const Window& window);
  void drop_dates(const GrantId& id);
  static std::vector<GrantId> due(const Agenda& agenda, Time now);

  std::unordered_map<Who, std::vector<GrantId>> by_who_;
  std::map<GrantId, Dates> dates_;  // of those that have one
  Agenda openings_, closings_;
};

}  // namespace sekisho

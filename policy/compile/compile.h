#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policy/compile/atoms.h"
#include "policy/compile/cohorts.h"
#include "policy/compile/diff.h"
#include "policy/compile/grant_book.h"
#include "policy/compile/tables.h"
#include "policy/model/policy_edit.h"
#include "policy/model/validate.h"

namespace sekisho {

struct Compiled {
  AtomSpace space;
  Tables tables;
  // The next second at which the passing of time alone changes `tables` by opening something (a
  // grant begins): compile again then. What closes by time the kernel closes by itself.
  std::optional<Time> next_opening;
};

// Compiles a policy and follows its edits: an edit costs what it touches, not what there is. What
// it comes to is the same, whether by edits or at once, but for the numbers of cohorts.
class Compiler {
 public:
  // The contents of the tables at `now`. Deterministic. Atoms and cohorts keep the numbers of
  // `before` where they can; atoms are also cut along the places `held`. Fails
  // (ErrorCode::invalid) only where the atom numbers are used up.
  static Result<Compiler> start(const ValidPolicy& policy, Time now, Compiled before = {},
                                const std::vector<Destinations>& held = {});

  // After `policy` was edited, and after time went by: `undo` is what takes the edit back, empty
  // where there was none. Says what changed in the tables. Fails as start() does, and changes
  // nothing then.
  Result<TablesDiff> update(const ValidPolicy& policy, const PolicyEdit& undo, Time now,
                            const std::vector<Destinations>& held = {});

  const Compiled& compiled() const { return compiled_; }
  // Numbers below are taken, though no atom may have them.
  void use_up_numbers_below(std::uint32_t next);

 private:
  // Which devices a person has, and what of them stands in the tables.
  struct Belongings {
    std::vector<DeviceId> devices;
    std::vector<IpAddress> addresses;
    End until;
  };

  Compiler() = default;
  Result<bool> cut_space(const ValidPolicy& policy, const std::vector<Destinations>& held,
                         TablesDiff& diff);
  void begin_at(const Policy& policy, GrantTimes& times);
  std::set<PersonId> everyone(const Policy& policy) const;
  void follow_devices(const Policy& policy, const PolicyEdit& undo, std::set<PersonId>& touched);
  void follow_time_and_grants(const Policy& policy, const PolicyEdit& undo, GrantTimes& times,
                              std::set<PersonId>& touched);
  void follow_remediation(const Policy& policy, TablesDiff& diff);
  void rearrange(const Policy& policy, const std::set<PersonId>& people,
                 std::vector<IpAddress> leaving, GrantTimes& times, TablesDiff& diff);

  Compiled compiled_;
  Cohorts cohorts_;
  GrantBook grants_;
  GrantBook::Opened opened_;  // by grants on each resource
  Rights everybody_;          // what no grant is needed for
  std::unordered_map<PersonId, Belongings> belongings_;
  std::set<std::pair<Time, PersonId>> ends_of_people_;
  Time now_ = {};
};

// Compiler::start() for who wants no edits.
Result<Compiled> compile(const ValidPolicy& policy, Time now, const Compiled* before = nullptr);

}  // namespace sekisho

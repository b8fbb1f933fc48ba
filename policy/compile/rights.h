#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "policy/compile/diff.h"
#include "policy/compile/tables.h"

// What a device may do, as a value. Inside policy/compile only.
namespace sekisho {

using End = std::optional<Time>;  // the first second without; none: never

bool ends_before(const End& a, const End& b);
End later(const End& a, const End& b);

// Atoms with their ends, sorted by atom, no repeats. Devices with equal rights share a cohort.
using Rights = std::vector<std::pair<AtomMark, End>>;

// Sorts; where several grants give one atom the latest end wins.
Rights tidy(Rights rights);

struct RightsHash {
  std::size_t operator()(const Rights& rights) const;
};

// What `tables` grant to a cohort.
Rights rights_of(const Tables& tables, Cohort cohort);

void remove_rights(Tables& tables, Cohort cohort);
// Puts `rights` in the place of what `tables` grant to a cohort that no device has, and notes in
// `diff` what that changes.
void replace_rights(Tables& tables, Cohort cohort, const Rights& rights, TablesDiff& diff);
// Notes in `diff` the rows in which a cohort's rights differ.
void compare_rights(Cohort cohort, const Rights& before, const Rights& after, TablesDiff& diff);

// What becomes of a device's rights, each of which ends with the device's own entry at the latest.
struct Shift {
  bool takes = false;  // something that it might do, it may not any more
  bool gives = false;
  Shift& operator|=(const Shift& other);
};
Shift shift(const Rights& before, const End& until_before, const Rights& after,
            const End& until_after);

}  // namespace sekisho

#pragma once

#include <vector>

#include "policy/compile/tables.h"

namespace sekisho {

// Between two tables whose atoms are numbered differently: the contents that hold while live flows
// are re-marked. New flows go by `to`; a flow that still carries a number of `retired` keeps the
// right that its device had in `from`. Nobody may do more than `from` or `to` allows, and nobody
// who may do a thing in both is interrupted. Devices are grouped anew by their pair of cohorts;
// numbers of `to` are kept where they can be. Where cohort numbers do not suffice (more than 65 535
// pairs) the answer is `to` itself, which is stricter: flows not yet re-marked are refused.
Tables transition(const Tables& from, const Tables& to, const std::vector<AtomMark>& retired);

}  // namespace sekisho

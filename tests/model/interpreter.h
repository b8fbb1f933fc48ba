#pragma once

#include "policy/compile/tables.h"
#include "policy/explain/evaluate.h"

namespace sekisho::model {

// Ways to get it wrong, to see that the comparison notices.
enum class Flaw {
  none,
  ignores_cohort_end,
  ignores_grant_end,
  ends_a_second_late,
  ignores_check,
  ignores_protocol,
  ignores_grants,
};

struct Answer {
  Verdict verdict = Verdict::refuse;
  AtomMark atom = {};
};

// What the kernel's rules make of a flow with these contents of maps and sets: cohort by source,
// atom by destination, the grant of the two, then the check that the atom asks for.
Answer interpret(const Tables& tables, const Flow& flow, Time now, Flaw flaw = Flaw::none);

// What they make of a packet of a living flow, which is judged by the ct mark that it has: whether
// both its sides are proven and its device holds the grant of that atom.
Verdict interpret_living(const Tables& tables, const IpAddress& device, std::uint32_t ct_mark,
                         Time now, Flaw flaw = Flaw::none);

}  // namespace sekisho::model

#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "policy/compile/diff.h"
#include "policy/compile/rights.h"

namespace sekisho {

// Who shares a cohort: deals numbers so that little changes in the kernel. Inside policy/compile
// only.
class Cohorts {
 public:
  Cohorts() : addresses_in_(kMost + 1) {}
  // Goes on from what these tables hold.
  explicit Cohorts(const Tables& tables);

  // The addresses of one person's devices, with equal rights and one end.
  struct Holder {
    std::vector<IpAddress> addresses;
    End until;
    Rights rights;
  };

  // Takes `leaving` out of the tables (addresses that are in no table are passed over) and puts the
  // holders in; nobody else's rights change. An address may leave and be a holder's, and only then
  // may it have been in the tables. Where rights are as before, the number is too; where all of a
  // cohort change alike it keeps its number, so that one changed grant is one changed element. Adds
  // to `diff` what changed.
  void rearrange(Tables& tables, const std::vector<IpAddress>& leaving,
                 const std::vector<Holder>& holders, TablesDiff& diff);

 private:
  static constexpr std::uint16_t kMost = kIsolatedCohort.value() - 1;
  class Move;

  void remember(const Rights& rights, Cohort cohort);
  void forget(const Rights& rights, Cohort cohort);
  // The cohort that has these rights; none where there is none.
  Cohort find(const Tables& tables, const Rights& rights) const;

  std::vector<std::uint32_t> addresses_in_;               // by cohort
  std::unordered_multimap<std::size_t, Cohort> by_hash_;  // of the rights
};

}  // namespace sekisho

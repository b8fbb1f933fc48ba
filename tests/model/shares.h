#pragma once

#include <cstdint>
#include <map>

#include "policy/explain/evaluate.h"

namespace sekisho::model {

// What a run met, so that it cannot pass by having met nothing.
struct Shares {
  std::uint64_t policies = 0;
  std::uint64_t mixed_overlaps = 0;
  std::uint64_t flows = 0;
  std::map<Reason, std::uint64_t> reasons = {};

  void count_policy(const ValidPolicy& policy);
  void count_flow(const Decision& decision);
  void print() const;
  // Fails the test unless every reason has at least 1 % of the flows, and at least 30 % of the
  // policies have overlaps of different classification.
  void expect_enough() const;
};

}  // namespace sekisho::model

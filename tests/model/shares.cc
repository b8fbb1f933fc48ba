#include "tests/model/shares.h"

#include <gtest/gtest.h>

#include <iostream>

#include "tests/model/random_policy.h"

namespace sekisho::model {

void Shares::count_policy(const ValidPolicy& policy) {
  ++policies;
  mixed_overlaps += has_mixed_overlap(policy.policy()) ? 1U : 0U;
}

void Shares::count_flow(const Decision& decision) {
  ++flows;
  ++reasons[decision.reason];
}

void Shares::print() const {
  std::cout << policies << " policies, " << mixed_overlaps * 100 / policies
            << " % with overlaps of different classification; " << flows << " flows:\n";
  for (const auto& [reason, count] : reasons) {
    const bool permits = reason == Reason::granted || reason == Reason::gateway_service;
    std::cout << (permits ? "  permit: " : "  refuse: ") << to_string(reason) << ' '
              << static_cast<double>(count * 1000 / flows) / 10 << " %\n";
  }
}

void Shares::expect_enough() const {
  for (int i = 0; i <= static_cast<int>(Reason::gateway_service); ++i) {
    const auto reason = static_cast<Reason>(i);
    const auto found = reasons.find(reason);
    const std::uint64_t count = found == reasons.end() ? 0 : found->second;
    EXPECT_GE(count * 100, flows) << to_string(reason);
  }
  EXPECT_GE(mixed_overlaps * 100, policies * 30);
}

}  // namespace sekisho::model

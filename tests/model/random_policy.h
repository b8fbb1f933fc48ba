#pragma once

#include "policy/model/validate.h"
#include "tests/model/random.h"

// Small policies in which everything meets everything: few addresses, nested prefixes, all
// classifications, grants that have ended, run and are still to begin.
namespace sekisho::model {

// The moment that all times in random policies lie around.
inline constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

// 10.66.0.0/24 and fd66::/64, one of them now and then missing; documentation prefixes count as
// public.
Network random_network(Random& random);

// Valid for `network`.
Policy random_policy(Random& random, const Network& network);

// What the two together and validate() make. Throws std::logic_error where validate() refuses: the
// generator is wrong then.
ValidPolicy checked(Policy policy, const Network& network);
ValidPolicy random_valid_policy(Random& random);

// The parts, for edits.
Resource random_resource(Random& random, const Network& network, Classification classification);
// Takes out of it what may not be remediation.
void make_fit(const Policy& policy, Response& response);
Response random_response(Random& random, const Policy& policy);
Grant random_grant(Random& random, const Policy& policy);
WeeklyHours random_hours(Random& random);
// Gives a grant on a confidential resource the person and the end that it must have.
void make_fit(Random& random, const Policy& policy, Grant& grant);
std::optional<Time> random_moment(Random& random);

// Whether two resources of different classification cover one address.
bool has_mixed_overlap(const Policy& policy);

}  // namespace sekisho::model

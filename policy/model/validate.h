#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "policy/base/result.h"
#include "policy/model/document.h"
#include "policy/model/network.h"
#include "policy/model/policy.h"
#include "policy/model/policy_edit.h"

namespace sekisho {

inline constexpr std::size_t kMaxPeople = 65'000;
inline constexpr std::size_t kMaxDevices = 65'000;
inline constexpr std::size_t kMaxRoles = 10'000;
inline constexpr std::size_t kMaxResources = 10'000;
inline constexpr std::size_t kMaxGrants = 500'000;
inline constexpr std::size_t kMaxPrefixesOfResource = 1'000;
inline constexpr std::size_t kMaxServicesOfResource = 100;

// A policy that was found consistent with itself and with the network; only validate() makes one,
// and only it can be compiled. It keeps the network it was checked against.
class ValidPolicy {
 public:
  const Policy& policy() const { return policy_; }
  const Network& network() const { return network_; }

 private:
  friend Checked<ValidPolicy> validate(Policy policy, Network network);
  friend Checked<PolicyEdit> amend(ValidPolicy& valid, PolicyEdit& edit);
  ValidPolicy(Policy policy, Network network)
      : policy_(std::move(policy)), network_(std::move(network)) {}
  Policy policy_;
  Network network_;
};

// Reports every mistake at once (the first kMaxMistakes of them); Error::object is the path, for
// locate(). Sorts the lists of the policy whose order means nothing. Paths that begin with
// "network." lie in the gateway's configuration.
Checked<ValidPolicy> validate(Policy policy, Network network);

// Carries out an edit in place where the result is valid, and says what takes it back; `edit` then
// holds only what it changed. Nothing is changed where it is not valid. An edit of grants costs as
// much as those grants, not as the whole policy.
Checked<PolicyEdit> amend(ValidPolicy& valid, PolicyEdit& edit);

// read_policy() and validate(), with the places of what either finds.
Checked<ValidPolicy> read_valid_policy(std::string_view text, Syntax syntax, std::string_view file,
                                       Network network);

}  // namespace sekisho

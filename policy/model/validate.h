#pragma once

#include "policy/base/result.h"
#include "policy/model/network.h"
#include "policy/model/policy.h"

namespace sekisho {

// A policy that was found consistent with itself and with the network; only validate() makes one,
// and only it can be compiled. It keeps the network it was checked against.
class ValidPolicy {
 public:
  const Policy& policy() const { return policy_; }
  const Network& network() const { return network_; }

 private:
  friend Checked<ValidPolicy> validate(Policy policy, Network network);
  ValidPolicy(Policy policy, Network network)
      : policy_(std::move(policy)), network_(std::move(network)) {}
  Policy policy_;
  Network network_;
};

// Reports every mistake at once; Error::object is the path, for locate().
Checked<ValidPolicy> validate(Policy policy, Network network);

}  // namespace sekisho

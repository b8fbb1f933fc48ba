#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "policy/base/result.h"
#include "policy/base/time_zone.h"
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
inline constexpr std::int64_t kMostDevicesOfPerson = 1'000;

// A policy that was found consistent with itself and with the network; only validate() makes one,
// and only it can be compiled. It keeps the network it was checked against, and the rules of the
// time zones that its grants name.
class ValidPolicy {
 public:
  const Policy& policy() const { return policy_; }
  const Network& network() const { return network_; }
  const TimeZones& zones() const { return zones_; }

 private:
  friend Checked<ValidPolicy> validate(Policy policy, Network network, const TimeZones& zones);
  friend Checked<PolicyEdit> amend(ValidPolicy& valid, PolicyEdit& edit, const TimeZones& zones);
  ValidPolicy(Policy policy, Network network, TimeZones zones)
      : policy_(std::move(policy)), network_(std::move(network)), zones_(std::move(zones)) {}
  Policy policy_;
  Network network_;
  TimeZones zones_;
};

// Reports every mistake at once (the first kMaxMistakes of them); Error::object is the path, for
// locate(). Sorts the lists of the policy whose order means nothing. Paths that begin with
// "network." lie in the gateway's configuration. `zones` are those that grants may name.
Checked<ValidPolicy> validate(Policy policy, Network network, const TimeZones& zones = {});

// Carries out an edit in place where the result is valid, and says what takes it back; `edit` then
// holds only what it changed. Nothing is changed where it is not valid. An edit of grants costs as
// much as those grants, not as the whole policy.
Checked<PolicyEdit> amend(ValidPolicy& valid, PolicyEdit& edit, const TimeZones& zones = {});

// read_policy() and validate(), with the places of what either finds.
Checked<ValidPolicy> read_valid_policy(std::string_view text, Syntax syntax, std::string_view file,
                                       Network network, const TimeZones& zones = {});

}  // namespace sekisho

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/base/strong_id.h"
#include "policy/base/time.h"
#include "policy/model/policy.h"

namespace sekisho {

using FlagNumber = StrongNumber<struct FlagTag, std::uint64_t>;  // 1, 2, 3, ...

enum class FlagState {
  recorded,   // the policy asks for nothing more
  acted,      // it brought a quarantine about, or found one that is no weaker
  asking,     // the officer has to decide
  dismissed,  // the officer looked at it, and it was nothing
};

inline constexpr std::array kFlagStates{FlagState::recorded, FlagState::acted, FlagState::asking,
                                        FlagState::dismissed};

// What antivirus, EDR or SIEM said of a device.
struct Flag {
  FlagNumber number;
  Time time = {};
  std::string source;  // "clamav"
  std::string key;     // of the source's own, so that it may say a thing twice; empty: none
  Severity severity = Severity::critical;
  std::string detail;
  DeviceId device;
  PersonId person;
  std::optional<PublicKey> public_key = {};  // the device's when it was flagged
  FlagState state = FlagState::asking;
  std::string outcome;  // why it is in this state, in a sentence
  std::string by;       // who said it: a Unix user name, or "device:tanaka-laptop"
  bool operator==(const Flag&) const = default;
};

std::string_view to_string(FlagState state);

}  // namespace sekisho

#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/base/result.h"
#include "policy/base/time.h"
#include "policy/model/hold.h"

namespace sekisho {

struct Everyone {
  auto operator<=>(const Everyone&) const = default;
};

// Who or what is quarantined. It may name what the policy no longer has.
using QuarantineTarget = std::variant<Everyone, PersonId, DeviceId, ResourceId>;

// "everyone", "person:tanaka", "device:tanaka-laptop", "resource:wiki"
std::string to_string(const QuarantineTarget& target);
Result<QuarantineTarget> parse_target(std::string_view text);

// Of a release that a second person has yet to agree to.
struct ReleaseAsked {
  std::string by;  // Unix user name
  std::uint32_t uid = 0;
  Time at = {};
  std::string reason;
  std::string finding;
  bool operator==(const ReleaseAsked&) const = default;
};

// One quarantine, from being ordered to being released; at most one of a target at a time.
struct Quarantine {
  QuarantineTarget target;
  Hold level = Hold::cut;
  std::string reason;
  std::string by;  // Unix user name, or who flagged it
  Time since = {};
  bool automatic = false;   // nobody ordered it: a flag did
  bool two_people = false;  // the policy asked for two to release it at some time since
  // What it caught: a device keeps its hold under another person, its key under another name, a
  // person under another id, and an address whatever resource it belongs to.
  std::vector<DeviceId> devices;          // sorted
  std::vector<PublicKey> keys;            // sorted
  std::vector<PersonId> people = {};      // sorted; all devices of theirs
  std::vector<Destinations> places = {};  // sorted
  std::optional<ReleaseAsked> release = {};
  bool operator==(const Quarantine&) const = default;
};

// What they come to.
Quarantined quarantined_by(const std::vector<Quarantine>& quarantines);

// Notes in it what it catches by this policy, besides what it caught before: also the present key
// of a device that it caught, the present name of a key, and where the person that it is about is
// gone, who has their devices. Of places see catch_places() in policy/compile.
void catch_devices(Quarantine& quarantine, const Policy& policy);

}  // namespace sekisho

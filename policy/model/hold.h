#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "policy/model/destinations.h"
#include "policy/model/policy.h"

// What quarantine takes away, whatever the policy grants. It stands beside the policy and not in
// it, so no edit of the policy releases anybody.
namespace sekisho {

// Ordered: the stricter is the greater.
enum class Hold {
  none,
  isolate,  // the gateway's DNS, its notice page and the policy's remediation resources alone
  cut,      // nothing, and no tunnel
};

// Who and what is held. The zero value holds nobody.
struct Quarantined {
  Hold everyone = Hold::none;
  std::map<PersonId, Hold> people;  // all devices of theirs
  std::map<DeviceId, Hold> devices;
  std::map<PublicKey, Hold> keys;    // whatever device has the key by now
  std::vector<Destinations> places;  // which nobody reaches, whatever the policy calls them

  bool empty() const;
  // The strictest that applies to this device.
  Hold on(const DeviceId& id, const Device& device) const;
  bool closes(const IpAddress& address, Protocol protocol, Port port) const;
  bool operator==(const Quarantined&) const = default;
};

std::string_view to_string(Hold hold);

}  // namespace sekisho

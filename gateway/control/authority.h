#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace sekisho::control {

// Who may do what to the gateway; ordered: see may(). Not to be confused with a policy's roles,
// which say what staff may reach. `portal` is the gateway's own page inside the tunnel, which
// brings what devices say.
enum class Authority { nobody, portal, auditor, administrator, officer };

// Who asks, as the daemon found out for itself; it stands in every record of what was done.
struct Actor {
  std::string name;  // Unix user name, or "uid 1234" where the box knows none
  std::uint32_t uid = ~0U;
  Authority authority = Authority::nobody;
  std::string via = "socket";
};

std::string_view to_string(Authority authority);

}  // namespace sekisho::control

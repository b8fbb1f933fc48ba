#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/explain/access.h"

namespace sekisho {

// A grant that could go and nobody would notice.
struct GrantFinding {
  enum class Kind {
    duplicate,  // another grant says the same
    shadowed,   // other grants give all of it, to all of its people, at all of its times
    useless,    // it opens nothing, to nobody, now or later
  };
  GrantId grant;
  Kind kind = Kind::useless;
  std::vector<GrantId> by = {};  // the other grants
  std::string why;               // a sentence
};

// Sorted by grant. Without all of the grants that it names, everybody could do what they can with
// them. What time has yet to bring (a grant that begins next month) counts as something.
std::vector<GrantFinding> review(Version version, Time now);

std::string_view to_string(GrantFinding::Kind kind);

}  // namespace sekisho

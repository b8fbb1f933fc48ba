#pragma once

#include <cstdint>

#include "policy/base/strong_id.h"

namespace sekisho {

// Revisions of the policy are counted 1, 2, 3, ... by the gateway that stores them; 0 is "none".
using RevisionNumber = StrongNumber<struct RevisionTag, std::uint64_t>;

}  // namespace sekisho

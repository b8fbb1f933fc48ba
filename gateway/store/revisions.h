#pragma once

#include <optional>

#include "gateway/store/database.h"
#include "gateway/store/records.h"

namespace sekisho::store {

// The one revision in this state (pending or active); none where there is none.
Result<std::optional<RevisionNumber>> revision_in(Database& database, RevisionState state);
// Within the caller's transaction: gives a pending revision up and records `entry`.
Result<void> give_up(Database& database, RevisionNumber number, const Operation& entry);

}  // namespace sekisho::store

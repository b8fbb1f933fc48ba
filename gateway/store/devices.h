#pragma once

#include "gateway/store/database.h"
#include "gateway/store/records.h"

namespace sekisho::store {

// Within the caller's transaction: the removals, then the additions, by `entry`'s actor at its
// time.
Result<void> change_ledger(Database& database, const DeviceChange& change, const Operation& entry);

}  // namespace sekisho::store

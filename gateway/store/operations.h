#pragma once

#include "gateway/store/database.h"
#include "gateway/store/records.h"

namespace sekisho::store {

// Within the caller's transaction: appends to the record, and raises the newest time.
Result<Sequence> append(Database& database, const Operation& entry);

}  // namespace sekisho::store

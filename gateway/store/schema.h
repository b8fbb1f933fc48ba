#pragma once

#include "gateway/store/database.h"

namespace sekisho::store {

// Brings the database to this program's schema, in one transaction. Refuses, and changes nothing,
// where it is not a Sekisho state or of a newer schema.
Result<void> migrate(Database& database);
// As migrate(), for a file that holds nothing yet.
Result<void> make_schema(Database& database);

}  // namespace sekisho::store

#pragma once

#include "policy/compile/diff.h"

namespace sekisho::model {

// What the kernel makes of a diff; a removal of what is not there, or an addition of what is, fails
// the test.
Tables applied(Tables tables, const TablesDiff& diff);

}  // namespace sekisho::model

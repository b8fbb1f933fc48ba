#pragma once

#include <vector>

#include "policy/compile/tables.h"

namespace sekisho {

// Parts of the destination space, as boxes that do not overlap.
using Boxes = std::vector<Destinations>;

bool meet(const Destinations& a, const Destinations& b);
// What both have; they must meet().
Destinations common(const Destinations& a, const Destinations& b);
Boxes common(const Boxes& a, const Boxes& b);
// What of `boxes` is in none of `holes`.
Boxes without(Boxes boxes, const Boxes& holes);

}  // namespace sekisho

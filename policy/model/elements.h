#pragma once

#include <string_view>

#include "policy/model/node.h"

namespace sekisho {

// The element of a list that stands for what is canonically written `name`, in whatever spelling;
// nullptr where there is none. Of a service with a reason the name is the service. Inside
// policy/model only.
const Node* find_element(const Node& array, std::string_view name);

}  // namespace sekisho

#pragma once

#include "gateway/control/message.h"
#include "policy/model/node.h"

namespace sekisho::engine {

// The request's parameters that are fields of the object, laid over its `fields`; a word that takes
// a field away ("never", "none") does so. A `reason` is a field of grants alone.
Node with_parameters(Node fields, const control::Request& request, bool reason_is_field);

}  // namespace sekisho::engine

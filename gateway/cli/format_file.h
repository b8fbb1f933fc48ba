#pragma once

#include "gateway/cli/request.h"
#include "gateway/control/message.h"

namespace sekisho::cli {

// `policy fmt`, which asks no gateway: the formatted document as "document"; with `check` an
// "answer" and its "explanation"; with `write` the file is changed and an "explanation" says so.
control::Reply format_file(const Typed& typed);

}  // namespace sekisho::cli

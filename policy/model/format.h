#pragma once

#include <string>
#include <string_view>

#include "policy/base/result.h"
#include "policy/model/document.h"

namespace sekisho {

// The document as this product writes it: canonical text of the same policy, in the same syntax,
// with every comment of a TOML document by what it stood by. A fixed point: what was formatted
// stays as it is. Refuses what read_policy() refuses.
Checked<std::string> format_policy(std::string_view text, Syntax syntax, std::string_view file);

}  // namespace sekisho

#pragma once

#include <string>
#include <vector>

#include "gateway/journal/journal.h"

namespace sekisho::daemon {

using journal::log;
using journal::Severity;

// "a; b; c"
std::string joined(const std::vector<std::string>& lines);

}  // namespace sekisho::daemon

#pragma once

#include <string_view>

namespace sekisho::journal {

// One line on standard error with the priority prefix of sd-daemon(3), so that the journal knows
// how much it matters. Never called with a secret.
enum class Severity { error = 3, warning = 4, notice = 5, info = 6 };
void log(Severity severity, std::string_view text);

}  // namespace sekisho::journal

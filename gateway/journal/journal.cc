#include "gateway/journal/journal.h"

#include <unistd.h>

#include <string>

namespace sekisho::journal {

void log(Severity severity, std::string_view text) {
  std::string line = "<" + std::to_string(static_cast<int>(severity)) + ">";
  for (const char c : text) line += c == '\n' ? ' ' : c;
  line += '\n';
  // One write, so that lines of two processes do not mix; where the log is gone there is nobody to
  // tell.
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace sekisho::journal

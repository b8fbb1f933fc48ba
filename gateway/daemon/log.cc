#include "gateway/daemon/log.h"

namespace sekisho::daemon {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
  return text;
}

}  // namespace sekisho::daemon

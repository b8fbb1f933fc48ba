#include <algorithm>
#include <optional>
#include <string>

#include "gateway/man/pages.h"

namespace sekisho::man {

namespace {

// "key = value", or "#key = value" of a setting that has its default; a comment has a space behind
// its "#".
std::optional<std::string_view> setting(std::string_view line) {
  if (line.starts_with('#')) line.remove_prefix(1);
  if (line.empty() || line.front() == ' ' || line.find(" = ") == std::string_view::npos)
    return std::nullopt;
  return line;
}

}  // namespace

void add_settings(Page& page, std::string_view sample) {
  std::string comment;
  bool in_section = false;
  while (!sample.empty()) {
    const std::string_view line = sample.substr(0, sample.find('\n'));
    sample.remove_prefix(std::min(line.size() + 1, sample.size()));
    if (line.starts_with('[')) {
      page.subsection(line);
      in_section = true;
    } else if (const auto found = setting(line); found && in_section) {
      const bool is_default = line.starts_with('#');
      page.item(*found, comment + (is_default ? " This is the default." : " This is an example."));
      comment.clear();
    } else if (line.starts_with("# ") && in_section) {
      comment += (comment.empty() ? "" : " ") + std::string(line.substr(2));
    }
  }
}

}  // namespace sekisho::man

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

void settings(Page& page, std::string_view sample) {
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

}  // namespace

Page sekisho_toml_5(std::string_view sample) {
  Page page("sekisho.toml", 5, "the configuration of a Sekisho gateway");
  page.section("SYNOPSIS");
  page.paragraph("/etc/sekisho/sekisho.toml");
  page.section("DESCRIPTION");
  page.paragraph(
      "What this gateway is: its tunnel, its network, its folders, in TOML 1.0. What staff may do "
      "is "
      "in the policy, never here: `sekisho-policy`(5).");
  page.paragraph(
      "`sekishod --check` says every mistake with its line. After a change, `systemctl reload "
      "sekishod` takes it over, or refuses it as a whole. Settings marked (R) cannot change while "
      "it runs: `systemctl restart sekishod`; live connections go on meanwhile.");
  page.section("SETTINGS");
  settings(page, sample);
  page.section("EXAMPLES");
  page.paragraph("The least there can be:");
  page.example(
      "[tunnel]\n"
      "endpoint = \"192.0.2.1:51820\"\n"
      "pools = [\"10.66.0.0/16\", \"fd66::/64\"]");
  page.section("SEE ALSO");
  page.paragraph("`sekishod`(8), `sekisho`(1), `sekisho-policy`(5)");
  return page;
}

}  // namespace sekisho::man

#include <string>

#include "gateway/man/pages.h"

namespace sekisho::man {

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
  add_settings(page, sample);
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

#include <string>

#include "gateway/man/pages.h"

namespace sekisho::man {

Page sekisho_notify_toml_5(std::string_view sample) {
  Page page("sekisho-notify.toml", 5, "where a Sekisho gateway's notices go");
  page.section("SYNOPSIS");
  page.paragraph("/etc/sekisho/notify.toml");
  page.section("DESCRIPTION");
  page.paragraph(
      "The mail addresses and webhooks that `sekisho-notify`(8) sends to, in TOML 1.0: at least "
      "one, "
      "at most 16. `sekisho-notify --check` says every mistake with its line. After a change: "
      "`systemctl restart sekisho-notify`; nothing that waits is lost.");
  page.section("SETTINGS");
  add_settings(page, sample);
  page.section("EXAMPLES");
  page.paragraph("The least there can be:");
  page.example("[webhook.chat]\nurl = \"https://chat.example.com/hooks/0123456789\"");
  page.section("SEE ALSO");
  page.paragraph("`sekisho-notify`(8), `sekisho.toml`(5)");
  return page;
}

}  // namespace sekisho::man

#include <string>

#include "gateway/man/pages.h"
#include "gateway/notify/usage.h"

namespace sekisho::man {

Page sekisho_notify_8() {
  Page page("sekisho-notify", 8, "sends a gateway's notices by mail and webhook");
  page.section("SYNOPSIS");
  page.paragraph("`sekisho-notify` [`--config` FILE] [`--check`]");
  page.section("DESCRIPTION");
  page.paragraph(
      "`sekishod`(8) opens no connection. What people should know at once, such as that somebody "
      "changed the gateway's rules in the kernel, it puts into the outbox, a folder; "
      "`sekisho-notify` takes it from there and sends it to every mail address and webhook of "
      "`sekisho-notify.toml`(5). It has a user of its own, no capability, and runs no other "
      "program.");
  page.paragraph(
      "Every connection is TLS 1.2 or newer, and the server's certificate is always checked. A "
      "server that does not answer, does not take the password or has a wrong certificate is tried "
      "again, with pauses that grow from 5 seconds to 15 minutes, until the notice is too old. "
      "What "
      "a server refuses for good, and what got too old, is recorded, shown by `sekisho status` and "
      "`sekisho doctor`, and kept in failed/ of the outbox.");
  page.paragraph(
      "The first notice of a burst goes at once. When more come than `most_per_minute`, the rest "
      "go "
      "as one list. A notice is sent once; where a crash makes it twice, both have the same "
      "Message-ID, or the same Idempotency-Key.");
  page.section("OPTIONS");
  page.item("--config FILE", std::string(notify::kConfigHelp) +
                                 "; default: /etc/sekisho/notify.toml. See "
                                 "`sekisho-notify.toml`(5).");
  page.item("--check", std::string(notify::kCheckHelp) + ": every mistake, with its line.");
  page.section("EXIT STATUS");
  for (const auto& [code, meaning] : notify::kExitCodes) page.item(code, meaning);
  page.section("FILES");
  page.item("/etc/sekisho/notify.toml", "The configuration.");
  page.item("/var/spool/sekisho",
            "The outbox. Without it nobody is told of anything. The user of sekishod owns it, the "
            "group sekisho-notify may write to it, and its mode is 2770.");
  page.section("EXAMPLES");
  page.paragraph("Setting it up, once the configuration is written:");
  page.example(
      "install -d -m 2770 -o sekisho -g sekisho-notify /var/spool/sekisho\n"
      "sekisho-notify --check\n"
      "systemctl enable --now sekisho-notify\n"
      "sekisho notify test\n"
      "sekisho status");
  page.paragraph("What failed is sent again, where it failed alone:");
  page.example("mv /var/spool/sekisho/failed/*.json /var/spool/sekisho/");
  page.section("SEE ALSO");
  page.paragraph("`sekisho-notify.toml`(5), `sekisho`(1), `sekishod`(8)");
  return page;
}

}  // namespace sekisho::man

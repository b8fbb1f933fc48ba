#include <string>

#include "gateway/daemon/usage.h"
#include "gateway/man/pages.h"

namespace sekisho::man {

Page sekishod_8() {
  Page page("sekishod", 8, "the gateway's daemon, which holds the policy in the kernel");
  page.section("SYNOPSIS");
  page.paragraph("`sekishod` [`--config` FILE] [`--check`]");
  page.section("DESCRIPTION");
  page.paragraph(
      "`sekishod` compiles the policy into an nftables table, gives the WireGuard interface its "
      "peers and routes, and keeps all of it as it should be: what others change in its table, "
      "peers, routes or settings is put right, and recorded. It takes commands from `sekisho`(1) "
      "on "
      "its control socket.");
  page.paragraph(
      "The kernel enforces; the daemon only changes what it enforces. Where the daemon ends, "
      "however it ends, the last policy stays in force, and what was granted until a time still "
      "ends at that time. The next start compares, and changes only what differs. There is no way "
      "to open the gateway by stopping it.");
  page.paragraph(
      "It needs the capability CAP_NET_ADMIN and no other, runs no other program, and opens no "
      "connection. systemd starts it as the user `sekisho`. The WireGuard interface must exist by "
      "then.");
  page.section("OPTIONS");
  page.item("--config FILE", std::string(daemon::kConfigHelp) +
                                 "; default: /etc/sekisho/sekisho.toml. See `sekisho.toml`(5).");
  page.item("--check", std::string(daemon::kCheckHelp) +
                           ": every mistake, with its line. Nothing is touched.");
  page.section("SIGNALS");
  for (const auto& [signal, meaning] : daemon::kSignals) page.item(signal, meaning);
  page.paragraph(
      "A configuration with a mistake is refused as a whole, and the one before stays. The policy "
      "stays in force either way.");
  page.section("EXIT STATUS");
  for (const auto& [code, meaning] : daemon::kExitCodes) page.item(code, meaning);
  page.section("FILES");
  page.item("/etc/sekisho/sekisho.toml", "The configuration.");
  page.item("/var/lib/sekisho",
            "The policy with all its revisions, the gateway's private key and "
            "the record of operations. Back it up; let nobody else read it.");
  page.item("/run/sekisho/control.sock",
            "The control socket. It answers root and the members of the group `sekisho-admin`.");
  page.section("EXAMPLES");
  page.paragraph("A first start, where the kernel has WireGuard:");
  page.example(
      "ip link add wg0 type wireguard\n"
      "sekishod --check\n"
      "systemctl start sekishod\n"
      "sekisho doctor");
  page.section("SEE ALSO");
  page.paragraph("`sekisho`(1), `sekisho.toml`(5), `sekisho-policy`(5), `systemctl`(1), `wg`(8)");
  return page;
}

}  // namespace sekisho::man

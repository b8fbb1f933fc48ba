#include <string>

#include "gateway/man/pages.h"
#include "gateway/portal/usage.h"

namespace sekisho::man {

Page sekisho_portal_8() {
  Page page("sekisho-portal", 8, "the gateway's page inside the tunnel");
  page.section("SYNOPSIS");
  page.paragraph("`sekisho-portal` [`--socket` PATH] [`--listen` ADDRESS:PORT]...");
  page.section("DESCRIPTION");
  page.paragraph(
      "Answers devices at the gateway's tunnel addresses, port 80, by HTTP inside WireGuard. A "
      "device that was isolated by `sekisho quarantine add` still reaches it, and learns there "
      "that "
      "it was, since when, and whom to call. Whoever asks is known by the address that WireGuard "
      "vouches for.");
  page.paragraph(
      "A device's own antivirus may flag the device here: POST /v1/flag with `Authorization: "
      "Bearer` and the token that `sekisho device token` made, and JSON with `source` and, if it "
      "likes, `severity`, `detail` and `key`. The token holds for that device at its own address "
      "alone. What a flag does is the policy's: [response] in `sekisho-policy`(5). Ready hooks are "
      "in scripts/hooks.");
  page.paragraph(
      "It has a user of its own, no capability, reads and writes no file, and asks `sekishod`(8) "
      "over a socket on which nothing else can be asked. Errors are RFC 9457 problem details.");
  page.section("OPTIONS");
  page.item("--socket PATH", std::string(portal::kSocketHelp) +
                                 "; default: " + std::string(portal::kDefaultSocket) + ".");
  page.item("--listen ADDRESS:PORT", std::string(portal::kListenHelp) + ".");
  page.section("EXIT STATUS");
  for (const auto& [code, meaning] : portal::kExitCodes) page.item(code, meaning);
  page.section("SEE ALSO");
  page.paragraph("`sekisho`(1), `sekishod`(8), `sekisho-policy`(5)");
  return page;
}

}  // namespace sekisho::man

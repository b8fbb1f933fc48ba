#include <string>

#include "gateway/cli/help.h"
#include "gateway/cli/output.h"
#include "gateway/man/pages.h"

namespace sekisho::man {

namespace {

void describe(Page& page, const cli::CommandRow& row) {
  page.item(cli::usage_of(row), std::string(row.summary) + ".");
  if (row.parameters.empty()) return;
  page.indent();
  for (const control::Parameter& parameter : row.parameters)
    page.item(cli::option_of(parameter), parameter.help);
  page.outdent();
}

void commands(Page& page) {
  page.section("COMMANDS");
  page.paragraph(
      "`OPTIONS` are those that the command lists and those of every command. What a command needs "
      "stands in its first line.");
  page.subsection("Of the gateway");
  for (const cli::CommandRow& row : cli::command_rows()) {
    if (row.group.empty()) describe(page, row);
  }
  std::string_view last;
  for (const cli::CommandRow& row : cli::command_rows()) {
    if (row.group.empty()) continue;
    if (row.group != last) page.subsection(cli::group_summary(row.group));
    last = row.group;
    describe(page, row);
  }
}

void files(Page& page) {
  page.section("ENVIRONMENT");
  page.item(cli::kSocketVariable,
            "The gateway's control socket, where `--socket` does not name one.");
  page.section("FILES");
  page.item(cli::kDefaultSocket,
            "The control socket. It answers root and the members of the group `sekisho-admin`.");
}

void examples(Page& page) {
  page.section("EXAMPLES");
  page.paragraph("Let the sales people read the wiki, on working days, until the end of March:");
  page.example(
      "sekisho role add sales\n"
      "sekisho person add mori --name \"Mori Aiko\" --role sales\n"
      "sekisho resource add wiki --classification internal \\\n"
      "        --prefix 198.51.100.0/24 --service https\n"
      "sekisho grant add sales-wiki --who role:sales --resource wiki \\\n"
      "        --reason \"daily work\" --until 2027-04-01 \\\n"
      "        --hours \"mon-fri 09:00-18:00\" --zone Asia/Tokyo");
  page.paragraph("Give her a device, and see what it can reach:");
  page.example(
      "sekisho device add mori-laptop --person mori --public-key KEY\n"
      "sekisho policy can mori 198.51.100.7:443");
  page.paragraph("The laptop was lost: off the network, now.");
  page.example(
      "sekisho quarantine add mori-laptop --level cut --reason \"lost on a train\"\n"
      "sekisho quarantine release mori-laptop --reason \"found again\" --finding \"locked\"");
  page.paragraph(
      "Keep the policy in a file, and make that file the policy, unless it locks you out:");
  page.example(
      "sekisho policy export > office.toml\n"
      "sekisho policy fmt --write office.toml\n"
      "sekisho policy diff office.toml\n"
      "sekisho policy apply office.toml --confirm 60s --reason \"the new wiki\"\n"
      "sekisho policy confirm");
  page.paragraph("Complete all this with the tabulator key, in bash:");
  page.example("source <(sekisho completion bash)");
}

}  // namespace

Page sekisho_1() {
  Page page("sekisho", 1, "who may reach what through the gateway, and what happened");
  page.section("SYNOPSIS");
  page.paragraph("`sekisho` [OPTIONS] COMMAND ...");
  page.section("DESCRIPTION");
  page.paragraph(
      "`sekisho` speaks to the daemon `sekishod`(8) of a gateway that lets remote staff in over "
      "WireGuard and decides, person by person, what each may reach. People have roles and "
      "devices; "
      "resources are what can be reached; a grant lets a person or a role reach a resource, for a "
      "reason, and until a time. What is not granted is refused.");
  page.paragraph(
      "Every change of the policy takes effect at once, on live connections too, and makes a new "
      "revision of it; `policy rollback` returns to an earlier one. The policy as a whole is a "
      "document: `sekisho-policy`(5). Quarantine stands beside it: no change of the policy ends "
      "one, "
      "only a release with a finding. Every attempt to change something is recorded: `audit "
      "list`.");
  page.section("OPTIONS");
  page.paragraph("Of every command:");
  for (const control::Parameter& parameter : cli::common_options())
    page.item(cli::option_of(parameter), parameter.help);
  commands(page);
  page.section("EXIT STATUS");
  for (const cli::ExitCode& exit : cli::exit_codes())
    page.item(std::to_string(exit.code), exit.meaning);
  page.section("OUTPUT");
  page.paragraph(
      "What a person reads goes to standard output, errors go to standard error: what is wrong, of "
      "which object, at which place of which file, and what to do. With `--json` both are one JSON "
      "object on standard output, with a `schema` such as `sekisho.person.list/1` and either "
      "`result` or `errors`; members are added over time, and none changes its meaning.");
  files(page);
  examples(page);
  page.section("SEE ALSO");
  page.paragraph(
      "`sekisho-policy`(5), `sekisho.toml`(5), `sekishod`(8), `sekisho-portal`(8), "
      "`sekisho-notify`(8), `wg`(8), `nft`(8)");
  return page;
}

}  // namespace sekisho::man

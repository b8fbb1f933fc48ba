#include "gateway/cli/command_rows.h"

#include <algorithm>
#include <array>
#include <vector>

#include "gateway/cli/completion.h"
#include "gateway/cli/format_file.h"
#include "gateway/control/values.h"

namespace sekisho::cli {

namespace {

using control::Operation;
using control::Parameter;
using control::Value;
using enum control::ParameterKind;

constexpr std::array kFormat{
    Parameter{"document", "FILE", document, true, "a policy document; - for standard input"},
    Parameter{"syntax", "--syntax", text, false,
              "toml or json; default: by the file's name, else toml", control::kSyntaxes},
    Parameter{"check", "--check", flag, false,
              "only say whether it is formatted (exit code 7: no)"},
    Parameter{"write", "--write", flag, false, "change the file itself, at once or not at all"}};

constexpr std::array kShells{Value{"bash", ""}, Value{"zsh", ""}, Value{"fish", ""}};
constexpr std::array kCompletion{
    Parameter{"shell", "SHELL", text, true, "bash, zsh or fish", kShells}};

constexpr std::array kLocal{
    CommandRow{"policy", "fmt",
               "Print a policy document as the gateway would write it, with its comments", kFormat,
               nullptr, format_file},
    CommandRow{"", "completion", "Print a script by which a shell completes these commands",
               kCompletion, nullptr, completion_script}};

// The socket is a path as a document is.
constexpr std::array kCommon{
    Parameter{kSocketOption, "--socket", document, false,
              "the gateway's control socket; default: SEKISHO_SOCKET of the environment, else "
              "/run/sekisho/control.sock"},
    Parameter{"json", "--json", flag, false, "print one JSON object"},
    Parameter{"quiet", "-q,--quiet", flag, false, "print nothing where all went well"},
    Parameter{"help", "-h,--help", flag, false, "say how the command is used"},
    Parameter{"version", "--version", flag, false, "say which version this is"}};

std::vector<CommandRow> all_rows() {
  std::vector<CommandRow> rows;
  for (const Operation& row : control::operations())
    rows.push_back({row.group, row.verb, row.summary, row.parameters, &row});
  for (const CommandRow& row : kLocal) {
    const auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const CommandRow& other) {
      return !row.group.empty() && other.group == row.group;
    });
    rows.insert(last == rows.rend() ? rows.end() : last.base(), row);
  }
  return rows;
}

}  // namespace

std::string CommandRow::name() const {
  return group.empty() ? std::string(verb) : std::string(group) + "." + std::string(verb);
}

std::span<const CommandRow> command_rows() {
  static const std::vector<CommandRow> kRows = all_rows();
  return kRows;
}

std::span<const Parameter> common_options() {
  return kCommon;
}

std::string_view group_summary(std::string_view group) {
  if (group == "person") return "People: who may connect";
  if (group == "device") return "Devices: what they connect with";
  if (group == "role") return "Roles: groups of people";
  if (group == "resource") return "Resources: what can be reached";
  if (group == "grant") return "Grants: who may reach what, why, until when";
  if (group == "quota") return "Quotas: how many devices a person may have";
  if (group == "response") return "Response: what happens when a device is flagged";
  if (group == "quarantine") return "Quarantine: off the network, and back";
  if (group == "flag") return "Flags: what antivirus and the like say of devices";
  if (group == "notice") return "The page that says what became of a device";
  if (group == "policy") return "The policy as a whole: check, apply, go back, ask";
  if (group == "audit") return "What was done, by whom, when";
  if (group == "notify") return "Who is told outside, by mail and webhook";
  return {};
}

}  // namespace sekisho::cli

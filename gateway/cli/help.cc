#include "gateway/cli/help.h"

#include <algorithm>

#include "gateway/cli/output.h"

namespace sekisho::cli {

namespace {

using control::Parameter;
using control::ParameterKind;

constexpr std::string_view kProgram = "sekisho";
constexpr std::size_t kLineWidth = 80;
constexpr std::size_t kColumn = 28;  // where explanations begin

// Appends the words, each line after the first indented; `at` is where the first one begins.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent, std::size_t at) {
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!first && at + 1 + word.size() > kLineWidth) {
      out += "\n" + std::string(indent, ' ');
      at = indent;
    } else if (!first) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  out += '\n';
}

void append_item(std::string& out, const std::string& left, std::string_view right) {
  out += "  " + left;
  const std::size_t used = 2 + left.size();
  if (used + 2 > kColumn) {
    out += "\n" + std::string(kColumn, ' ');
  } else {
    out += std::string(kColumn - used, ' ');
  }
  append_wrapped(out, right, kColumn, kColumn);
}

std::string common() {
  std::string out = "\nOf every command:\n";
  for (const Parameter& parameter : common_options())
    append_item(out, option_of(parameter), parameter.help);
  std::string codes = "Exit codes:";
  for (const ExitCode& exit : exit_codes())
    codes +=
        (exit.code == 0 ? " " : ", ") + std::to_string(exit.code) + " " + std::string(exit.name);
  out += '\n';
  append_wrapped(out, codes + ".", 0, 0);
  return out;
}

std::string help_of_all() {
  std::string out = std::string(kProgramSummary) + "\n\nUsage: sekisho [OPTIONS] SUBCOMMAND\n" +
                    "\nSubcommands:\n";
  std::string_view last;
  for (const CommandRow& row : command_rows()) {
    if (row.group.empty()) {
      append_item(out, std::string(row.verb), row.summary);
    } else if (row.group != last) {
      append_item(out, std::string(row.group), group_summary(row.group));
    }
    last = row.group;
  }
  return out + common();
}

std::string help_of_group(std::string_view group) {
  std::string out = std::string(group_summary(group)) + "\n\nUsage: sekisho " + std::string(group) +
                    " [OPTIONS] SUBCOMMAND\n\nSubcommands:\n";
  for (const CommandRow& row : command_rows()) {
    if (row.group == group) append_item(out, std::string(row.verb), row.summary);
  }
  return out + common();
}

std::string help_of_row(const CommandRow& row) {
  std::string out;
  append_wrapped(out, row.summary, 0, 0);
  out += '\n';
  append_wrapped(out, "Usage: " + usage_of(row), 7, 0);
  for (const bool positional : {true, false}) {
    if (std::ranges::count(row.parameters, positional, &Parameter::is_positional) == 0) continue;
    out += positional ? "\nArguments:\n" : "\nOptions:\n";
    for (const Parameter& parameter : row.parameters) {
      if (parameter.is_positional() == positional)
        append_item(out, option_of(parameter), parameter.help);
    }
  }
  return out + common();
}

}  // namespace

std::string value_of(const Parameter& parameter) {
  constexpr std::size_t kLongest = 24;
  std::string values;
  for (const control::Value& value : parameter.values) {
    const std::string text = std::string(value.word) + (value.listed_by.empty() ? "" : "ID");
    if (values == text) continue;  // ids of one kind or another
    values += (values.empty() ? "" : "|") + text;
  }
  switch (parameter.kind) {
    case ParameterKind::flag:
      return {};
    case ParameterKind::document:
      return "FILE";
    case ParameterKind::number:
      return "NUMBER";
    case ParameterKind::services:
      return "SERVICE";
    case ParameterKind::text:
    case ParameterKind::list:
      return values.empty() || values.size() > kLongest ? "TEXT" : values;
  }
  return {};
}

std::string option_of(const Parameter& parameter) {
  std::string option(parameter.option);
  if (const auto comma = option.find(','); comma != std::string::npos)
    option.insert(comma + 1, " ");
  if (parameter.is_positional() || parameter.kind == ParameterKind::flag) return option;
  return option + " " + value_of(parameter);
}

std::string usage_of(const CommandRow& row) {
  std::string line(kProgram);
  if (!row.group.empty()) line += " " + std::string(row.group);
  line += " " + std::string(row.verb);
  for (const Parameter& parameter : row.parameters) {
    if (parameter.required) line += " " + option_of(parameter);
  }
  return line + " [OPTIONS]";
}

std::string help_of(std::string_view command) {
  std::string name(command.substr(std::min(command.size(), kProgram.size() + 1)));
  if (name.empty()) return help_of_all();
  std::ranges::replace(name, ' ', '.');
  const auto row = std::ranges::find(command_rows(), name, &CommandRow::name);
  return row == command_rows().end() ? help_of_group(name) : help_of_row(*row);
}

}  // namespace sekisho::cli

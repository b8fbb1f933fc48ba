// What this program generates, as files: a change of the table of commands shows in review.
#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/cli/completion.h"
#include "gateway/cli/help.h"

namespace sekisho::cli {
namespace {

void expect_golden(const std::string& name, const std::string& text) {
  expect_file(std::filesystem::path(SEKISHO_GOLDEN) / "cli" / name, text);
}

std::string values_at(std::vector<std::string> words) {
  words.emplace_back();
  const Completion completion = complete(command_rows(), words);
  std::string text = completion.files ? " files" : "";
  for (const Candidate& candidate : completion.words) text += " " + candidate.word;
  for (const auto& list : completion.lists)
    text += " " + list.before + "<" + list.operation->name() + ">";
  return text;
}

// Every command, what may follow it, and every option with its values.
std::string all_completions() {
  std::string text;
  for (const CommandRow& row : command_rows()) {
    std::vector<std::string> words;
    if (!row.group.empty()) words.emplace_back(row.group);
    words.emplace_back(row.verb);
    for (const std::string& word : words) text += (word == words.front() ? "" : " ") + word;
    text += ":" + values_at(words) + "\n";
    words.emplace_back();
    for (const control::Parameter& parameter : row.parameters) {
      if (!parameter.option.starts_with('-')) continue;
      words.back() = parameter.option;
      text += "  " + words.back();
      if (parameter.kind != control::ParameterKind::flag) text += ":" + values_at(words);
      text += "\n";
    }
  }
  return text;
}

std::string all_help() {
  std::string text = help_of("sekisho");
  std::string_view last;
  for (const CommandRow& row : command_rows()) {
    const std::string group = row.group.empty() ? "" : " " + std::string(row.group);
    if (!group.empty() && row.group != last) text += "\n====\n" + help_of("sekisho" + group);
    last = row.group;
    const std::string help = help_of("sekisho" + group + " " + std::string(row.verb));
    text += "\n====\n" + help.substr(0, help.find("\nOf every command:"));
  }
  return text;
}

TEST(Golden, Help) {
  expect_golden("help.txt", all_help());
}

TEST(Golden, Completions) {
  expect_golden("completions.txt", all_completions());
}

TEST(Golden, CompletionScripts) {
  for (const auto& [shell, name] : {std::pair("bash", "sekisho.bash"), std::pair("zsh", "_sekisho"),
                                    std::pair("fish", "sekisho.fish")}) {
    const auto script = completion_script({{"shell", {shell}}});
    ASSERT_TRUE(script);
    expect_golden(name, *script->find("document")->string());
  }
}

}  // namespace
}  // namespace sekisho::cli

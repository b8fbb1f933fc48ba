// What this program generates, as files: a change of the table of commands shows in review.
#include "tests/support/golden.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gateway/cli/completion.h"

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

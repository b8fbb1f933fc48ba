#include "gateway/cli/completion.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sekisho::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

Completion at(const std::vector<std::string>& words) {
  return complete(command_rows(), words);
}

std::vector<std::string> words_of(const Completion& completion) {
  std::vector<std::string> words;
  for (const Candidate& candidate : completion.words) words.push_back(candidate.word);
  return words;
}

std::vector<std::string> words(const std::vector<std::string>& typed) {
  return words_of(at(typed));
}

std::vector<std::string> lists(const std::vector<std::string>& typed) {
  std::vector<std::string> names;
  for (const auto& list : at(typed).lists) names.push_back(list.before + list.operation->name());
  return names;
}

// What `rows` do not complete of all that the operation table declares.
std::vector<std::string> missing(std::span<const CommandRow> rows) {
  std::vector<std::string> result;
  const auto expect = [&](const std::vector<std::string>& typed, std::string_view word) {
    if (std::ranges::count(words_of(complete(rows, typed)), word) != 1)
      result.push_back(testing::PrintToString(typed) + " " + std::string(word));
  };
  for (const auto& operation : control::operations()) {
    std::vector<std::string> typed;
    if (!operation.group.empty()) {
      expect({""}, operation.group);
      typed.emplace_back(operation.group);
    }
    typed.emplace_back();
    expect(typed, operation.verb);
    typed.back() = operation.verb;
    typed.emplace_back("--");
    for (const auto& parameter : operation.parameters) {
      if (!parameter.option.starts_with('-')) continue;
      expect(typed, parameter.option);
      auto value = typed;
      value.back() = parameter.option;
      value.emplace_back();
      for (const auto& [word, listed_by] : parameter.values) {
        if (listed_by.empty()) expect(value, word);
      }
    }
  }
  return result;
}

TEST(Completion, KnowsEveryOperationWithItsOptionsAndTheirValues) {
  EXPECT_THAT(missing(command_rows()), IsEmpty());
}

// The control: take any operation away, and it is missed.
TEST(Completion, AnOperationThatIsNotCompletedIsMissed) {
  for (const auto& operation : control::operations()) {
    std::vector<CommandRow> rows;
    for (const CommandRow& row : command_rows()) {
      if (row.operation != &operation) rows.push_back(row);
    }
    EXPECT_THAT(missing(rows), Not(IsEmpty())) << operation.name();
  }
}

TEST(Completion, BeginsWithTheCommands) {
  EXPECT_THAT(words({""}), IsSupersetOf({"status", "person", "policy", "completion"}));
  EXPECT_THAT(words({"per"}), ElementsAre("person"));
  EXPECT_THAT(words({"person", "s"}), ElementsAre("show", "set"));
  EXPECT_THAT(words({"--json", "person", "li"}), ElementsAre("list"));
  EXPECT_THAT(words({"nonsense", "x", ""}), IsEmpty());
  EXPECT_THAT(at({}).words, IsEmpty());
}

TEST(Completion, OffersAnOptionOnceUnlessItRepeats) {
  EXPECT_THAT(words({"person", "set", "ana", "--st"}), ElementsAre("--state"));
  EXPECT_THAT(words({"person", "set", "--state", "active", "ana", "--st"}), IsEmpty());
  EXPECT_THAT(words({"person", "set", "--state=active", "ana", "--st"}), IsEmpty());
  EXPECT_THAT(words({"person", "set", "ana", "--role", "x", "--ro"}), ElementsAre("--role"));
  EXPECT_THAT(words({"status", "-q", "--q"}), IsEmpty());
  // Where nothing else is left to say.
  EXPECT_THAT(words({"person", "show", "ana", ""}), Contains("--json"));
}

TEST(Completion, OffersTheValuesOfAnOption) {
  EXPECT_THAT(words({"device", "set", "pc", "--state", ""}), ElementsAre("active", "blocked"));
  EXPECT_THAT(words({"device", "set", "pc", "--state", "b"}), ElementsAre("blocked"));
  EXPECT_THAT(words({"device", "set", "pc", "--state=b"}), ElementsAre("--state=blocked"));
  EXPECT_THAT(words({"person", "set", "ana", "--name", ""}), IsEmpty());
  EXPECT_THAT(words({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, AsksTheListsForNames) {
  EXPECT_THAT(lists({"person", "show", ""}), ElementsAre("person.list"));
  EXPECT_THAT(lists({"device", "remove", "a"}), ElementsAre("device.list"));
  EXPECT_THAT(lists({"person", "add", ""}), IsEmpty());  // a new one
  EXPECT_THAT(lists({"person", "show", "ana", ""}), IsEmpty());
  EXPECT_THAT(lists({"grant", "add", "x", "--who", ""}),
              ElementsAre("person:person.list", "role:role.list"));
  EXPECT_THAT(lists({"grant", "add", "x", "--who", "role:s"}), ElementsAre("role:role.list"));
  EXPECT_THAT(lists({"grant", "add", "x", "--who=r"}), ElementsAre("--who=role:role.list"));
  EXPECT_THAT(lists({"policy", "can", ""}), UnorderedElementsAre("person.list", "device.list"));
  EXPECT_THAT(lists({"policy", "rollback", ""}), ElementsAre("policy.history"));
}

TEST(Completion, OffersFilesWhereTheyAreExpected) {
  EXPECT_TRUE(at({"policy", "apply", ""}).files);
  EXPECT_TRUE(at({"policy", "fmt", "--check", "x"}).files);
  EXPECT_TRUE(at({"--socket", ""}).files);
  EXPECT_FALSE(at({"policy", "apply", "x", ""}).files);
  EXPECT_FALSE(at({"policy", "rollback", ""}).files);
  EXPECT_EQ(at({"--socket", "/run/s", "person", "show", ""}).socket, "/run/s");
  EXPECT_EQ(at({"--socket=/run/s", "person", "show", ""}).socket, "/run/s");
}

TEST(Completion, HasAScriptForEachShellAndForNoOther) {
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_TRUE(completion_script({{"shell", {shell}}}));
  EXPECT_FALSE(completion_script({{"shell", {"tcsh"}}}));
}

}  // namespace
}  // namespace sekisho::cli

#include "gateway/man/pages.h"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "gateway/cli/commands.h"
#include "gateway/cli/help.h"
#include "gateway/cli/output.h"
#include "policy/model/validate.h"
#include "tests/support/golden.h"
#include "tests/support/zoneinfo.h"

namespace sekisho::man {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

// What stands on the page, without roff's escapes.
std::string plain(std::string text) {
  static const std::vector<std::pair<std::string, std::string>> kEscapes{
      {"\\fB", ""},    {"\\fR", ""},   {"\\&", ""},    {"\\-", "-"}, {"\\(aq", "'"},
      {"\\(dq", "\""}, {"\\(ha", "^"}, {"\\(ti", "~"}, {"\\e", "\\"}};
  for (const auto& [escape, letter] : kEscapes) {
    for (auto at = text.find(escape); at != std::string::npos; at = text.find(escape, at))
      text.replace(at, escape.size(), letter);
  }
  return text;
}

std::vector<std::string> examples(const Page& page) {
  std::vector<std::string> found;
  const std::string text = plain(page.text());
  for (auto at = text.find(".nf\n"); at != std::string::npos; at = text.find(".nf\n", at)) {
    at += 4;
    found.push_back(text.substr(at, text.find(".fi\n", at) - at));
  }
  return found;
}

// The tags of the items below a heading that begins so.
std::vector<std::string> items_below(const Page& page, const std::string& heading) {
  const std::string text = plain(page.text());
  const auto begin = text.find(".SS " + heading);
  EXPECT_NE(begin, std::string::npos) << heading;
  std::istringstream lines(text.substr(begin + 4, text.find("\n.S", begin) - begin - 4));
  std::vector<std::string> tags;
  for (std::string line; std::getline(lines, line);) {
    if (line != ".TP") continue;
    std::getline(lines, line);
    tags.push_back(line);
  }
  return tags;
}

Page configuration() {
  return sekisho_toml_5(read_file(SEKISHO_SAMPLES "/sekisho.toml"));
}

TEST(Golden, Pages) {
  for (const Page& page :
       pages(read_file(SEKISHO_SAMPLES "/sekisho.toml"), read_file(SEKISHO_SAMPLES "/notify.toml")))
    expect_file(std::filesystem::path(SEKISHO_GOLDEN) / "man" / page.file(), page.text());
}

TEST(Page, NothingInATextIsTakenForRoff) {
  Page page("x", 1, "a page");
  page.paragraph(".SH 'quoted' \\fB \"x\" ~^");
  page.item(".item", ".text");
  page.example(".nf\n'\n.x");
  EXPECT_THAT(page.text(), HasSubstr("\n.PP\n\\&.SH \\(aqquoted\\(aq \\efB \\(dqx\\(dq \\(ti\\(ha\n"
                                     ".TP\n\\fB.item\\fR\n\\&.text\n"
                                     ".PP\n.RS 4\n.nf\n\\&.nf\n\\(aq\n\\&.x\n.fi\n.RE\n"));
}

TEST(Pages, SekishoHasEveryCommandWithItsParametersAndEveryExitCode) {
  const std::string text = plain(sekisho_1().text());
  for (const cli::CommandRow& row : cli::command_rows()) {
    const auto begin = text.find(".TP\n" + cli::usage_of(row) + "\n");
    ASSERT_NE(begin, std::string::npos) << row.name();
    const auto end = text.find(".TP\nsekisho ", begin + 4);
    const std::string described = text.substr(begin, end - begin);
    for (const auto& parameter : row.parameters)
      EXPECT_THAT(described, HasSubstr(".TP\n" + cli::option_of(parameter) + "\n")) << row.name();
  }
  for (const cli::ExitCode& exit : cli::exit_codes())
    EXPECT_THAT(text, HasSubstr(".TP\n" + std::to_string(exit.code) + "\n"));
}

// "a \"b c\" \\\n d" as a shell has its words.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  static const std::regex kWord("\"([^\"]*)\"|[^ \\\\\n]+");
  for (std::sregex_iterator at(line.begin(), line.end(), kWord), end; at != end; ++at)
    words.push_back((*at)[1].matched ? (*at)[1].str() : at->str());
  return words;
}

TEST(Pages, TheExamplesOfSekishoAreCommands) {
  int count = 0;
  for (const Page& page : {sekisho_1(), sekishod_8()}) {
    for (const std::string& example : examples(page)) {
      const std::string lines = std::regex_replace(example, std::regex("\\\\\n"), " ");
      std::istringstream in(std::regex_replace(lines, std::regex(" > .*|.*<\\(|\\)"), ""));
      for (std::string line; std::getline(in, line);) {
        auto words = words_of(line);
        if (words.empty() || words.front() != "sekisho") continue;
        words.erase(words.begin());
        std::ranges::reverse(words);
        CLI::App app("", "sekisho");
        cli::Options options;
        cli::Command chosen;
        cli::add_commands(app, options, chosen);
        EXPECT_NO_THROW(app.parse(words)) << line;
        ++count;
      }
    }
  }
  EXPECT_GT(count, 10);
}

// The keys that a table knows, as it tells them to who wrote another; `names` is kept for later.
std::vector<std::string> known(const std::string& table) {
  const auto refused = read_policy("[" + table + "]\nsurprise = 1\n", Syntax::toml, "f");
  std::vector<std::string> keys;
  for (const Error& error : refused.error()) {
    const std::string begin = "known here:";
    if (!error.advice.starts_with(begin)) continue;
    std::istringstream in(error.advice.substr(begin.size()));
    for (std::string key; in >> key;) keys.push_back(key);
  }
  return keys;
}

TEST(Pages, PolicyHasEveryKeyThatIsRead) {
  const Page page = sekisho_policy_5();
  for (const char* kind : {"role", "person", "device", "resource", "grant"})
    EXPECT_THAT(items_below(page, "[" + std::string(kind) + ".ID]"),
                UnorderedElementsAreArray(known(std::string(kind) + ".x")))
        << kind;
  for (const std::string single : {"quota", "response"})
    EXPECT_THAT(items_below(page, "[" + single + "]"), UnorderedElementsAreArray(known(single)));
  const auto tables = known("surprising");
  EXPECT_THAT(tables, UnorderedElementsAreArray(
                          {"quota", "response", "role", "person", "device", "resource", "grant"}));
}

TEST(Pages, TheExampleOfThePolicyIsOne) {
  const auto found = examples(sekisho_policy_5());
  ASSERT_EQ(found.size(), 1U);
  const auto policy =
      read_valid_policy(found.front(), Syntax::toml, "example",
                        {.pools = {Prefix::parse("10.66.0.0/16").value()}}, zones());
  ASSERT_TRUE(policy) << to_string(policy.error().front());
}

TEST(Pages, ConfigurationHasEverySettingOfTheSample) {
  std::string section;
  std::istringstream in(read_file(SEKISHO_SAMPLES "/sekisho.toml"));
  const Page page = configuration();
  int count = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('[')) section = line;
    static const std::regex kSetting("#?([a-z_]+ = .*)");
    std::smatch match;
    if (!std::regex_match(line, match, kSetting)) continue;
    EXPECT_THAT(items_below(page, section), testing::Contains(match[1].str()));
    ++count;
  }
  EXPECT_GT(count, 8);
}

}  // namespace
}  // namespace sekisho::man

// Documents and exactly what comes of them, as files that a person can read.
//   accept/NAME/policy.toml, policy.json   each reads to the same policy and is what that is
//   written as accept/NAME/as-written.toml            where there is one: the same policy in other
//   words reject/NAME/policy.toml or .json       with error.txt, every message of it
//   format/NAME/policy.toml or .json         with formatted.toml or .json
//   reject/NAME/error.txt alone                     of a document that the test makes, being too
//   large
// An optional network.json in the folder stands for the gateway's configuration. SEKISHO_BLESS=1 in
// the environment rewrites what is expected: look at the difference before committing it.
#include "tests/support/golden.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "policy/model/document.h"
#include "policy/model/format.h"
#include "policy/model/validate.h"
#include "tests/support/zoneinfo.h"

namespace sekisho {
namespace {

namespace fs = std::filesystem;

std::string text_of(const Errors& errors) {
  std::string text;
  for (const Error& error : errors) text += to_string(error) + "\n";
  return text;
}

std::vector<Prefix> prefixes(const Node& network, std::string_view key) {
  std::vector<Prefix> result;
  const Node* list = network.find(key);
  if (list == nullptr) return result;
  for (const Node& element : *list->array()) {
    result.push_back(Prefix::parse(*element.string()).value());
  }
  return result;
}

Network network_of(const fs::path& folder) {
  const Prefix v4 = Prefix::parse("10.66.0.0/16").value();
  const Prefix v6 = Prefix::parse("fd66::/64").value();
  if (!fs::exists(folder / "network.json")) return {.pools = {v4, v6}};
  const Node node = read_json(read_file(folder / "network.json"), "network.json").value();
  Network network{.pools = prefixes(node, "pools"),
                  .public_prefixes = prefixes(node, "public_prefixes")};
  if (const Node* name = node.find("interface")) network.interface = *name->string();
  if (const Node* port = node.find("listen_port")) {
    network.listen_port = Port(static_cast<std::uint16_t>(std::get<std::int64_t>(port->value)));
  }
  if (const Node* mtu = node.find("mtu")) {
    network.mtu = static_cast<int>(std::get<std::int64_t>(mtu->value));
  }
  return network;
}

std::vector<std::string> cases(const char* kind) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(SEKISHO_GOLDEN) / kind)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

std::string test_name(const testing::TestParamInfo<std::string>& context) {
  std::string name = context.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

class Accept : public testing::TestWithParam<std::string> {};

TEST_P(Accept, ReadsAndWritesTheSame) {
  const fs::path folder = fs::path(SEKISHO_GOLDEN) / "accept" / GetParam();
  const bool reworded = fs::exists(folder / "as-written.toml");
  const std::string file = reworded ? "as-written.toml" : "policy.toml";
  const auto valid =
      read_valid_policy(read_file(folder / file), Syntax::toml, file, network_of(folder), zones());
  ASSERT_TRUE(valid) << text_of(valid.error());
  expect_file(folder / "policy.toml", write_policy(valid->policy(), Syntax::toml));
  expect_file(folder / "policy.json", write_policy(valid->policy(), Syntax::json));

  // What is written is as it should be.
  const std::string written = write_policy(valid->policy(), Syntax::toml);
  EXPECT_EQ(format_policy(written, Syntax::toml, "f"), written);
  const std::string json = write_policy(valid->policy(), Syntax::json);
  EXPECT_EQ(format_policy(json, Syntax::json, "f"), json);

  const auto from_toml =
      read_policy(read_file(folder / "policy.toml"), Syntax::toml, "policy.toml");
  ASSERT_TRUE(from_toml) << text_of(from_toml.error());
  EXPECT_EQ(*from_toml, valid->policy());
  const auto from_json =
      read_policy(read_file(folder / "policy.json"), Syntax::json, "policy.json");
  ASSERT_TRUE(from_json) << text_of(from_json.error());
  EXPECT_EQ(*from_json, valid->policy());
}

INSTANTIATE_TEST_SUITE_P(Golden, Accept, testing::ValuesIn(cases("accept")), test_name);

class Format : public testing::TestWithParam<std::string> {};

TEST_P(Format, KeepsTheMeaningAndTheComments) {
  const fs::path folder = fs::path(SEKISHO_GOLDEN) / "format" / GetParam();
  const bool json = fs::exists(folder / "policy.json");
  const Syntax syntax = json ? Syntax::json : Syntax::toml;
  const std::string text = read_file(folder / (json ? "policy.json" : "policy.toml"));
  const auto formatted = format_policy(text, syntax, "policy");
  ASSERT_TRUE(formatted) << text_of(formatted.error());
  expect_file(folder / (json ? "formatted.json" : "formatted.toml"), *formatted);
  EXPECT_EQ(read_policy(*formatted, syntax, "formatted"), read_policy(text, syntax, "policy"));
  EXPECT_EQ(format_policy(*formatted, syntax, "formatted"), *formatted);
}

INSTANTIATE_TEST_SUITE_P(Golden, Format, testing::ValuesIn(cases("format")), test_name);

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

// Documents that are too large to keep; nothing where there is none of this name.
std::string generated(const std::string& name) {
  constexpr std::size_t kLevels = 10'000;
  if (name == "040-document-of-64-mib.toml") {
    const std::string line = "# " + std::string(61, '.') + "\n";
    return repeated(line, (std::size_t{64} << 20) / line.size());
  }
  if (name == "041-json-document-of-64-mib.json") {
    return "{}" + std::string((std::size_t{64} << 20) - 2, ' ');
  }
  if (name == "042-nested-10000-deep.toml") {
    return "x = " + repeated("[", kLevels) + repeated("]", kLevels) + "\n";
  }
  if (name == "043-json-nested-10000-deep.json") {
    return repeated("{\"x\":", kLevels) + "0" + repeated("}", kLevels);
  }
  if (name == "044-dotted-10000-deep.toml") return "x" + repeated(".x", kLevels) + " = 1\n";
  return {};
}

class Reject : public testing::TestWithParam<std::string> {};

TEST_P(Reject, SaysWhy) {
  const fs::path folder = fs::path(SEKISHO_GOLDEN) / "reject" / GetParam();
  const std::string made_as_json = generated(GetParam() + ".json");
  const std::string made = made_as_json + generated(GetParam() + ".toml");
  const bool json = fs::exists(folder / "policy.json") || !made_as_json.empty();
  const std::string file = json ? "policy.json" : "policy.toml";
  const std::string text = made.empty() ? read_file(folder / file) : made;
  const auto valid = read_valid_policy(text, json ? Syntax::json : Syntax::toml, file,
                                       network_of(folder), zones());
  ASSERT_FALSE(valid);
  expect_file(folder / "error.txt", text_of(valid.error()));
}

INSTANTIATE_TEST_SUITE_P(Golden, Reject, testing::ValuesIn(cases("reject")), test_name);

}  // namespace
}  // namespace sekisho

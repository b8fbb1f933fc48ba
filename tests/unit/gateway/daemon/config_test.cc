#include "gateway/daemon/config.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "policy/model/node.h"

namespace sekisho::daemon {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kGood = R"([gateway]
name = "lab"
[tunnel]
endpoint = "192.0.2.1:51820"
pools = ["10.66.0.0/16", "fd66::/64"]
[network]
public_prefixes = ["198.51.100.0/24"]
[paths]
state = "/tmp/state"
runtime = "/tmp/run"
)";

TEST(Config, ReadsWhatIsThereAndKeepsDefaults) {
  const auto config = read_config(kGood, "sekisho.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->gateway_name, "lab");
  EXPECT_EQ(config->network.interface, "wg0");
  EXPECT_EQ(config->network.listen_port, Port(51820));
  EXPECT_EQ(config->network.pools.size(), 2U);
  EXPECT_EQ(config->socket(), "/tmp/run/control.sock");
}

// Each mistake alone: where it is, and what is said of it.
TEST(Config, EveryMistakeHasItsPlace) {
  struct Case {
    std::string text, place, cause;
  };
  const std::string tunnel =
      "[tunnel]\nendpoint = \"192.0.2.1:51820\"\npools = [\"10.66.0.0/16\"]\n";
  for (const Case& each :
       {Case{"", "sekisho.toml", "the section is missing"},
        Case{tunnel + "mtu = 99", "sekisho.toml:4:7", "whole number from 1280 to 9000"},
        Case{tunnel + "listen_port = \"x\"", "sekisho.toml:4:15", "whole number from 1 to 65535"},
        Case{tunnel + "colour = 1", "sekisho.toml:4:10", "no such setting"},
        Case{"[tunnel]\nendpoint = \"here\"\npools = [\"10.66.0.0/16\"]", "sekisho.toml:2:12",
             "not an address and port"},
        Case{"[tunnel]\nendpoint = \"a:1\"\npools = [\"10.66.0.1/16\"]", "sekisho.toml:3:10",
             "10.66.0"},
        Case{"[tunnel]\nendpoint = \"a:1\"\npools = 7", "sekisho.toml:3:9", "not a list"},
        Case{tunnel + "[paths]\nstate = \"here\"", "sekisho.toml:5:9", "not absolute"},
        // What only the network as a whole can tell, in this file's words.
        Case{tunnel + "interface = \"all\"", "sekisho.toml:4:13", "cannot be the name"},
        Case{"[tunnel]\nendpoint = \"a:1\"\npools = [\"10.66.0.0/31\"]", "sekisho.toml:3:10",
             "too narrow"},
        Case{"[tunnel]\nendpoint = \"a:1\"\npools = []", "sekisho.toml:3:9", "no pool"},
        Case{"[tunnel]\nendpoint = \"a:1\"\npools = [\"10.66.0.0/16\", \"10.67.0.0/16\"]",
             "sekisho.toml:3:9", "more than one pool of IPv4"},
        Case{tunnel + "[network]\npublic_prefixes = [\"10.66.7.0/24\"]", "sekisho.toml:3:10",
             "overlaps 10.66.7.0/24"},
        Case{tunnel + "[", "sekisho.toml:4", ""}}) {
    const auto config = read_config(each.text, "sekisho.toml");
    ASSERT_FALSE(config.has_value()) << each.text;
    EXPECT_THAT(config.error().front().place, HasSubstr(each.place)) << each.text;
    EXPECT_THAT(config.error().front().cause, HasSubstr(each.cause)) << each.text;
    EXPECT_NE(config.error().front().advice, "") << each.text;
    EXPECT_THAT(config.error().front().object, Not(StartsWith("network.pools"))) << each.text;
  }
}

TEST(Config, AllMistakesAtOnce) {
  const auto config =
      read_config("[tunnel]\nmtu = 1\nlisten_port = 0\n[nonsense]\n", "sekisho.toml");
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().size(), 5U);
}

std::string sample() {
  std::ifstream file(SEKISHO_SAMPLE_CONFIG);
  return {std::istreambuf_iterator<char>(file), {}};
}

// "#mtu = 1420" -> "mtu = 1420"; a comment has a space behind its #.
std::string with_defaults_written_out(const std::string& text) {
  return std::regex_replace(text, std::regex("(^|\n)#(?=[a-z_]+ = )"), "$1");
}

// The keys that the reader knows in `section`, by its own words.
std::vector<std::string> known_in(const std::string& section) {
  const std::string head = section.empty() ? "" : "[" + section + "]\n";
  const auto refused = read_config(head + "surprise = 1\n", "sekisho.toml");
  const std::string words = "known here: ";
  std::vector<std::string> keys;
  for (const Error& error : refused.error()) {
    if (!error.advice.starts_with(words)) continue;
    std::istringstream listed(error.advice.substr(words.size()));
    for (std::string key; std::getline(listed >> std::ws, key, ',');) keys.push_back(key);
  }
  return keys;
}

TEST(Config, TheSampleReadsAndShowsTheDefaults) {
  const auto as_it_is = read_config(sample(), "sekisho.toml");
  ASSERT_TRUE(as_it_is.has_value()) << to_string(as_it_is.error().front());
  const auto written_out = read_config(with_defaults_written_out(sample()), "sekisho.toml");
  ASSERT_TRUE(written_out.has_value()) << to_string(written_out.error().front());
  const Config least = *read_config(
      "[tunnel]\nendpoint = \"192.0.2.1:51820\"\npools = [\"10.66.0.0/16\", \"fd66::/64\"]\n",
      "sekisho.toml");
  for (const Config& each : {*as_it_is, *written_out}) {
    EXPECT_EQ(each.gateway_name, least.gateway_name);
    EXPECT_EQ(each.network, least.network);
    EXPECT_EQ(each.endpoint, least.endpoint);
    EXPECT_EQ(each.own_table, least.own_table);
    EXPECT_EQ(each.state, least.state);
    EXPECT_EQ(each.runtime, least.runtime);
  }
}

TEST(Config, TheSampleNamesEveryKeyThatIsKnown) {
  const auto node = read_toml(with_defaults_written_out(sample()), "sekisho.toml");
  ASSERT_TRUE(node.has_value());
  const auto sections = known_in("");
  ASSERT_EQ(sections.size(), 4U);
  for (const std::string& section : sections) {
    const Node* written = node->find(section);
    ASSERT_NE(written, nullptr) << section;
    const auto keys = known_in(section);
    EXPECT_FALSE(keys.empty()) << section;
    for (const std::string& key : keys)
      EXPECT_NE(written->find(key), nullptr) << section << "." << key;
  }
}

TEST(Config, AMissingFileAndAFolderSaySo) {
  const auto missing = load_config("/nonexistent/sekisho.toml");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().front().cause, HasSubstr("No such file"));
  const auto folder = load_config("/");
  ASSERT_FALSE(folder.has_value());
  EXPECT_THAT(folder.error().front().cause, HasSubstr("Is a directory"));
}

}  // namespace
}  // namespace sekisho::daemon

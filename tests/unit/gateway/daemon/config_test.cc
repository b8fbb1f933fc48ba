#include "gateway/daemon/config.h"

#include <gmock/gmock.h>

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

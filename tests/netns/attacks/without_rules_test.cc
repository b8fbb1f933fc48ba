// Our rules, or the tunnel itself, are gone or not there yet.
#include <sys/socket.h>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class WithoutRules : public Attack {};
SEKISHO_BOTH_FAMILIES(WithoutRules);

// Somebody takes the table away: a live flow, a new one, one of the gateway's own services.
struct Open {
  bool live = false, fresh = false, service = false;
  bool operator==(const Open&) const = default;
};

Open open_after(Scene scene, const std::string& command, bool our_routing) {
  if (our_routing) scene.rules.route_as_the_product();
  const auto panel = scene.listen(443, SOCK_STREAM);
  Talk talk(scene);
  talk.prove();
  scene.rules.at_gateway(command);
  return {.live = talk.client("from the client"),
          .fresh = scene.leaves(scene.syn(scene.phone(), scene.server(), 443)),
          .service = scene.answers(scene.syn(scene.phone(), scene.gateway(), 443))};
}

TEST_P(WithoutRules, NothingPassesWithoutTheTable) {
  for (const char* command :
       {"nft flush ruleset", "nft delete table inet sekisho", "nft flush table inet sekisho",
        "nft add table inet sekisho '{ flags dormant; }'"}) {
    EXPECT_EQ(open_after(Scene(GetParam()), command, true), Open{}) << command;
    EXPECT_EQ(open_after(Scene(GetParam()), command, false), (Open{true, true, true})) << command;
  }
}

// Only one chain of it: what is new does not pass; live flows do until the repair.
bool new_flow_passes(Scene scene, const std::string& command) {
  scene.rules.at_gateway(command);
  return scene.leaves(scene.syn(scene.phone(), scene.server(), 80));
}

TEST_P(WithoutRules, NothingNewPassesWithoutTheForwardChain) {
  for (const char* command :
       {"nft flush chain inet sekisho forward",
        "nft 'flush chain inet sekisho forward; delete chain inet sekisho forward'"}) {
    EXPECT_FALSE(new_flow_passes(Scene(GetParam()), command)) << command;
    EXPECT_TRUE(new_flow_passes(
        Scene(GetParam(), {without("postrouting", "neither forward nor input judged it")}),
        command))
        << command;
  }
}

TEST_P(WithoutRules, TheRepairCutsWhatMeanwhileWentOn) {
  Scene scene(GetParam());
  Talk talk(scene);
  talk.prove();
  scene.rules.at_gateway("nft flush chain inet sekisho forward");
  scene.rules.withdraw("web");
  EXPECT_TRUE(talk.goes_on()) << "the control, and a known limit: nobody looks at it";
  scene.rules.repair();
  EXPECT_FALSE(talk.goes_on());
}

// A download runs, and the tunnel's interface vanishes: the default route is there for all.
bool goes_out_in_clear(Scene scene) {
  Talk talk(scene);
  talk.prove();
  const Packet data = talk.from_server("in clear");
  scene.lose_tunnel();
  return !scene.send(Wire::up0, data).empty();
}

TEST_P(WithoutRules, NothingForADeviceLeavesInClear) {
  EXPECT_FALSE(goes_out_in_clear(Scene(GetParam())));
  EXPECT_TRUE(goes_out_in_clear(
      Scene(GetParam(), {without("forward", "to a device, but not into the tunnel")})));
}

// Before the daemon: the rules alone, without any contents, are the fence.
bool passes_before_the_daemon(Scene scene, bool fence) {
  scene.rules.edit_tables([](Tables& tables) { tables = {}; });
  if (!fence) scene.rules.at_gateway("nft flush ruleset");
  const auto panel = scene.listen(443, SOCK_STREAM);
  const bool out = scene.leaves(scene.syn(scene.laptop(), scene.server(), 443));
  const bool here = scene.answers(scene.syn(scene.laptop(), scene.gateway(), 443));
  const bool in = scene.enters(scene.syn(scene.server(), scene.laptop(), 443));
  return out || here || in;
}

TEST_P(WithoutRules, EmptyTablesAreAFence) {
  EXPECT_FALSE(passes_before_the_daemon(Scene(GetParam()), true));
  EXPECT_TRUE(passes_before_the_daemon(Scene(GetParam()), false));
}

}  // namespace
}  // namespace sekisho::attacks

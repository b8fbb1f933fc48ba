// Whatever takes a right away acts on the next packet of live flows, both ways.
#include <thread>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class LivePolicy : public Attack {};
SEKISHO_BOTH_FAMILIES(LivePolicy);

bool goes_on_without_its_grant(Scene scene) {
  Talk talk(scene);
  scene.withdraw("web");
  return talk.goes_on();
}

TEST_P(LivePolicy, AFlowEndsWithItsGrant) {
  EXPECT_FALSE(goes_on_without_its_grant(Scene(GetParam())));
  EXPECT_TRUE(goes_on_without_its_grant(Scene(GetParam(), {established_first("forward")})));
}

bool goes_on_in_another_cohort(Scene scene) {
  Talk talk(scene);
  scene.edit_tables([&](Tables& tables) { tables.cohorts[scene.laptop()] = {Cohort(0xffff)}; });
  return talk.goes_on();
}

TEST_P(LivePolicy, AFlowEndsWithTheCohortOfItsDevice) {
  EXPECT_FALSE(goes_on_in_another_cohort(Scene(GetParam())));
  EXPECT_TRUE(goes_on_in_another_cohort(Scene(GetParam(), {established_first("forward")})));
}

// The office is routed, not masqueraded: only then is a packet after a purge still one of the
// connection, whichever side sends it, and conntrack (tcp_loose) takes it for the first of a flow.
struct Routed : Scene {
  explicit Routed(Family family, std::vector<Weakening> more = {}, bool loose = true)
      : Scene(family, with(std::move(more))) {
    lab.router_space.in([] {
      must("ip route add 10.66.0.0/16 via 192.0.2.1; ip route add fd66::/64 via 2001:db8:1::1");
    });
    if (loose) at_gateway("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1");
  }
  static std::vector<Weakening> with(std::vector<Weakening> more) {
    more.push_back(without("postrouting", "leaves with the gateway's address"));
    more.push_back(without("preraw", "probed from outside"));
    return more;
  }
};

bool resumed_by_the_server(Routed scene) {
  Talk talk(scene);
  scene.withdraw("web");
  talk.served.send("retransmitted until it is heard");
  scene.at_gateway("conntrack -F 2>/dev/null");
  return !talk.client.receive(1500).empty();
}

TEST_P(LivePolicy, APurgedFlowIsNotResumedByItsServer) {
  EXPECT_FALSE(resumed_by_the_server(Routed(GetParam())));
  EXPECT_TRUE(resumed_by_the_server(
      Routed(GetParam(), {without("forward", "a device is answered"),
                          without("forward", "to a device, but not into the tunnel")})));
}

bool resumed_by_the_client(Routed scene) {
  Talk talk(scene);
  scene.withdraw("web");
  scene.at_gateway("conntrack -F 2>/dev/null");
  return talk.client_reaches_server();
}

TEST_P(LivePolicy, APurgedFlowIsNotResumedByItsClient) {
  EXPECT_FALSE(resumed_by_the_client(Routed(GetParam())));
  EXPECT_TRUE(resumed_by_the_client(
      Routed(GetParam(), {instead("first_packet", "not granted", {nft::Accept{}})})));
}

// Nobody is awake to end it: the element in the kernel ends by itself.
bool outlives_its_end(Scene scene, bool with_end) {
  scene.edit([&](model::PolicyBuilder& staff) {
    Grant& grant = staff.policy.grants.at(GrantId("tanaka-web"));
    if (with_end) grant.until = kernel::in_seconds(4);
  });
  Talk talk(scene);
  std::this_thread::sleep_for(std::chrono::milliseconds(4200));
  return talk.goes_on();
}

TEST_P(LivePolicy, AGrantEndsByItself) {
  EXPECT_FALSE(outlives_its_end(Scene(GetParam()), true));
  EXPECT_TRUE(outlives_its_end(Scene(GetParam()), false));
}

// tcp_loose=0: what does not begin with a SYN is no flow.
bool begins_without_a_syn(Routed scene) {
  Talk talk(scene);
  scene.at_gateway("conntrack -F 2>/dev/null");
  talk.client.send(kTlsHello);
  return !talk.served.receive().empty();
}

TEST_P(LivePolicy, AFlowBeginsWithASyn) {
  EXPECT_FALSE(begins_without_a_syn(Routed(GetParam(), {}, false)));
  EXPECT_TRUE(begins_without_a_syn(Routed(GetParam(), {}, true)));
}

}  // namespace
}  // namespace sekisho::attacks

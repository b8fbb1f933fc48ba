// Whatever takes a right away acts on the next packet of live flows, both ways.
#include <algorithm>
#include <iterator>
#include <thread>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class LivePolicy : public Attack {};
SEKISHO_BOTH_FAMILIES(LivePolicy);

bool goes_on_without_its_grant(Scene scene) {
  Talk talk(scene);
  talk.prove();
  scene.rules.withdraw("web");
  return talk.goes_on();
}

TEST_P(LivePolicy, AFlowEndsWithItsGrant) {
  EXPECT_FALSE(goes_on_without_its_grant(Scene(GetParam())));
  EXPECT_TRUE(goes_on_without_its_grant(Scene(GetParam(), {established_first("forward")})));
}

bool goes_on_in_another_cohort(Scene scene) {
  Talk talk(scene);
  talk.prove();
  scene.rules.edit_tables(
      [&](Tables& tables) { tables.cohorts[scene.laptop()] = {Cohort(0xfffe)}; });
  return talk.goes_on();
}

TEST_P(LivePolicy, AFlowEndsWithTheCohortOfItsDevice) {
  EXPECT_FALSE(goes_on_in_another_cohort(Scene(GetParam())));
  EXPECT_TRUE(goes_on_in_another_cohort(Scene(GetParam(), {established_first("forward")})));
}

// Only where the office is routed is a packet after a purge still one of the connection.
Scene routed(Family family, std::vector<Weakening> more = {}, bool loose = true) {
  std::ranges::move(routed_office(), std::back_inserter(more));
  Scene scene(family, more);
  if (loose) scene.rules.track_loosely();
  return scene;
}

// What the server retransmits until it is heard.
bool resumed_by_the_server(Scene scene) {
  Talk talk(scene);
  talk.prove();
  scene.rules.withdraw("web");
  scene.rules.purge();
  return talk.server("from the server") || talk.server("again");
}

TEST_P(LivePolicy, APurgedFlowIsNotResumedByItsServer) {
  EXPECT_FALSE(resumed_by_the_server(routed(GetParam())));
  EXPECT_TRUE(resumed_by_the_server(routed(
      GetParam(),
      {without("forward", "a device is answered"),
       without("forward", "to a device, but not into the tunnel"), without_the_last_word()})));
}

bool resumed_by_the_client(Scene scene) {
  Talk talk(scene);
  talk.prove();
  scene.rules.withdraw("web");
  scene.rules.purge();
  return talk.client("from the client");
}

TEST_P(LivePolicy, APurgedFlowIsNotResumedByItsClient) {
  EXPECT_FALSE(resumed_by_the_client(routed(GetParam())));
  EXPECT_TRUE(resumed_by_the_client(
      routed(GetParam(), {instead("first_packet", "not granted", {nft::Accept{}})})));
}

// A purged flow whose grant still stands is not turned round by its server either.
bool turned_round(Scene scene) {
  Talk talk(scene);
  talk.prove();
  scene.rules.purge();
  return talk.server("from the server");
}

TEST_P(LivePolicy, AServerOpensNoFlowBackwards) {
  EXPECT_FALSE(turned_round(routed(GetParam())));
  EXPECT_TRUE(
      turned_round(routed(GetParam(), {instead("to_tunnel", "nobody opens a flow", {nft::Accept{}}),
                                       without_the_last_word()})));
}

// tcp_loose=0: what does not begin with a SYN is no flow.
bool begins_without_a_syn(Scene scene) {
  Talk talk(scene);
  scene.rules.purge();
  return talk.client(kTlsHello);
}

TEST_P(LivePolicy, AFlowBeginsWithASyn) {
  EXPECT_FALSE(begins_without_a_syn(routed(GetParam(), {}, false)));
  EXPECT_TRUE(begins_without_a_syn(routed(GetParam(), {}, true)));
}

// Nobody is awake to end it: the element in the kernel ends by itself.
bool outlives_its_end(Scene scene, bool with_end) {
  const Time end = kernel::in_seconds(5);
  scene.rules.edit([&](model::PolicyBuilder& staff) {
    if (with_end) staff.policy.grants.at(GrantId("tanaka-web")).until = end;
  });
  Talk talk(scene);
  talk.prove();
  std::this_thread::sleep_until(end + std::chrono::milliseconds(100));
  return talk.goes_on();
}

TEST_P(LivePolicy, AGrantEndsByItself) {
  EXPECT_FALSE(outlives_its_end(Scene(GetParam()), true));
  EXPECT_TRUE(outlives_its_end(Scene(GetParam()), false));
}

// Destinations cut anew: what was one atom becomes two. Who has the right to both goes on.
void widen(model::PolicyBuilder& staff) {
  staff.policy.resources.at(ResourceId("web")).prefixes = {model::prefix("203.0.113.0/24"),
                                                           model::prefix("2001:db8:2::/64")};
}
void cut_in_two(model::PolicyBuilder& staff) {
  staff.resource("half", Classification::confidential, {"203.0.113.0/25", "2001:db8:2::/120"},
                 {"https"});
  staff.grant("tanaka-half", "tanaka", "half", {}, kernel::in_seconds(3600));
}

// A flow to an address that nothing but `web` covered.
Talk talk_to_another(Scene& scene) {
  return {scene, scene.syn(scene.laptop(), scene.pick("203.0.113.30", "2001:db8:2::30"), 443)};
}

bool goes_on_after_a_cut(Scene scene, bool remarked) {
  scene.rules.edit(widen);
  Talk talk = talk_to_another(scene);
  talk.prove();
  remarked ? scene.rules.edit_and_remark(cut_in_two) : scene.rules.edit(cut_in_two);
  return talk.server("from the server") && talk.client("from the client");
}

TEST_P(LivePolicy, AnEditThatTakesNothingInterruptsNobody) {
  EXPECT_TRUE(goes_on_after_a_cut(Scene(GetParam()), true));
  EXPECT_FALSE(goes_on_after_a_cut(Scene(GetParam()), false)) << "the control: no live flow at all";
}

bool goes_on_after_the_new_grant_went(Scene scene) {
  scene.rules.edit(widen);
  Talk talk = talk_to_another(scene);
  talk.prove();
  scene.rules.edit_and_remark(cut_in_two);
  scene.rules.withdraw("half");
  return talk.goes_on();
}

TEST_P(LivePolicy, AReMarkedFlowEndsWithItsNewGrant) {
  EXPECT_FALSE(goes_on_after_the_new_grant_went(Scene(GetParam())));
  EXPECT_TRUE(goes_on_after_the_new_grant_went(Scene(GetParam(), {established_first("forward")})));
}

// A flow still carries a number that was given up: nothing else may come to be meant by it.
bool a_number_is_used_again(Scene scene, bool by_hand) {
  Talk talk(scene);
  talk.prove();
  const AtomMark web =
      find_atom(scene.rules.compiled().space, scene.server(), Protocol::tcp, Port(443));
  scene.rules.edit([](model::PolicyBuilder& staff) {
    Resource& moved = staff.policy.resources.at(ResourceId("web"));
    moved.prefixes = {model::prefix("198.51.100.0/24"), model::prefix("2001:db8:9::/64")};
  });
  if (by_hand) {
    scene.rules.edit_tables([&](Tables& tables) {
      for (auto& [where, atom] : tables.atoms) {
        if (where.ports.contains(Port(443)) && where.protocol == Protocol::tcp) atom = web;
      }
      tables.grants[{tables.cohorts.at(scene.laptop()).cohort, web}] = {};
    });
  }
  return talk.goes_on();
}

TEST_P(LivePolicy, ANumberThatWasGivenUpOpensNothing) {
  EXPECT_FALSE(a_number_is_used_again(Scene(GetParam()), false));
  EXPECT_TRUE(a_number_is_used_again(Scene(GetParam()), true));
}

}  // namespace
}  // namespace sekisho::attacks

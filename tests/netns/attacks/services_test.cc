// The gateway's own services obey the same policy.
#include <sys/socket.h>

#include <array>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class Services : public Attack {};
SEKISHO_BOTH_FAMILIES(Services);

// Whether the datagram of a device came to the gateway's socket.
bool heard(Scene& scene, const kernel::UniqueFd& socket, const Packet& datagram) {
  scene.send(Wire::wg0, datagram);
  std::array<char, 64> bytes;
  return ::recv(socket.get(), bytes.data(), bytes.size(), 0) > 0;
}

// A device that is unknown, blocked or whose right has ended has no cohort.
bool unknown_is_served(Scene scene) {
  const auto dns = scene.listen(53, SOCK_DGRAM);
  const auto panel = scene.listen(443, SOCK_STREAM);
  EXPECT_TRUE(heard(scene, dns, scene.datagram(scene.phone(), scene.gateway(), 53)));
  scene.rules.edit_tables([&](Tables& tables) { tables.cohorts.erase(scene.phone()); });
  Packet echo = scene.datagram(scene.phone(), scene.gateway(), 0);
  echo.protocol = scene.v4() ? Protocol::icmp : Protocol::icmpv6;
  return heard(scene, dns, scene.datagram(scene.phone(), scene.gateway(), 53)) ||
         scene.answers(scene.syn(scene.phone(), scene.gateway(), 443)) ||
         !scene.send(Wire::wg0, echo).empty();
}

TEST_P(Services, AnUnknownDeviceReachesNone) {
  EXPECT_FALSE(unknown_is_served(Scene(GetParam())));
  EXPECT_TRUE(unknown_is_served(Scene(GetParam(), {first_of_all("to_gateway", {nft::Accept{}})})));
}

// A service that was not granted, by a device in good standing.
bool ungranted_is_served(Scene scene) {
  const auto panel = scene.listen(443, SOCK_STREAM);
  return scene.answers(scene.syn(scene.laptop(), scene.gateway(), 443));
}

TEST_P(Services, OneThatIsNotGranted) {
  EXPECT_FALSE(ungranted_is_served(Scene(GetParam())));
  EXPECT_TRUE(
      ungranted_is_served(Scene(GetParam(), {first_of_all("to_gateway", {nft::Accept{}}),
                                             first_of_all("from_gateway", {nft::Accept{}})})));
}

// A right that goes acts on a conversation that is under way.
bool goes_on_in_another_cohort(Scene scene) {
  const auto dns = scene.listen(53, SOCK_DGRAM);
  const Packet question = scene.datagram(scene.laptop(), scene.gateway(), 53);
  EXPECT_TRUE(heard(scene, dns, question));
  // The answer makes the flow an established one.
  scene.space().in([&] {
    netns::must("conntrack -U --orig-src " + scene.laptop().to_string() + " -p udp -f " +
                (scene.v4() ? "ipv4" : "ipv6") + " --status SEEN_REPLY,ASSURED >/dev/null 2>&1");
  });
  scene.rules.edit_tables(
      [&](Tables& tables) { tables.cohorts[scene.laptop()] = {Cohort(0xfffe)}; });
  return heard(scene, dns, question);
}

TEST_P(Services, AConversationEndsWithTheCohort) {
  EXPECT_FALSE(goes_on_in_another_cohort(Scene(GetParam())));
  EXPECT_TRUE(goes_on_in_another_cohort(Scene(GetParam(), {established_first("input")})));
}

// A granted network may contain the gateway's other addresses: its services are not meant.
bool served_at_the_uplink(Scene scene) {
  scene.rules.edit([](model::PolicyBuilder& staff) {
    staff.resource("street", Classification::internal, {"192.0.2.0/24", "2001:db8:1::/64"},
                   {"https"});
    staff.grant("tanaka-street", "tanaka", "street");
  });
  const auto panel = scene.listen(443, SOCK_STREAM);
  return scene.answers(scene.syn(scene.laptop(), scene.uplink(), 443));
}

TEST_P(Services, OnlyAtTheTunnelAddress) {
  EXPECT_FALSE(served_at_the_uplink(Scene(GetParam())));
  EXPECT_TRUE(served_at_the_uplink(
      Scene(GetParam(), {without("to_gateway", "services are at the gateway's tunnel address")})));
}

// What must work: the gateway asks itself, at whichever address, with our routing too.
bool gateway_reaches_itself(Scene scene) {
  scene.rules.route_as_the_product();
  bool all = true;
  scene.space().in([&] {
    for (const IpAddress& address :
         {scene.pick("127.0.0.1", "::1"), scene.gateway(), scene.uplink()}) {
      all &= netns::run("ping -c1 -W1 " + address.to_string() + " >/dev/null") == 0;
    }
  });
  return all;
}

TEST_P(Services, TheGatewayReachesItself) {
  EXPECT_TRUE(gateway_reaches_itself(Scene(GetParam())));
  EXPECT_FALSE(
      gateway_reaches_itself(Scene(GetParam(), {without("preraw", "the gateway to itself")})));
}

}  // namespace
}  // namespace sekisho::attacks

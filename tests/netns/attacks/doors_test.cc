// Ways in and out that nobody granted.
#include <sys/socket.h>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class Doors : public Attack {};
SEKISHO_BOTH_FAMILIES(Doors);

const Weakening kUngrantedPasses = instead("first_packet", "not granted", {nft::Accept{}});

// HTTPS is granted, and nothing else.
bool leaves_where_tls_is_granted(Scene scene, const std::function<std::string(Scene&)>& packet) {
  for (const char* other : {"shell", "video", "port"}) scene.rules.withdraw(other);
  return scene.leaves(packet(scene));
}

std::string protocol_packet(const Scene& scene, std::uint8_t protocol) {
  return ip_packet(scene.laptop(), scene.server(), protocol, std::string(64, '\0'));
}

TEST_P(Doors, OtherProtocolsWhereTlsIsGranted) {
  using Make = std::function<std::string(Scene&)>;
  const std::vector<std::pair<const char*, Make>> packets{
      {"QUIC",
       [](Scene& scene) {
         return to_bytes(scene.datagram(scene.laptop(), scene.server(), 443, kQuicLong));
       }},
      {"ping",
       [](Scene& scene) {
         Packet echo = scene.datagram(scene.laptop(), scene.server(), 0);
         echo.protocol = scene.v4() ? Protocol::icmp : Protocol::icmpv6;
         return to_bytes(echo);
       }},
      {"IPv4 within", [](Scene& scene) { return protocol_packet(scene, 4); }},
      {"IPv6 within", [](Scene& scene) { return protocol_packet(scene, 41); }},
      {"GRE", [](Scene& scene) { return protocol_packet(scene, 47); }},
      {"ESP", [](Scene& scene) { return protocol_packet(scene, 50); }},
  };
  for (const auto& [name, make] : packets) {
    EXPECT_FALSE(leaves_where_tls_is_granted(Scene(GetParam()), make)) << name;
    EXPECT_TRUE(leaves_where_tls_is_granted(Scene(GetParam(), {kUngrantedPasses}), make)) << name;
  }
}

// An ICMP error belongs to the flow that it quotes, payload and all: to the granted server that is
// a way for some bytes (a known limit), to others it is none, and it ends with the grant.
bool error_leaves(Scene scene, const IpAddress& to, bool granted) {
  Talk talk(scene);
  talk.prove();
  if (!granted) scene.rules.withdraw("web");
  Packet quoted = talk.from_client("").back();
  quoted.tcp_flags = kAck;
  quoted.payload = std::string(800, 'q');
  return scene.leaves(icmp_error(scene.laptop(), to, quoted));
}

TEST_P(Doors, IcmpErrorsGoWhereTheirFlowGoes) {
  const Scene any(GetParam());
  EXPECT_TRUE(error_leaves(Scene(GetParam()), any.server(), true)) << "the limit";
  EXPECT_FALSE(error_leaves(Scene(GetParam()), any.server(), false));
  EXPECT_TRUE(error_leaves(Scene(GetParam(), {established_first("forward")}), any.server(), false));
  const Weakening unknown_passes = instead("unproven", "not granted", {nft::Accept{}});
  EXPECT_FALSE(error_leaves(Scene(GetParam()), any.stranger(), true));
  EXPECT_TRUE(error_leaves(Scene(GetParam(), {unknown_passes}), any.stranger(), true));
}

// With the whole internet granted: is that more than the internet?
bool internet_reaches(Scene scene, const IpAddress& to, bool everything) {
  scene.rules.edit(
      [](model::PolicyBuilder& staff) { staff.grant("tanaka-internet", "tanaka", "internet"); });
  if (everything) {
    scene.rules.edit_tables([&](Tables& tables) {
      const AtomMark all(0x20000, Check::tls);
      tables.atoms = {
          {{model::range(scene.v4() ? "0.0.0.0/0" : "::/0"), Protocol::tcp, PortRange::single(443)},
           all}};
      tables.grants[{tables.cohorts.at(scene.laptop()).cohort, all}] = {};
    });
  }
  return scene.passes(Wire::wg0, scene.syn(scene.laptop(), to, 443));
}

TEST_P(Doors, TheInternetIsNotTheDevicesNorTheMachinesAround) {
  const Scene any(GetParam());
  EXPECT_TRUE(internet_reaches(Scene(GetParam()), any.pick("9.9.9.9", "2620:fe::9"), false));
  for (const IpAddress& to :
       {any.phone(), any.pick("169.254.169.254", "fd00:ec2::254"),
        any.pick("10.0.0.1", "fd12:3456::1"), any.pick("100.64.0.1", "64:ff9b::a00:1")}) {
    EXPECT_FALSE(internet_reaches(Scene(GetParam()), to, false)) << to.to_string();
    EXPECT_TRUE(internet_reaches(Scene(GetParam()), to, true)) << to.to_string();
  }
}

// From outside, at the gateway's address in the tunnel.
bool tunnel_address_answers(Scene scene) {
  const auto listener = scene.listen(443, SOCK_STREAM);
  const auto out = scene.send(Wire::up0, scene.syn(scene.stranger(), scene.gateway(), 443));
  return !out.empty();
}

TEST_P(Doors, TheTunnelAddressFromOutside) {
  EXPECT_FALSE(tunnel_address_answers(Scene(GetParam())));
  EXPECT_TRUE(tunnel_address_answers(Scene(GetParam(), {without("preraw", "probed")})));
}

// From outside, at a device (CVE-2019-14899): as a stranger, and as the server of a live flow whose
// ports were guessed.
bool device_is_probed(Scene scene) {
  Talk talk(scene);
  talk.prove();
  Packet forged = talk.from_client("").back();
  forged.tcp_flags = kSyn | kAck;
  return scene.enters(forged) || scene.enters(scene.syn(scene.stranger(), scene.laptop(), 443)) ||
         scene.enters(scene.datagram(scene.stranger(), scene.laptop(), 53));
}

TEST_P(Doors, DevicesFromOutside) {
  EXPECT_FALSE(device_is_probed(Scene(GetParam())));
  EXPECT_TRUE(device_is_probed(
      Scene(GetParam(), {without("preraw", "probed"),
                         instead("to_tunnel", "nobody opens a flow", {nft::Accept{}})})));
}

// From outside with a device's address as source: to the world, to the gateway itself.
bool spoofing_works(Scene scene) {
  const auto listener = scene.listen(443, SOCK_STREAM);
  const auto to_world = scene.send(Wire::up0, scene.syn(scene.laptop(), scene.server(), 443));
  const auto to_us = scene.send(Wire::up0, scene.syn(scene.laptop(), scene.uplink(), 443));
  return !to_world.empty() || !to_us.empty();
}

TEST_P(Doors, ADevicesAddressFromOutside) {
  EXPECT_FALSE(spoofing_works(Scene(GetParam())));
  EXPECT_TRUE(spoofing_works(Scene(GetParam(), {without("preraw", "spoofed")})));
}

// Port shadow (CVE-2021-3773): a device sends from WireGuard's port to where another's tunnel
// comes from; what that one sends to WireGuard then goes to the device.
bool tunnel_is_stolen(Scene scene) {
  Packet bait = scene.datagram(scene.laptop(), scene.server(), 7000);
  bait.source_port = 51820;
  EXPECT_TRUE(scene.leaves(bait));
  Packet handshake = scene.datagram(scene.server(), scene.uplink(), 51820);
  handshake.source_port = 7000;
  return scene.enters(handshake);
}

TEST_P(Doors, WireGuardsPortIsNotStolen) {
  const Weakening any_port = [](Ruleset& ruleset) {
    change_rules(ruleset, "postrouting", "never with a port of the gateway's own",
                 [](nft::Rule& rule) { rule.statements.back() = nft::Masquerade{}; });
  };
  const Weakening tracked = without("preraw", "no port shadow");
  EXPECT_FALSE(tunnel_is_stolen(Scene(GetParam())));
  EXPECT_FALSE(tunnel_is_stolen(Scene(GetParam(), {any_port}))) << "either of the two suffices";
  EXPECT_FALSE(tunnel_is_stolen(Scene(GetParam(), {tracked}))) << "either of the two suffices";
  EXPECT_TRUE(tunnel_is_stolen(Scene(GetParam(), {any_port, tracked})));
}

// Only our own WireGuard stays out of conntrack, not that of others behind this machine.
bool is_tracked(Scene scene, const IpAddress& to) {
  Packet handshake = scene.datagram(scene.stranger(), to, 51820);
  scene.send(Wire::up0, handshake);
  const std::string flows = scene.rules.output_of(std::string("conntrack -L -f ") +
                                                  (scene.v4() ? "ipv4" : "ipv6") + " 2>/dev/null");
  return flows.find("dport=51820") != std::string::npos;
}

TEST_P(Doors, OnlyOurOwnWireGuardIsUntracked) {
  const Scene any(GetParam());
  EXPECT_TRUE(is_tracked(Scene(GetParam()), any.server()));
  EXPECT_FALSE(is_tracked(
      Scene(GetParam(), {lacking<nft::ToLocalAddress>("preraw", "no port shadow")}), any.server()));
  EXPECT_FALSE(is_tracked(Scene(GetParam()), any.uplink()));
  EXPECT_TRUE(is_tracked(Scene(GetParam(), {without("preraw", "no port shadow")}), any.uplink()));
}

}  // namespace
}  // namespace sekisho::attacks

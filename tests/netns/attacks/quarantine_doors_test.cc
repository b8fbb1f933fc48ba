// Flows that a quarantined device would begin, and flows that others would begin for it.
#include "tests/netns/attacks/quarantine.h"

namespace sekisho::attacks {
namespace {

using Make = std::string (*)(Ward&);

// The quarantine, then one packet of the device: does it leave into the world?
std::function<bool(Ward&)> with_a_packet(Make make) {
  return [=](Ward& ward) {
    ward.quarantine();
    return ward.scene.leaves(make(ward));
  };
}

// As the laptop's, to the server.
template <std::uint16_t port>
std::string syn(Ward& ward) {
  return to_bytes(ward.scene.syn(ward.scene.laptop(), ward.scene.server(), port));
}

template <std::uint8_t protocol>
std::string of_protocol(Ward& ward) {
  return ip_packet(ward.scene.laptop(), ward.scene.server(), protocol, std::string(64, '\0'));
}

std::string quic(Ward& ward) {
  return to_bytes(ward.scene.datagram(ward.scene.laptop(), ward.scene.server(), 443, kQuicLong));
}

std::string udp(Ward& ward) {
  return to_bytes(ward.scene.datagram(ward.scene.laptop(), ward.scene.server(), 7000));
}

std::string foreign_dns(Ward& ward) {
  return to_bytes(ward.scene.datagram(ward.scene.laptop(), ward.scene.stranger(), 53));
}

std::string ping(Ward& ward) {
  Packet echo = ward.scene.datagram(ward.scene.laptop(), ward.scene.server(), 0);
  echo.protocol = ward.scene.v4() ? Protocol::icmp : Protocol::icmpv6;
  return to_bytes(echo);
}

// Addresses that no device has: of the pool, and of the server itself.
std::string unknown_source(Ward& ward) {
  const IpAddress unknown = ward.scene.pick("10.66.0.99", "fd66::99");
  return to_bytes(ward.scene.syn(unknown, ward.scene.server(), 443));
}

// What refuses it is told to whose address it is, out in the world.
bool source_outside_the_pool(Ward& ward) {
  ward.quarantine();
  return ward.scene.passes(Wire::wg0,
                           ward.scene.syn(ward.scene.stranger(), ward.scene.server(), 443));
}

bool in_fragments(Ward& ward) {
  ward.quarantine();
  Packet datagram = ward.scene.datagram(ward.scene.laptop(), ward.scene.server(), 7000);
  datagram.payload = std::string(100, 'f');
  bool passed = false;
  for (const auto& piece : netns::in_fragments(datagram)) passed |= ward.scene.leaves(piece);
  return passed;
}

// Answers a question that nobody asked.
bool syn_ack(Ward& ward) {
  ward.quarantine();
  Packet answer = ward.scene.syn(ward.scene.laptop(), ward.scene.server(), 443);
  answer.tcp_flags = kSyn | kAck;
  return ward.scene.leaves(answer);
}

bool other_family(Ward& ward) {
  ward.quarantine();
  ward.scene.turn_to(ward.scene.v4() ? Family::v6 : Family::v4);
  return ward.scene.leaves(ward.scene.syn(ward.scene.laptop(), ward.scene.server(), 443));
}

// From the office, where it is routed to the devices.
bool office_opens(Ward& ward) {
  ward.quarantine();
  return ward.scene.enters(ward.scene.syn(ward.scene.server(), ward.scene.laptop(), 22));
}

// From outside, where another table forwards a port of the gateway to the device.
bool port_forwarding(Ward& ward) {
  ward.add_foreign("type nat hook prerouting priority -100",
                   ward.scene.v4() ? "meta nfproto ipv4 tcp dport 8443 dnat ip to 10.66.0.2:443"
                                   : "meta nfproto ipv6 tcp dport 8443 dnat ip6 to [fd66::2]:443");
  ward.quarantine();
  return ward.scene.enters(ward.scene.syn(ward.scene.stranger(), ward.scene.uplink(), 8443));
}

// Another table leaves a mark that would be a cohort's: of one in good standing, or of the
// isolated.
bool left_over_cohort(Ward& ward, Cohort cohort, const IpAddress& to) {
  ward.add_foreign("type filter hook forward priority -10",
                   "meta mark set " + std::to_string(cohort.value()));
  ward.quarantine();
  return ward.scene.leaves(ward.scene.syn(ward.scene.laptop(), to, 443));
}

bool cohort_of_one_in_good_standing(Ward& ward) {
  ward.scene.rules.edit(
      [](model::PolicyBuilder& staff) { staff.grant("suzuki-web", "suzuki", "web"); });
  const Tables& tables = ward.scene.rules.tables();
  return left_over_cohort(ward, tables.cohorts.at(ward.scene.phone()).cohort, ward.scene.server());
}

bool cohort_of_the_isolated(Ward& ward) {
  return left_over_cohort(ward, kIsolatedCohort, ward.updates());
}

// Another table gives new flows the mark of a destination that the isolated may reach.
bool preset_mark(Ward& ward, const IpAddress& to) {
  ward.add_foreign("type filter hook prerouting priority -150",
                   "ct state new ct mark set " +
                       std::to_string(ward.proven_mark(ward.updates(), Protocol::tcp, 443)));
  ward.quarantine();
  return ward.scene.leaves(ward.scene.syn(ward.scene.laptop(), to, 443));
}

// A connection to the remediation resource, of which conntrack expects another.
bool expected_connection(Ward& ward) {
  ward.scene.rules.help_with("ftp", "tcp", 21);
  Talk control(ward.scene, ward.scene.syn(ward.scene.laptop(), ward.updates(), 21));
  EXPECT_TRUE(control.server("220 ready\r\n"));
  EXPECT_TRUE(control.client("EPSV\r\n"));
  EXPECT_TRUE(control.server("229 Entering Extended Passive Mode (|||8000|)\r\n"));
  EXPECT_NE(ward.scene.rules.output_of("cat /proc/net/nf_conntrack_expect"), "")
      << "nothing is expected";
  ward.quarantine();
  return ward.scene.leaves(ward.scene.syn(ward.scene.laptop(), ward.updates(), 8000));
}

// The remediation resource as a springboard: the ports of a flow to it, to somewhere else.
bool springboard_ports(Ward& ward) {
  ward.quarantine();
  Packet syn = ward.scene.syn(ward.scene.laptop(), ward.updates(), 443);
  ward.scene.leaves(syn);
  syn.destination = ward.scene.server();
  return ward.scene.leaves(syn);
}

// Another port of the same host, with the source port of a flow to it.
bool springboard_host(Ward& ward) {
  ward.quarantine();
  Packet syn = ward.scene.syn(ward.scene.laptop(), ward.updates(), 443);
  ward.scene.leaves(syn);
  syn.destination_port = 22;
  return ward.scene.leaves(syn);
}

// An ICMP error about a flow to it, sent to somewhere else.
bool springboard_icmp(Ward& ward) {
  const Packet syn = ward.scene.syn(ward.scene.laptop(), ward.updates(), 443);
  Talk talk(ward.scene, syn);
  talk.prove();
  ward.quarantine();
  Packet quoted = talk.from_client("").back();
  quoted.tcp_flags = kAck;
  quoted.payload = std::string(800, 'q');
  return ward.scene.leaves(icmp_error(ward.scene.laptop(), ward.scene.server(), quoted));
}

// Plain text to it, where TLS is what it offers.
bool springboard_text(Ward& ward) {
  const Packet syn = ward.scene.syn(ward.scene.laptop(), ward.updates(), 443);
  ward.quarantine();
  if (!ward.scene.leaves(syn)) return false;
  Talk talk(ward.scene, ward.scene.syn(ward.scene.laptop(), ward.updates(), 443));
  return talk.client(kHttp);
}

// Port shadow (CVE-2021-3773): from WireGuard's port to the remediation resource, so that what that
// one sends to WireGuard comes to the device.
bool port_shadow(Ward& ward) {
  Packet bait = ward.scene.datagram(ward.scene.laptop(), ward.updates(), 7000);
  bait.source_port = 51820;
  EXPECT_TRUE(ward.scene.leaves(bait));
  ward.quarantine();
  ward.scene.leaves(bait);
  Packet handshake = ward.scene.datagram(ward.updates(), ward.scene.uplink(), 51820);
  handshake.source_port = 7000;
  return ward.scene.enters(handshake);
}

std::vector<Attempt> attempts() {
  const std::vector<Weakening> ungranted{ungranted_passes()};
  const std::vector<Weakening> unproven{instead("unproven", "not granted", {nft::Accept{}})};
  const std::vector<Weakening> never_cleared{without("from_tunnel", "no cohort until one is found"),
                                             without("to_tunnel", "no cohort until one is found"),
                                             without("from_tunnel", "who asks"),
                                             without("to_tunnel", "who is answered")};
  const std::vector<Weakening> opened_from_outside{
      instead("to_tunnel", "nobody opens a flow", {nft::Accept{}}), without_the_last_word()};
  const Weakening any_port = [](Ruleset& ruleset) {
    change_rules(ruleset, "postrouting", "never with a port of the gateway's own",
                 [](nft::Rule& rule) { rule.statements.back() = nft::Masquerade{}; });
  };
  const auto packet = with_a_packet;
  return {
      {.name = "a new source port",
       .succeeds = packet(syn<443>),
       .open = ungranted,
       .in_good_standing = true},
      {.name = "another port of the server",
       .succeeds = packet(syn<22>),
       .open = ungranted,
       .in_good_standing = true},
      {.name = "QUIC", .succeeds = packet(quic), .open = ungranted, .in_good_standing = true},
      {.name = "UDP", .succeeds = packet(udp), .open = ungranted, .in_good_standing = true},
      {.name = "in fragments",
       .succeeds = in_fragments,
       .open = ungranted,
       .in_good_standing = true},
      {.name = "the other family",
       .succeeds = other_family,
       .how = How::one_family,
       .in_good_standing = true},
      {.name = "a foreign name server", .succeeds = packet(foreign_dns), .open = ungranted},
      {.name = "ping", .succeeds = packet(ping), .open = ungranted},
      {.name = "IPv4 within", .succeeds = packet(of_protocol<4>), .open = ungranted},
      {.name = "IPv6 within", .succeeds = packet(of_protocol<41>), .open = ungranted},
      {.name = "GRE", .succeeds = packet(of_protocol<47>), .open = ungranted},
      {.name = "ESP", .succeeds = packet(of_protocol<50>), .open = ungranted},
      {.name = "an answer nobody asked for", .succeeds = syn_ack, .open = unproven},
      {.name = "an unknown tunnel address", .succeeds = packet(unknown_source), .open = ungranted},
      {.name = "a source outside the pool", .succeeds = source_outside_the_pool, .open = ungranted},
      {.name = "the office opens",
       .succeeds = office_opens,
       .open = opened_from_outside,
       .routed = true},
      {.name = "a port is forwarded to it",
       .succeeds = port_forwarding,
       .open = opened_from_outside},
      {.name = "a mark of a cohort in good standing",
       .succeeds = cohort_of_one_in_good_standing,
       .open = never_cleared,
       .in_good_standing = true},
      {.name = "the mark of the isolated",
       .succeeds = cohort_of_the_isolated,
       .open = never_cleared,
       .in_good_standing = true,
       .levels = {Hold::cut}},
      {.name = "a preset ct mark where there is an atom",
       .succeeds = [](Ward& ward) { return preset_mark(ward, ward.scene.server()); },
       .open = {without("from_tunnel", "a SYN finds its atom anew")},
       .in_good_standing = true,
       .levels = {Hold::isolate}},
      {.name = "a preset ct mark where there is none",
       .succeeds = [](Ward& ward) { return preset_mark(ward, ward.scene.stranger()); },
       .open = {without("first_packet", "whatever the entry carried")},
       .levels = {Hold::isolate}},
      {.name = "an expected connection of the isolated",
       .succeeds = expected_connection,
       .open = {without("from_tunnel", "a SYN finds its atom anew"),
                without("from_tunnel", "an expected flow finds its own atom")},
       .levels = {Hold::isolate}},
      {.name = "an expected connection of the cut",
       .succeeds = expected_connection,
       .open = {established_first("forward")},
       .levels = {Hold::cut}},
      {.name = "springboard by its ports",
       .succeeds = springboard_ports,
       .open = ungranted,
       .in_good_standing = true},
      {.name = "springboard by another port of it",
       .succeeds = springboard_host,
       .open = ungranted},
      {.name = "springboard by ICMP", .succeeds = springboard_icmp, .open = unproven},
      {.name = "springboard by plain text",
       .succeeds = springboard_text,
       .open = {without("check_tls", "payload, and no TLS handshake")},
       .levels = {Hold::isolate}},
      {.name = "port shadow",
       .succeeds = port_shadow,
       .open = {any_port, without("preraw", "no port shadow"), established_first("forward")}},
  };
}

SEKISHO_QUARANTINE(QuarantinedDoors, attempts());

}  // namespace
}  // namespace sekisho::attacks

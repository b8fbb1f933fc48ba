// Flows that live when the device is quarantined.
#include <algorithm>

#include "tests/netns/attacks/quarantine.h"
#include "tests/netns/attacks/storm.h"

namespace sekisho::attacks {
namespace {

using FromTalk = bool (*)(Ward&, Talk&);

// A flow that lives, the quarantine, then `attempt`.
std::function<bool(Ward&)> with_a_live_flow(FromTalk attempt) {
  return [=](Ward& ward) {
    Talk talk(ward.scene);
    talk.prove();
    ward.quarantine();
    return attempt(ward, talk);
  };
}

bool one_passes(Ward& ward, Wire::End from, const std::vector<std::string>& packets) {
  return std::ranges::any_of(packets, [&](const std::string& packet) {
    return from == Wire::wg0 ? ward.scene.leaves(packet) : ward.scene.enters(packet);
  });
}

// Segments without data hold an entry of conntrack for days.
bool keep_alives(Ward&, Talk& talk) {
  bool passed = false;
  for (int i = 0; i < 20; ++i) passed |= talk.client("") || talk.server("");
  return passed;
}

bool data_in_resets_and_ends(Ward&, Talk& talk) {
  bool passed = false;
  for (const std::uint8_t flag : {kFin, kRst}) {
    passed |= talk.client(talk.from_client("the end", flag | kAck));
    passed |= talk.server(talk.from_server("the end", flag | kAck));
  }
  return passed;
}

bool same_ports_again(Ward&, Talk& talk) {
  Packet syn = talk.from_client("", kSyn);
  syn.sequence += 100'000;
  return talk.client(syn);
}

bool fragments(Ward& ward, Talk& talk) {
  return one_passes(ward, Wire::wg0, netns::in_fragments(talk.from_client("in fragments"))) ||
         one_passes(ward, Wire::up0, netns::in_fragments(talk.from_server("in fragments")));
}

// All but the last wait in the gateway while the device is quarantined.
bool last_fragment(Ward& ward) {
  Talk talk(ward.scene);
  talk.prove();
  const auto pieces = netns::in_fragments(talk.from_client("the last of them comes late"));
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
    EXPECT_TRUE(ward.scene.send(Wire::wg0, pieces[i]).empty());
  }
  ward.quarantine();
  return ward.scene.leaves(pieces.back());
}

bool ip_options(Ward& ward, Talk& talk) {
  return ward.scene.leaves(netns::with_options(talk.from_client("with options")));
}

const std::string kQuoted(800, 'q');

bool icmp_error_out(Ward& ward, Talk& talk) {
  Packet quoted = talk.from_client("").back();
  quoted.tcp_flags = kAck;
  quoted.payload = kQuoted;
  return ward.scene.leaves(icmp_error(ward.scene.laptop(), ward.scene.server(), quoted));
}

bool icmp_error_in(Ward& ward, Talk& talk) {
  Packet quoted = talk.from_server("").back();
  quoted.tcp_flags = kAck;
  quoted.payload = kQuoted;
  return ward.scene.enters(icmp_error(ward.scene.stranger(), quoted.source, quoted));
}

// The resurrection: what was purged is begun anew by what the server retransmits until it is
// heard, the other way round.
bool resumed_by_the_server(Ward& ward, Talk& talk) {
  ward.scene.rules.purge();
  return talk.server("from the server") || talk.server("again");
}

bool resumed_by_the_client(Ward& ward, Talk& talk) {
  ward.scene.rules.purge();
  return talk.client(kTlsHello);
}

// And when the client has answered what the server began.
bool resumed_by_both(Ward& ward, Talk& talk) {
  ward.scene.rules.purge();
  const bool down = talk.server("from the server");
  return talk.client("from the client") || talk.server("again") || down;
}

// Where the entry is purged and the rules stay, or the other way round.
bool purged_and_opened_anew(Ward& ward, Talk& talk) {
  ward.scene.rules.purge();
  return same_ports_again(ward, talk);
}

struct Datagrams {
  Packet out, back;
};

// A conversation over UDP that both sides take part in.
Datagrams open_datagrams(Scene& scene, std::uint16_t port, const std::string& opening) {
  Datagrams open{scene.datagram(scene.laptop(), scene.server(), port, opening), {}};
  for (const auto& arrival : scene.send(Wire::wg0, open.out)) {
    const auto far = netns::parse(arrival.bytes);
    if (arrival.at == Wire::up0 && far) open.back = far->back();
  }
  open.back.payload = opening;
  EXPECT_TRUE(scene.enters(open.back));
  return open;
}

bool quic_goes_on(Ward& ward) {
  Datagrams flow = open_datagrams(ward.scene, 443, kQuicLong);
  ward.quarantine();
  flow.out.payload = flow.back.payload = kQuicShort;
  const bool out = ward.scene.leaves(flow.out);
  return ward.scene.enters(flow.back) || out;
}

bool udp_goes_on(Ward& ward) {
  const Datagrams flow = open_datagrams(ward.scene, 7000, "datagram");
  ward.quarantine();
  const bool out = ward.scene.leaves(flow.out);
  return ward.scene.enters(flow.back) || out;
}

// What was asked before is answered after.
bool late_answer(Ward& ward) {
  const Datagrams flow = open_datagrams(ward.scene, 7000, "datagram");
  ward.quarantine();
  return ward.scene.enters(flow.back);
}

Family other(Family family) {
  return family == Family::v4 ? Family::v6 : Family::v4;
}

bool other_family_goes_on(Ward& ward) {
  const Family quarantined = ward.scene.family();
  ward.scene.turn_to(other(quarantined));
  Talk talk(ward.scene);
  talk.prove();
  ward.scene.turn_to(quarantined);
  ward.quarantine();
  return talk.goes_on();
}

// Destinations are cut anew, and live flows get their new marks.
bool remarked(Ward& ward) {
  Scene& scene = ward.scene;
  scene.rules.edit([](model::PolicyBuilder& staff) {
    staff.policy.resources.at(ResourceId("web")).prefixes = {model::prefix("203.0.113.0/24"),
                                                             model::prefix("2001:db8:2::/64")};
  });
  const IpAddress other = scene.pick("203.0.113.30", "2001:db8:2::30");
  Talk talk(scene, scene.syn(scene.laptop(), other, 443));
  talk.prove();
  ward.quarantine();
  const std::uint32_t before = ward.proven_mark(other, Protocol::tcp, 443);
  scene.rules.edit_and_remark([](model::PolicyBuilder& staff) {
    staff.resource("half", Classification::confidential, {"203.0.113.0/25", "2001:db8:2::/120"},
                   {"https"});
    staff.grant("tanaka-half", "tanaka", "half", {}, kernel::in_seconds(3600));
  });
  EXPECT_NE(ward.proven_mark(other, Protocol::tcp, 443), before);
  return talk.goes_on();
}

// More is granted to the person meanwhile.
bool granted_more(Ward& ward, Talk& talk) {
  ward.scene.rules.edit([](model::PolicyBuilder& staff) {
    staff.resource("more", Classification::internal, {"198.51.100.9/32", "2001:db8:9::9/128"},
                   {"https"});
    staff.grant("tanaka-more", "tanaka", "more");
  });
  return talk.goes_on() ||
         ward.scene.leaves(ward.scene.syn(ward.scene.laptop(), ward.scene.stranger(), 443));
}

// Whether anything passed that was sent once the change was made and read back.
bool storm_passes(Ward& ward, bool purged) {
  Talk talk(ward.scene);
  talk.prove();
  const Storm storm(ward.scene, talk);
  EXPECT_TRUE(storm.wait_to_arrive(100));
  ward.quarantine();
  if (purged) ward.scene.rules.purge();
  const std::uint64_t under_way = storm.sent();
  EXPECT_TRUE(storm.wait_to_send(under_way + 2000));
  return storm.last_arrived() > under_way;
}

std::vector<Attempt> attempts() {
  const std::vector<Weakening> kept{established_first("forward")};
  const std::vector<Weakening> anything{established_first("forward"), ungranted_passes()};
  const std::vector<Weakening> unjudged{without("forward", "a device is answered"),
                                        without("forward", "to a device, but not into the tunnel"),
                                        without_the_last_word()};
  const auto live = with_a_live_flow;
  return {
      {.name = "data of the device",
       .succeeds = live([](Ward&, Talk& talk) { return talk.client("from the client"); }),
       .open = kept,
       .in_good_standing = true},
      {.name = "data of the server",
       .succeeds = live([](Ward&, Talk& talk) { return talk.server("from the server"); }),
       .open = kept,
       .in_good_standing = true},
      {.name = "keep alives",
       .succeeds = live(keep_alives),
       .open = kept,
       .in_good_standing = true},
      {.name = "data in resets and ends",
       .succeeds = live(data_in_resets_and_ends),
       .open = kept,
       .in_good_standing = true},
      {.name = "fragments", .succeeds = live(fragments), .open = kept, .in_good_standing = true},
      {.name = "the last fragment",
       .succeeds = last_fragment,
       .open = kept,
       .in_good_standing = true},
      {.name = "IP options", .succeeds = live(ip_options), .open = kept, .in_good_standing = true},
      {.name = "ICMP error of the device",
       .succeeds = live(icmp_error_out),
       .open = kept,
       .in_good_standing = true},
      {.name = "ICMP error from outside",
       .succeeds = live(icmp_error_in),
       .open = kept,
       .in_good_standing = true},
      {.name = "resumed by the server",
       .succeeds = live(resumed_by_the_server),
       .open = unjudged,
       .routed = true},
      {.name = "resumed by the client",
       .succeeds = live(resumed_by_the_client),
       .open = {ungranted_passes()},
       .in_good_standing = true,
       .routed = true},
      {.name = "resumed by both",
       .succeeds = live(resumed_by_both),
       .open = unjudged,
       .routed = true},
      {.name = "the same ports again",
       .succeeds = live(same_ports_again),
       .open = {ungranted_passes()},
       .in_good_standing = true},
      {.name = "purged and opened anew",
       .succeeds = live(purged_and_opened_anew),
       .how = How::purge_alone,
       .in_good_standing = true},
      {.name = "QUIC", .succeeds = quic_goes_on, .open = kept, .in_good_standing = true},
      {.name = "UDP", .succeeds = udp_goes_on, .open = kept, .in_good_standing = true},
      {.name = "a late answer over UDP",
       .succeeds = late_answer,
       .open = kept,
       .in_good_standing = true},
      {.name = "the flow of the other family",
       .succeeds = other_family_goes_on,
       .how = How::one_family,
       .in_good_standing = true},
      {.name = "destinations cut anew",
       .succeeds = remarked,
       .open = kept,
       .in_good_standing = true},
      {.name = "granted more",
       .succeeds = live(granted_more),
       .open = kept,
       .in_good_standing = true},
      {.name = "a storm",
       .succeeds = [](Ward& ward) { return storm_passes(ward, false); },
       .open = kept,
       .in_good_standing = true},
      {.name = "a storm over a purge",
       .succeeds = [](Ward& ward) { return storm_passes(ward, true); },
       .open = anything,
       .routed = true},
  };
}

SEKISHO_QUARANTINE(QuarantinedFlows, attempts());

}  // namespace
}  // namespace sekisho::attacks

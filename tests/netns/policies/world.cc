#include "tests/netns/policies/world.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

namespace sekisho::policies {
namespace {

using netns::kAck;
using netns::kRst;
using netns::kSyn;
using netns::Packet;

constexpr std::uint32_t kClientSequence = 1000, kServerSequence = 5000;

std::string first_bytes(Opening opening) {
  switch (opening) {
    case Opening::nothing:
      return {};
    case Opening::tls:
      return {"\x16\x03\x01\x00\x01\x01", 6};
    case Opening::ssh:
      return "SSH-2.0-test\r\n";
    case Opening::quic:
      return {"\xc0\x00\x00\x00\x01\x00", 6};
    case Opening::other:
      return "GET / HTTP/1.1\r\n\r\n";
  }
  return {};
}

std::string what_udp_says(Opening opening, Check check) {
  if (opening != Opening::nothing) return first_bytes(opening);
  return first_bytes(check == Check::quic ? Opening::quic : Opening::other);
}

bool is_echo(const Packet& packet) {
  return packet.protocol == Protocol::icmp || packet.protocol == Protocol::icmpv6;
}

}  // namespace

World::World() {
  for (const std::uint16_t port : std::to_array<std::uint16_t>({22, 25, 53, 80, 443, 8443})) {
    tcp_listeners_[port] = wire_.listen(port, SOCK_STREAM);
    udp_listeners_[port] = wire_.listen(port, SOCK_DGRAM);
  }
}

std::optional<World::Arrival> World::come_out() {
  while (const auto arrived = wire_.take()) {
    if (const auto packet = netns::parse(arrived->bytes)) return Arrival{arrived->at, *packet};
  }
  return std::nullopt;
}

std::optional<World::Arrival> World::through(Wire::End end, const Packet& packet,
                                             const IpAddress& destination) {
  // What no interface would take (a multicast source, say) never began.
  if (!wire_.put(end, to_bytes(packet))) return std::nullopt;
  std::optional<Arrival> arrived;
  while (auto next = come_out()) {
    const Packet& out = next->packet;
    const bool is_it = out.destination == destination && out.protocol == packet.protocol &&
                       out.tcp_flags == packet.tcp_flags && out.payload == packet.payload;
    if (is_it && !arrived) {
      arrived = std::move(next);
    } else if ((out.tcp_flags & kRst) == 0) {
      ++strays_;
    }
  }
  return arrived;
}

bool World::tcp_opens(const Packet& syn, const Arrival& far, const std::string& client_says,
                      const std::string& server_says) {
  Packet answer = far.packet.back();
  answer.tcp_flags = kSyn | kAck;
  answer.sequence = kServerSequence;
  answer.acknowledged = kClientSequence + 1;
  if (!through(far.at, answer, syn.source)) return false;

  Packet client = syn;
  client.tcp_flags = kAck;
  client.sequence = kClientSequence + 1;
  client.acknowledged = kServerSequence + 1;
  client.payload = client_says;
  if (!through(Wire::wg0, client, syn.destination)) return false;

  answer.tcp_flags = kAck;
  answer.sequence = kServerSequence + 1;
  answer.acknowledged = client.sequence + static_cast<std::uint32_t>(client_says.size());
  answer.payload = server_says;
  return through(far.at, answer, syn.source).has_value();
}

// The gateway's own services: the listener has the request, or has answered the SYN.
Verdict World::ask_gateway(const Packet& first) {
  EXPECT_TRUE(wire_.put(Wire::wg0, to_bytes(first)));
  bool reached = false;
  while (const auto next = come_out()) {
    const Packet& out = next->packet;
    if (out.destination == first.source && out.destination_port == first.source_port) {
      reached |= out.tcp_flags == (kSyn | kAck);
    } else {
      ++strays_;
    }
  }
  if (reached) {
    Packet reset = first;
    reset.tcp_flags = kRst;
    reset.sequence = kClientSequence + 1;
    through(Wire::wg0, reset, first.destination);
  }
  if (const auto listener = udp_listeners_.find(first.destination_port);
      first.protocol == Protocol::udp && listener != udp_listeners_.end()) {
    std::array<char, 64> heard;
    reached = ::recv(listener->second.get(), heard.data(), heard.size(), 0) > 0;
  }
  return reached ? Verdict::permit : Verdict::refuse;
}

Packet World::first_packet(const Flow& flow, Check check) {
  next_port_ =
      next_port_ == 60000 ? std::uint16_t{20000} : static_cast<std::uint16_t>(next_port_ + 1);
  Packet first{.source = flow.source,
               .destination = flow.destination,
               .protocol = flow.protocol,
               .source_port = next_port_,
               .destination_port = flow.port.value()};
  if (flow.protocol == Protocol::tcp) {
    first.tcp_flags = kSyn;
    first.sequence = kClientSequence;
  } else {
    first.payload = what_udp_says(flow.opening, check);
  }
  return first;
}

std::optional<World::Live> World::open(const Flow& flow, Check check) {
  const Packet first = first_packet(flow, check);
  const auto far = through(Wire::wg0, first, flow.destination);
  if (!far) return std::nullopt;
  Live live{.client = first, .server = far->packet.back(), .far = far->at};
  if (flow.protocol == Protocol::tcp) {
    const std::string says = first_bytes(flow.opening);
    if (!tcp_opens(first, *far, says, says)) return std::nullopt;
    const auto said = static_cast<std::uint32_t>(says.size());
    live.client.tcp_flags = live.server.tcp_flags = kAck;
    live.client.sequence = live.server.acknowledged = kClientSequence + 1 + said;
    live.server.sequence = live.client.acknowledged = kServerSequence + 1 + said;
  } else {
    live.server.payload = first.payload;
    if (!through(live.far, live.server, flow.source)) return std::nullopt;
  }
  live.client.payload = live.server.payload = "and so on";
  return live;
}

World::Passed World::talk(Live& live) {
  Passed passed;
  passed.client = through(Wire::wg0, live.client, live.client.destination).has_value();
  passed.server = through(live.far, live.server, live.client.source).has_value();
  const auto said = static_cast<std::uint32_t>(live.client.payload.size());
  if (live.client.protocol == Protocol::tcp && passed.client && passed.server) {
    live.client.sequence = live.server.acknowledged = live.client.sequence + said;
    live.server.sequence = live.client.acknowledged = live.server.sequence + said;
  }
  return passed;
}

Verdict World::send(const Flow& flow, Check check) {
  const Packet first = first_packet(flow, check);
  const std::string says = first_bytes(flow.opening);
  if (flow.destination == IpAddress::parse("10.66.0.1").value() ||
      flow.destination == IpAddress::parse("fd66::1").value()) {
    return ask_gateway(first);
  }
  const auto far = through(Wire::wg0, first, flow.destination);
  if (!far) return Verdict::refuse;
  if (flow.opening == Opening::nothing || is_echo(first)) return Verdict::permit;
  if (flow.protocol == Protocol::tcp) {
    return tcp_opens(first, *far, says, says) ? Verdict::permit : Verdict::refuse;
  }
  Packet answer = far->packet.back();
  answer.payload = says;
  return through(far->at, answer, flow.source) ? Verdict::permit : Verdict::refuse;
}

}  // namespace sekisho::policies

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/ip.h"
#include "policy/base/ports.h"

// IP packets as bytes: what goes into a tunnel interface and comes out of it.
namespace sekisho::netns {

struct Packet {
  IpAddress source, destination;
  Protocol protocol = Protocol::tcp;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t tcp_flags = 0;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::string payload = {};
  std::string tcp_options = {};  // a multiple of four bytes

  // The other side's, without flags and payload.
  Packet back() const;
};

inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10, kUrg = 0x20;

// With right lengths and checksums (RFC 791, 8200, 9293, 768; ICMP: an echo request).
std::string to_bytes(const Packet& packet);

// The same in two steps. What the IP packet carries, with its checksum:
std::string transport_of(const Packet& packet);
// and any IP packet. `options` are a multiple of four bytes of IPv4; where IPv6 has extension
// headers they are the beginning of `body`. A fragment begins at `offset`, a multiple of eight.
struct Fragment {
  std::size_t offset = 0;
  bool more = false;
};
std::string ip_packet(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                      const std::string& body, const std::string& options = {},
                      std::optional<Fragment> fragment = {});

// The packet in fragments as small as can be. Over IPv6 the first holds the whole TCP header
// (RFC 8200, 4.5).
std::vector<std::string> in_fragments(const Packet& packet);

// The packet with something between its headers. IPv4: no-operation options. IPv6: a destination
// options header that only pads (RFC 8200).
std::string with_options(const Packet& packet);

// An ICMP error (host unreachable, RFC 792, 4443) from `from` to `to` that quotes all of `about`.
std::string icmp_error(const IpAddress& from, const IpAddress& to, const Packet& about);

// Nothing where it is neither TCP, UDP nor an echo request, or too short for what it says.
std::optional<Packet> parse(std::string_view bytes);

}  // namespace sekisho::netns

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "policy/base/ip.h"
#include "policy/base/ports.h"

// IP packets as bytes: what goes into a tunnel interface and comes out of it.
namespace sekisho::policies {

struct Packet {
  IpAddress source, destination;
  Protocol protocol = Protocol::tcp;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint8_t tcp_flags = 0;
  std::uint32_t sequence = 0, acknowledged = 0;
  std::string payload = {};

  // The other side's, without flags and payload.
  Packet back() const;
};

inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kAck = 0x10;

// With right lengths and checksums (RFC 791, 8200, 9293, 768; ICMP: an echo request).
std::string to_bytes(const Packet& packet);

// Nothing where it is neither TCP, UDP nor an echo request, or too short for what it says.
std::optional<Packet> parse(std::span<const std::uint8_t> bytes);

}  // namespace sekisho::policies

#include "tests/netns/gateway/packet.h"

#include <span>
#include <utility>

namespace sekisho::netns {
namespace {

constexpr std::size_t kHeader4 = 20, kHeader6 = 40, kTcpHeader = 20, kUdpHeader = 8;
constexpr std::uint8_t kEchoRequest4 = 8, kEchoRequest6 = 128;
constexpr std::uint8_t kFragmentHeader = 44;  // RFC 8200
constexpr char kTimeToLive = 64;

void add16(std::string& bytes, std::size_t value) {
  bytes.push_back(static_cast<char>(value >> 8));
  bytes.push_back(static_cast<char>(value));
}

void add32(std::string& bytes, std::uint32_t value) {
  add16(bytes, value >> 16);
  add16(bytes, value & 0xffff);
}

void add(std::string& bytes, const IpAddress& address) {
  for (const std::uint8_t byte : address.bytes()) bytes.push_back(static_cast<char>(byte));
}

void put16(std::string& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<char>(value >> 8);
  bytes[at + 1] = static_cast<char>(value);
}

// RFC 1071.
std::uint16_t checksum(const std::string& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    sum += i % 2 == 0 ? static_cast<std::uint32_t>(byte << 8) : byte;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// Part of what is summed, except in ICMP for IPv4.
std::string pseudo_header(const IpAddress& source, const IpAddress& destination, Protocol protocol,
                          std::size_t size) {
  std::string bytes;
  if (protocol == Protocol::icmp) return bytes;
  add(bytes, source);
  add(bytes, destination);
  add16(bytes, static_cast<std::size_t>(protocol));
  add16(bytes, size);
  return bytes;
}

std::uint32_t read(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) value = value << 8 | bytes[i];
  return value;
}

bool read_tcp(std::span<const std::uint8_t> bytes, Packet& packet) {
  if (bytes.size() < kTcpHeader) return false;
  const std::size_t header = static_cast<std::size_t>(bytes[12] >> 4) * 4;
  if (header < kTcpHeader || bytes.size() < header) return false;
  packet.sequence = read(bytes, 4, 4);
  packet.acknowledged = read(bytes, 8, 4);
  packet.tcp_flags = bytes[13];
  packet.tcp_options.assign(bytes.begin() + kTcpHeader,
                            bytes.begin() + static_cast<std::ptrdiff_t>(header));
  packet.payload.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
  return true;
}

bool read_transport(std::span<const std::uint8_t> bytes, Packet& packet) {
  if (bytes.size() < kUdpHeader) return false;
  switch (packet.protocol) {
    case Protocol::tcp:
    case Protocol::udp:
      packet.source_port = static_cast<std::uint16_t>(read(bytes, 0, 2));
      packet.destination_port = static_cast<std::uint16_t>(read(bytes, 2, 2));
      break;
    case Protocol::icmp:
      if (bytes[0] != kEchoRequest4) return false;
      break;
    case Protocol::icmpv6:
      if (bytes[0] != kEchoRequest6) return false;
      break;
  }
  if (packet.protocol == Protocol::tcp) return read_tcp(bytes, packet);
  packet.payload.assign(bytes.begin() + kUdpHeader, bytes.end());
  return true;
}

}  // namespace

Packet Packet::back() const {
  return {.source = destination,
          .destination = source,
          .protocol = protocol,
          .source_port = destination_port,
          .destination_port = source_port};
}

std::string transport_of(const Packet& packet) {
  std::size_t checksum_at = 0;
  std::string body;
  if (packet.protocol == Protocol::tcp) {
    add16(body, packet.source_port);
    add16(body, packet.destination_port);
    add32(body, packet.sequence);
    add32(body, packet.acknowledged);
    body.push_back(static_cast<char>((kTcpHeader + packet.tcp_options.size()) / 4 << 4));
    body.push_back(static_cast<char>(packet.tcp_flags));
    add16(body, 0xffff);  // window
    checksum_at = body.size();
    add16(body, 0);
    add16(body, (packet.tcp_flags & kUrg) != 0 ? packet.payload.size() : 0);
    body += packet.tcp_options;
  } else if (packet.protocol == Protocol::udp) {
    add16(body, packet.source_port);
    add16(body, packet.destination_port);
    add16(body, kUdpHeader + packet.payload.size());
    checksum_at = body.size();
    add16(body, 0);
  } else {
    const bool v4 = packet.protocol == Protocol::icmp;
    body.push_back(static_cast<char>(v4 ? kEchoRequest4 : kEchoRequest6));
    body.push_back(0);
    checksum_at = body.size();
    add16(body, 0);
    add16(body, packet.source_port);  // identifier
    add16(body, 1);
  }
  body += packet.payload;
  put16(body, checksum_at,
        checksum(pseudo_header(packet.source, packet.destination, packet.protocol, body.size()) +
                 body));
  return body;
}

std::string icmp_error(const IpAddress& from, const IpAddress& to, const Packet& about) {
  const bool v4 = from.family() == Family::v4;
  const Protocol protocol = v4 ? Protocol::icmp : Protocol::icmpv6;
  std::string body(8, '\0');
  body[0] = v4 ? 3 : 1;
  body[1] = v4 ? 1 : 3;
  body += to_bytes(about);
  put16(body, 2, checksum(pseudo_header(from, to, protocol, body.size()) + body));
  return ip_packet(from, to, static_cast<std::uint8_t>(protocol), body);
}

std::string ip_packet(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                      const std::string& body, const std::string& options,
                      std::optional<Fragment> fragment) {
  constexpr std::size_t kIdentification = 0x5e5e;
  std::string header;
  if (source.family() == Family::v4) {
    const std::size_t size = kHeader4 + options.size();
    header.push_back(static_cast<char>(0x40 | size / 4));
    header.push_back(0);
    add16(header, size + body.size());
    add16(header, fragment ? kIdentification : 0);
    add16(header, fragment ? (fragment->more ? 0x2000 : 0) | fragment->offset / 8
                           : 0x4000);  // do not fragment
    header.push_back(kTimeToLive);
    header.push_back(static_cast<char>(protocol));
    add16(header, 0);
    add(header, source);
    add(header, destination);
    header += options;
    put16(header, 10, checksum(header));
    return header + body;
  }
  std::string fragment_header;
  if (fragment) {
    fragment_header.push_back(static_cast<char>(protocol));
    fragment_header.push_back(0);
    add16(fragment_header, fragment->offset | (fragment->more ? 1 : 0));
    add32(fragment_header, kIdentification);
  }
  add32(header, 0x60000000);
  add16(header, fragment_header.size() + body.size());
  header.push_back(static_cast<char>(fragment ? kFragmentHeader : protocol));
  header.push_back(kTimeToLive);
  add(header, source);
  add(header, destination);
  return header + fragment_header + body;
}

std::vector<std::string> in_fragments(const Packet& packet) {
  const std::string body = transport_of(packet);
  std::vector<std::string> pieces;
  std::size_t size = packet.source.family() == Family::v4 ? 8 : 24;
  for (std::size_t at = 0; at < body.size();) {
    pieces.push_back(ip_packet(packet.source, packet.destination,
                               static_cast<std::uint8_t>(packet.protocol), body.substr(at, size),
                               {}, Fragment{at, at + size < body.size()}));
    at += std::exchange(size, 8);
  }
  return pieces;
}

std::string with_options(const Packet& packet) {
  const auto protocol = static_cast<std::uint8_t>(packet.protocol);
  const std::string body = transport_of(packet);
  if (packet.source.family() == Family::v4) {
    return ip_packet(packet.source, packet.destination, protocol, body, std::string(8, '\x01'));
  }
  constexpr std::uint8_t kDestinationOptions = 60;
  const std::string padding("\x00\x01\x04\x00\x00\x00\x00", 7);
  return ip_packet(packet.source, packet.destination, kDestinationOptions,
                   static_cast<char>(protocol) + padding + body);
}

std::string to_bytes(const Packet& packet) {
  return ip_packet(packet.source, packet.destination, static_cast<std::uint8_t>(packet.protocol),
                   transport_of(packet));
}

std::optional<Packet> parse(std::string_view text) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  if (bytes.empty()) return std::nullopt;
  const bool v4 = bytes[0] >> 4 == 4;
  const std::size_t header = v4 ? static_cast<std::size_t>(bytes[0] & 15) * 4 : kHeader6;
  if (bytes.size() < header || header < kHeader4) return std::nullopt;
  const std::size_t address = v4 ? 4 : 16;
  const std::size_t source_at = v4 ? 12 : 8;
  Packet packet;
  packet.source = IpAddress::from_bytes(bytes.subspan(source_at, address));
  packet.destination = IpAddress::from_bytes(bytes.subspan(source_at + address, address));
  packet.protocol = static_cast<Protocol>(v4 ? bytes[9] : bytes[6]);
  const bool known = packet.protocol == Protocol::tcp || packet.protocol == Protocol::udp ||
                     packet.protocol == Protocol::icmp || packet.protocol == Protocol::icmpv6;
  if (!known || !read_transport(bytes.subspan(header), packet)) return std::nullopt;
  return packet;
}

}  // namespace sekisho::netns

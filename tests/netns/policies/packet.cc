#include "tests/netns/policies/packet.h"

namespace sekisho::policies {
namespace {

constexpr std::size_t kHeader4 = 20, kHeader6 = 40, kTcpHeader = 20, kUdpHeader = 8;
constexpr std::uint8_t kEchoRequest4 = 8, kEchoRequest6 = 128;
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

std::string transport(const Packet& packet, std::size_t& checksum_at) {
  std::string bytes;
  if (packet.protocol == Protocol::tcp) {
    add16(bytes, packet.source_port);
    add16(bytes, packet.destination_port);
    add32(bytes, packet.sequence);
    add32(bytes, packet.acknowledged);
    bytes.push_back(kTcpHeader / 4 << 4);
    bytes.push_back(static_cast<char>(packet.tcp_flags));
    add16(bytes, 0xffff);  // window
    checksum_at = bytes.size();
    add32(bytes, 0);
  } else if (packet.protocol == Protocol::udp) {
    add16(bytes, packet.source_port);
    add16(bytes, packet.destination_port);
    add16(bytes, kUdpHeader + packet.payload.size());
    checksum_at = bytes.size();
    add16(bytes, 0);
  } else {
    bytes.push_back(
        static_cast<char>(packet.protocol == Protocol::icmp ? kEchoRequest4 : kEchoRequest6));
    bytes.push_back(0);
    checksum_at = bytes.size();
    add16(bytes, 0);
    add16(bytes, packet.source_port);  // identifier
    add16(bytes, 1);
  }
  return bytes + packet.payload;
}

std::uint32_t read(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) value = value << 8 | bytes[i];
  return value;
}

bool read_tcp(std::span<const std::uint8_t> bytes, Packet& packet) {
  if (bytes.size() < kTcpHeader) return false;
  const std::size_t header = static_cast<std::size_t>(bytes[12] >> 4) * 4;
  if (bytes.size() < header) return false;
  packet.sequence = read(bytes, 4, 4);
  packet.acknowledged = read(bytes, 8, 4);
  packet.tcp_flags = bytes[13];
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

std::string to_bytes(const Packet& packet) {
  std::size_t checksum_at = 0;
  std::string body = transport(packet, checksum_at);
  const bool v4 = packet.source.family() == Family::v4;
  // The pseudo header; ICMP for IPv4 has none.
  std::string summed;
  if (packet.protocol != Protocol::icmp) {
    add(summed, packet.source);
    add(summed, packet.destination);
    add16(summed, static_cast<std::size_t>(packet.protocol));
    add16(summed, body.size());
  }
  put16(body, checksum_at, checksum(summed + body));

  std::string header;
  if (v4) {
    header.push_back(0x45);
    header.push_back(0);
    add16(header, kHeader4 + body.size());
    add32(header, 0x4000);  // identification 0, do not fragment
    header.push_back(kTimeToLive);
    header.push_back(static_cast<char>(packet.protocol));
    add16(header, 0);
  } else {
    add32(header, 0x60000000);
    add16(header, body.size());
    header.push_back(static_cast<char>(packet.protocol));
    header.push_back(kTimeToLive);
  }
  add(header, packet.source);
  add(header, packet.destination);
  if (v4) put16(header, 10, checksum(header));
  return header + body;
}

std::optional<Packet> parse(std::span<const std::uint8_t> bytes) {
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

}  // namespace sekisho::policies

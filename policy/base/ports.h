#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "policy/base/result.h"

namespace sekisho {

// IP protocol numbers that policy speaks of (IANA "Assigned Internet Protocol Numbers").
enum class Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17, icmpv6 = 58 };

// 1 to 65535; 0 is "none".
class Port {
 public:
  constexpr Port() = default;
  constexpr explicit Port(std::uint16_t value) : value_(value) {}
  constexpr std::uint16_t value() const { return value_; }
  auto operator<=>(const Port&) const = default;

 private:
  std::uint16_t value_ = 0;
};

// From `first` to `last`, both included.
struct PortRange {
  Port first;
  Port last;

  // "443" or "8000-8010"; 1 to 65535, first <= last, decimal without leading zeros.
  static Result<PortRange> parse(std::string_view text);
  static constexpr PortRange single(std::uint16_t port) { return {Port(port), Port(port)}; }
  bool contains(Port port) const { return first <= port && port <= last; }
  bool overlaps(const PortRange& other) const { return first <= other.last && other.first <= last; }
  // "443" or "8000-8010".
  std::string to_string() const;

  auto operator<=>(const PortRange&) const = default;
};

}  // namespace sekisho

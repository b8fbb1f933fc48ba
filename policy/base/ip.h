#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/result.h"

namespace sekisho {

enum class Family : std::uint8_t { v4, v6 };

// An IPv4 or IPv6 address; both take the same code path everywhere. Ordered by family, then value.
// IPv4-mapped IPv6 addresses (::ffff:0:0/96) are IPv6 addresses here, never IPv4.
class IpAddress {
 public:
  // 0.0.0.0
  constexpr IpAddress() = default;

  // `bytes` in network order, 4 or 16 of them; anything else is a programming error.
  static IpAddress from_bytes(std::span<const std::uint8_t> bytes);
  // Dotted quad (RFC 6943: four decimal parts, no leading zeros) or RFC 4291 text; no zone id.
  static Result<IpAddress> parse(std::string_view text);

  constexpr Family family() const { return family_; }
  constexpr int bits() const { return family_ == Family::v4 ? 32 : 128; }
  // Network order, 4 or 16 bytes.
  std::span<const std::uint8_t> bytes() const {
    return {bytes_.data(), family_ == Family::v4 ? std::size_t{4} : std::size_t{16}};
  }
  // RFC 5952 for IPv6.
  std::string to_string() const;

  // The neighbours; nothing beyond the first and the last address of the family.
  std::optional<IpAddress> next() const;
  std::optional<IpAddress> previous() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  friend class Prefix;
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> bytes_{};
};

// From `first` to `last`, both included, of one family, first <= last.
struct AddressRange {
  IpAddress first;
  IpAddress last;

  bool contains(const IpAddress& address) const { return first <= address && address <= last; }
  bool overlaps(const AddressRange& other) const {
    return first.family() == other.first.family() && first <= other.last && other.first <= last;
  }
  auto operator<=>(const AddressRange&) const = default;
};

// A network in CIDR form; bits beyond the length are zero.
class Prefix {
 public:
  // 0.0.0.0/32: matches one address that is nobody's.
  Prefix() = default;
  // "10.0.0.0/8" or a bare address (its whole length). Host bits set are an error that names the
  // network.
  static Result<Prefix> parse(std::string_view text);
  static Prefix host(const IpAddress& address) { return Prefix(address, address.bits()); }
  // Clears the bits of `address` beyond `length`; 0 <= length <= address.bits().
  static Prefix covering(const IpAddress& address, int length);

  const IpAddress& address() const { return address_; }
  int length() const { return length_; }
  Family family() const { return address_.family(); }
  AddressRange range() const;
  bool contains(const IpAddress& address) const;
  bool contains(const Prefix& other) const;
  bool overlaps(const Prefix& other) const { return contains(other) || other.contains(*this); }
  // Always with the length: "10.0.0.1/32".
  std::string to_string() const;

  auto operator<=>(const Prefix&) const = default;

 private:
  Prefix(const IpAddress& address, int length) : address_(address), length_(length) {}
  IpAddress address_;
  int length_ = 32;
};

// Sorts, and joins what overlaps or touches. The result is the one canonical form of the set.
std::vector<AddressRange> join(std::vector<AddressRange> ranges);
// The addresses of `from` that are in no range of `take`; canonical.
std::vector<AddressRange> subtract(std::vector<AddressRange> from, std::vector<AddressRange> take);
// The fewest prefixes that cover exactly `range`.
std::vector<Prefix> to_prefixes(const AddressRange& range);

}  // namespace sekisho

template <>
struct std::hash<sekisho::IpAddress> {
  std::size_t operator()(const sekisho::IpAddress& address) const noexcept {
    const auto bytes = address.bytes();
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

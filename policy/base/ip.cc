#include "policy/base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <charconv>

#include "policy/base/text.h"

namespace sekisho {
namespace {

constexpr std::string_view kAdvice = "write it like 192.0.2.1 or 2001:db8::1";

// The bits of byte `index` that belong to a prefix of `length` bits.
std::uint8_t mask_of_byte(std::size_t index, int length) {
  const int bits = std::clamp(length - static_cast<int>(index) * 8, 0, 8);
  return static_cast<std::uint8_t>(0xff00U >> bits & 0xffU);
}

std::string dotted(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += '.';
    text += std::to_string(byte);
  }
  return text;
}

using Groups = std::array<unsigned, 8>;

// The longest run of two or more zero groups, the first of equals (RFC 5952 section 4.2).
std::pair<std::size_t, std::size_t> longest_zero_run(const Groups& groups) {
  std::size_t best = 0;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > best_length) {
      best = i;
      best_length = end - i;
    }
    i = std::max(end, i + 1);
  }
  return best_length > 1 ? std::pair{best, best_length} : std::pair{groups.size(), std::size_t{0}};
}

std::string hex(unsigned value) {
  std::array<char, 4> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
  return {text.data(), end};
}

}  // namespace

IpAddress IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() == 4 || bytes.size() == 16);
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::v4 : Family::v6;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const bool v6 = text.find(':') != std::string_view::npos;
  IpAddress address;
  address.family_ = v6 ? Family::v6 : Family::v4;
  const std::string terminated(text.substr(0, INET6_ADDRSTRLEN));
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos ||
      inet_pton(v6 ? AF_INET6 : AF_INET, terminated.c_str(), address.bytes_.data()) != 1) {
    return fail(ErrorCode::invalid, "address", quote(text) + " is not an IP address",
                std::string(kAdvice));
  }
  return address;
}

std::string IpAddress::to_string() const {
  if (family_ == Family::v4) return dotted(bytes());
  Groups groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<unsigned>(bytes_[2 * i]) << 8 | bytes_[2 * i + 1];
  }
  if (std::all_of(groups.begin(), groups.begin() + 5, [](unsigned group) { return group == 0; }) &&
      groups[5] == 0xffff) {
    return "::ffff:" + dotted(bytes().subspan(12));
  }
  const auto [run, length] = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == run) {
      text += "::";
      i += length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += hex(groups[i]);
  }
  return text;
}

std::optional<IpAddress> IpAddress::next() const {
  IpAddress result = *this;
  for (std::size_t i = bytes().size(); i-- > 0;) {
    if (++result.bytes_[i] != 0) return result;
  }
  return std::nullopt;
}

std::optional<IpAddress> IpAddress::previous() const {
  IpAddress result = *this;
  for (std::size_t i = bytes().size(); i-- > 0;) {
    if (result.bytes_[i]-- != 0) return result;
  }
  return std::nullopt;
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) {
    return fail(ErrorCode::invalid, "network", quote(text) + " is not an IP network",
                "write it like 192.0.2.0/24 or 2001:db8::/32");
  }
  if (slash == std::string_view::npos) return host(*address);

  const std::string_view digits = text.substr(slash + 1);
  int length = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool leading_zero = digits.size() > 1 && digits.front() == '0';
  if (error != std::errc{} || end != digits.data() + digits.size() || leading_zero || length < 0 ||
      length > address->bits()) {
    return fail(ErrorCode::invalid, "network", quote(text) + " has no valid prefix length",
                "the part after \"/\" is a number from 0 to " + std::to_string(address->bits()));
  }
  const Prefix prefix = covering(*address, length);
  if (prefix.address() != *address) {
    return fail(ErrorCode::invalid, "network", quote(text) + " has bits set beyond its length",
                "write " + prefix.to_string() + " for the network or " +
                    host(*address).to_string() + " for the one address");
  }
  return prefix;
}

Prefix Prefix::covering(const IpAddress& address, int length) {
  assert(length >= 0 && length <= address.bits());
  Prefix prefix(address, length);
  for (std::size_t i = 0; i < address.bytes().size(); ++i) {
    prefix.address_.bytes_[i] &= mask_of_byte(i, length);
  }
  return prefix;
}

AddressRange Prefix::range() const {
  IpAddress last = address_;
  for (std::size_t i = 0; i < address_.bytes().size(); ++i) {
    last.bytes_[i] |= static_cast<std::uint8_t>(~mask_of_byte(i, length_));
  }
  return {address_, last};
}

bool Prefix::contains(const IpAddress& address) const {
  return address.family() == family() && covering(address, length_).address_ == address_;
}

bool Prefix::contains(const Prefix& other) const {
  return length_ <= other.length_ && contains(other.address_);
}

std::string Prefix::to_string() const {
  return address_.to_string() + "/" + std::to_string(length_);
}

std::vector<AddressRange> join(std::vector<AddressRange> ranges) {
  std::ranges::sort(ranges);
  std::vector<AddressRange> joined;
  for (const AddressRange& range : ranges) {
    if (!joined.empty()) {
      AddressRange& last = joined.back();
      const auto after = last.last.next();
      const bool same_family = last.last.family() == range.first.family();
      if (same_family && (!after || range.first <= *after)) {
        last.last = std::max(last.last, range.last);
        continue;
      }
    }
    joined.push_back(range);
  }
  return joined;
}

std::vector<AddressRange> subtract(std::vector<AddressRange> from, std::vector<AddressRange> take) {
  from = join(std::move(from));
  take = join(std::move(take));
  std::vector<AddressRange> left;
  auto hole = take.begin();
  for (AddressRange range : from) {
    // IpAddress orders by family first, so one pass serves both.
    while (hole != take.end() && hole->last < range.first) ++hole;
    bool used_up = false;
    for (auto cut = hole; cut != take.end() && cut->overlaps(range); ++cut) {
      if (range.first < cut->first) left.push_back({range.first, *cut->first.previous()});
      used_up = range.last <= cut->last;
      if (used_up) break;
      range.first = *cut->last.next();
    }
    if (!used_up) left.push_back(range);
  }
  return left;
}

std::vector<Prefix> to_prefixes(const AddressRange& range) {
  assert(range.first.family() == range.last.family() && range.first <= range.last);
  std::vector<Prefix> prefixes;
  for (std::optional<IpAddress> at = range.first; at && *at <= range.last;) {
    Prefix widest = Prefix::host(*at);
    while (widest.length() > 0) {
      const Prefix wider = Prefix::covering(*at, widest.length() - 1);
      if (wider.address() != *at || range.last < wider.range().last) break;
      widest = wider;
    }
    prefixes.push_back(widest);
    at = widest.range().last.next();
  }
  return prefixes;
}

}  // namespace sekisho

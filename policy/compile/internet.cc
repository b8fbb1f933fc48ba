#include "policy/compile/internet.h"

#include <cassert>

namespace sekisho {
namespace {

Prefix prefix(std::string_view text) {
  const auto parsed = Prefix::parse(text);
  assert(parsed);
  return *parsed;
}

}  // namespace

// iana-ipv4-special-registry and iana-ipv6-special-registry as of 2025. Multicast is not part of
// the registries: 224.0.0.0/4 stands here so that what is left of IPv4 is unicast.
std::span<const SpecialUse> special_use_registry() {
  static const std::vector<SpecialUse> registry{
      {prefix("0.0.0.0/8"), false, "RFC 791"},
      {prefix("10.0.0.0/8"), false, "RFC 1918"},
      {prefix("100.64.0.0/10"), false, "RFC 6598"},
      {prefix("127.0.0.0/8"), false, "RFC 1122"},
      {prefix("169.254.0.0/16"), false, "RFC 3927"},
      {prefix("172.16.0.0/12"), false, "RFC 1918"},
      {prefix("192.0.0.0/24"), false, "RFC 6890"},
      {prefix("192.0.0.9/32"), true, "RFC 7723"},
      {prefix("192.0.0.10/32"), true, "RFC 8155"},
      {prefix("192.0.2.0/24"), false, "RFC 5737"},
      {prefix("192.31.196.0/24"), true, "RFC 7535"},
      {prefix("192.52.193.0/24"), true, "RFC 7450"},
      {prefix("192.88.99.0/24"), false, "RFC 7526"},
      {prefix("192.168.0.0/16"), false, "RFC 1918"},
      {prefix("192.175.48.0/24"), true, "RFC 7534"},
      {prefix("198.18.0.0/15"), false, "RFC 2544"},
      {prefix("198.51.100.0/24"), false, "RFC 5737"},
      {prefix("203.0.113.0/24"), false, "RFC 5737"},
      {prefix("224.0.0.0/4"), false, "RFC 5771"},
      {prefix("240.0.0.0/4"), false, "RFC 1112"},

      {prefix("::/128"), false, "RFC 4291"},
      {prefix("::1/128"), false, "RFC 4291"},
      {prefix("::ffff:0.0.0.0/96"), false, "RFC 4291"},
      {prefix("64:ff9b::/96"), true, "RFC 6052"},
      {prefix("64:ff9b:1::/48"), false, "RFC 8215"},
      {prefix("100::/64"), false, "RFC 6666"},
      {prefix("100:0:0:1::/64"), false, "RFC 9780"},
      {prefix("2001::/23"), false, "RFC 2928"},
      {prefix("2001::/32"), false, "RFC 4380"},
      {prefix("2001:1::1/128"), true, "RFC 7723"},
      {prefix("2001:1::2/128"), true, "RFC 8155"},
      {prefix("2001:1::3/128"), true, "RFC 9665"},
      {prefix("2001:2::/48"), false, "RFC 5180"},
      {prefix("2001:3::/32"), true, "RFC 7450"},
      {prefix("2001:4:112::/48"), true, "RFC 7535"},
      {prefix("2001:10::/28"), false, "RFC 4843"},
      {prefix("2001:20::/28"), true, "RFC 7343"},
      {prefix("2001:30::/28"), true, "RFC 9374"},
      {prefix("2001:db8::/32"), false, "RFC 3849"},
      {prefix("2002::/16"), false, "RFC 3056"},
      {prefix("2620:4f:8000::/48"), true, "RFC 7534"},
      {prefix("3fff::/20"), false, "RFC 9637"},
      {prefix("5f00::/16"), false, "RFC 9602"},
      {prefix("fc00::/7"), false, "RFC 4193"},
      {prefix("fe80::/10"), false, "RFC 4291"},
  };
  return registry;
}

std::span<const Prefix> unicast_space() {
  static const std::vector<Prefix> space{prefix("0.0.0.0/0"), prefix("2000::/3")};
  return space;
}

std::span<const Prefix> never_destinations() {
  static const std::vector<Prefix> never{
      prefix("127.0.0.0/8"), prefix("169.254.0.0/16"), prefix("224.0.0.0/4"),
      prefix("::1/128"),     prefix("fe80::/10"),      prefix("ff00::/8"),
  };
  return never;
}

}  // namespace sekisho

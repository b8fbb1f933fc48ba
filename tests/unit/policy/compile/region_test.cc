#include "policy/compile/region.h"

#include <gtest/gtest.h>

#include "tests/model/policy_builder.h"

namespace sekisho {
namespace {

using model::range;

PortInterval tcp(std::uint16_t first, std::uint16_t last) {
  return {Protocol::tcp, {Port(first), Port(last)}};
}

Destinations box(std::string_view addresses, std::uint16_t first, std::uint16_t last,
                 Protocol protocol = Protocol::tcp) {
  return {range(addresses), protocol, {Port(first), Port(last)}};
}

TEST(Region, CoversWhatIsPiecedTogether) {
  Region region;
  region.add(tcp(1, 10), {range("10.0.0.0/25")});
  region.add(tcp(1, 5), {range("10.0.0.128/25")});
  region.add(tcp(6, 20), {range("10.0.0.128/25")});
  EXPECT_TRUE(region.covers(box("10.0.0.0/25", 1, 10)));
  EXPECT_TRUE(region.covers(box("10.0.0.0/24", 1, 10)));
  EXPECT_TRUE(region.covers(box("10.0.0.100-10.0.0.200", 4, 8)));
  EXPECT_TRUE(region.covers(box("10.0.0.128/25", 1, 20)));
  EXPECT_FALSE(region.covers(box("10.0.0.0/24", 1, 11)));
  EXPECT_FALSE(region.covers(box("10.0.0.0-10.0.1.0", 1, 5)));
  EXPECT_FALSE(region.covers(box("10.0.0.0/25", 1, 10, Protocol::udp)));
  EXPECT_FALSE(region.covers(box("10.0.0.0/25", 0, 1)));
}

TEST(Region, JoinsAddressesAndSortsBoxes) {
  Region region;
  region.add(tcp(22, 22), {range("10.0.1.0/24")});
  region.add(tcp(22, 22), {range("10.0.0.0/24")});
  region.add(tcp(443, 443), {range("9.0.0.0/24")});
  EXPECT_EQ(region.boxes(), (std::vector{box("9.0.0.0/24", 443, 443), box("10.0.0.0/23", 22, 22)}));
}

TEST(Region, Size) {
  EXPECT_EQ(size_of({box("10.0.0.0/24", 1, 2), box("10.1.0.0/32", 1, 1)}), 513);
  EXPECT_EQ(size_of({box("fd00::ffff-fd00::1:0", 7, 7)}), 2);
  EXPECT_GT(size_of({box("fd00::/64", 1, 1)}), size_of({box("0.0.0.0/0", 1, 65535)}));
}

}  // namespace
}  // namespace sekisho

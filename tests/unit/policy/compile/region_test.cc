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

TEST(Region, JoinsAddressesAndSortsBoxes) {
  Region region;
  region.add(tcp(22, 22), {range("10.0.1.0/24")});
  region.add(tcp(22, 22), {range("10.0.0.0/24")});
  region.add(tcp(443, 443), {range("9.0.0.0/24")});
  EXPECT_EQ(region.boxes(), (std::vector{box("9.0.0.0/24", 443, 443), box("10.0.0.0/23", 22, 22)}));
}

}  // namespace
}  // namespace sekisho

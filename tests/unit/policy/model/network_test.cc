#include "policy/model/network.h"

#include <gmock/gmock.h>

namespace sekisho {
namespace {

TEST(Network, TheGatewayHasTheFirstHostOfEachPool) {
  const Network network{
      .pools = {Prefix::parse("10.66.0.0/16").value(), Prefix::parse("fd66::/64").value()}};
  EXPECT_THAT(network.gateway_addresses(),
              testing::ElementsAre(IpAddress::parse("10.66.0.1").value(),
                                   IpAddress::parse("fd66::1").value()));
}

TEST(Network, APoolOfOneAddressHasNoHosts) {
  EXPECT_THAT(Network{.pools = {Prefix::parse("10.66.0.9/32").value()}}.gateway_addresses(),
              testing::IsEmpty());
}

}  // namespace
}  // namespace sekisho

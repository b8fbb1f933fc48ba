#include "gateway/kernel/route/sysctl.h"

#include <gmock/gmock.h>

#include "tests/netns/support/namespace.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SysctlTest : public ::testing::Test {
 protected:
  netns::Namespace space_;
  netns::Inside inside_{space_};
};

TEST_F(SysctlTest, ConntrackSettingsAreMadeAndTamperingIsFound) {
  auto done = ensure_conntrack_settings();
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_THAT(*done, Contains("net/netfilter/nf_conntrack_tcp_loose is 1, not 0"));
  EXPECT_THAT(ensure_conntrack_settings().value(), IsEmpty());
  must("echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal");
  EXPECT_THAT(observe_settings(conntrack_settings()).value(),
              ElementsAre("net/netfilter/nf_conntrack_tcp_be_liberal is 1, not 0"));
  EXPECT_THAT(ensure_conntrack_settings().value(),
              ElementsAre("net/netfilter/nf_conntrack_tcp_be_liberal is 1, not 0"));
  EXPECT_THAT(output_of("cat /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal"), "0\n");
}

TEST_F(SysctlTest, InterfaceNamesWithDots) {
  must("ip link add wg.0 type veth peer name other");
  const auto done = ensure_settings(interface_settings("wg.0"));
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/conf/wg.0/send_redirects"), "0\n");
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/conf/other/send_redirects"), "1\n")
      << "other interfaces keep theirs";
  EXPECT_THAT(observe_settings(interface_settings("wg.0")).value(), IsEmpty());
}

TEST_F(SysctlTest, ErrorsNameTheKey) {
  const auto absent = ensure_settings(interface_settings("wg9"));
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().object, "setting net/ipv4/conf/wg9/send_redirects");
  EXPECT_EQ(absent.error().code, ErrorCode::not_found);
  const auto refused = ensure_settings({{"net/ipv4/ip_forward", "nonsense"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().object, "setting net/ipv4/ip_forward");
  EXPECT_THAT(refused.error().cause, HasSubstr("EINVAL"));
}

TEST_F(SysctlTest, ForwardingIsTurnedOnOnlyWhereItIsOffAndRemembered) {
  must("echo 0 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
  const auto ours = ensure_forwarding();
  ASSERT_TRUE(ours) << to_string(ours.error());
  EXPECT_EQ(*ours, (Forwarding{.turned_on_v4 = true, .turned_on_v6 = false}));
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
  EXPECT_EQ(ensure_forwarding().value(), Forwarding{});
  ASSERT_TRUE(restore_forwarding(*ours));
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv4/ip_forward"), "0\n");
  EXPECT_EQ(output_of("cat /proc/sys/net/ipv6/conf/all/forwarding"), "1\n");
}

}  // namespace
}  // namespace sekisho::kernel

#include "gateway/kernel/route/routing.h"

#include <gmock/gmock.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <string>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/listener.h"
#include "gateway/kernel/route/sysctl.h"
#include "gateway/kernel/route/watcher.h"
#include "tests/netns/support/namespace.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// client (10.66.0.2) --wg0-- gateway --office-- server (198.51.100.2). A veth stands for the
// tunnel: to routing it is an interface like another.
class RoutingTest : public ::testing::Test {
 protected:
  RoutingTest() {
    netns::connect(gateway_, "wg0", client_, "tunnel");
    netns::connect(gateway_, "office", server_, "office");
    gateway_.in([] {
      must("ip address add 198.51.100.1/24 dev office && ip link set office up");
      must("ip -6 address add 2001:db8::1/64 dev office nodad");
      must("ip route add default via 198.51.100.2");
    });
    client_.in([] {
      must("ip link set tunnel up && ip address add 10.66.0.2/16 dev tunnel");
      must("ip -6 address add fd66::2/64 dev tunnel nodad");
      must("ip route add default via 10.66.0.1 && ip -6 route add default via fd66::1");
      must("ip address add 192.0.2.66/32 dev lo");
    });
    server_.in([] {
      must("ip link set office up && ip address add 198.51.100.2/24 dev office");
      must("ip -6 address add 2001:db8::2/64 dev office nodad");
      must("ip route add default via 198.51.100.1 && ip -6 route add default via 2001:db8::1");
    });
    // The kernel answers ARP only for what it would route, and a tunnel has none: the client knows.
    gateway_.in([] { must("ip link set wg0 address 02:00:00:00:00:01"); });
    client_.in([] {
      must("ip neigh add 10.66.0.1 dev tunnel lladdr 02:00:00:00:00:01");
      must("ip neigh add fd66::1 dev tunnel lladdr 02:00:00:00:00:01");
    });
    gateway_.in([&] { routing_.emplace(Routing::open(tunnel_).value()); });
  }

  std::vector<std::string> ensure() {
    std::vector<std::string> differences;
    gateway_.in([&] {
      auto state = routing_->ensure();
      ASSERT_TRUE(state) << to_string(state.error());
      differences = state->differences;
    });
    return differences;
  }

  RoutingState observe() {
    RoutingState state;
    gateway_.in([&] {
      auto observed = routing_->observe();
      ASSERT_TRUE(observed) << to_string(observed.error());
      state = *observed;
    });
    return state;
  }

  // What our ruleset does to tunnel packets, and nothing else of it.
  void mark_tunnel_packets() {
    gateway_.in([] {
      must(
          "nft 'add table inet m; add chain inet m p { type filter hook prerouting priority raw; };"
          " add rule inet m p iifname wg0 meta mark set 0x5e0000'");
    });
  }

  bool ping(const std::string& options) {
    bool answered = false;
    client_.in(
        [&] { answered = netns::run("ping -q -c 1 -W 1 " + options + " >/dev/null 2>&1") == 0; });
    return answered;
  }

  // Neighbours may take a second to be found where the links have just come up.
  bool reaches(const std::string& address) {
    return netns::wait_until([&] { return ping(address); });
  }

  Tunnel tunnel_{
      .interface = "wg0",
      .mtu = 1420,
      .addresses = {IpAddress::parse("10.66.0.1").value(), IpAddress::parse("fd66::1").value()},
      .pools = {Prefix::parse("10.66.0.0/16").value(), Prefix::parse("fd66::/64").value()}};
  netns::Namespace gateway_;
  netns::Namespace client_;
  netns::Namespace server_;
  std::optional<Routing> routing_;
};

TEST_F(RoutingTest, MakesEverythingOnceAndThenFindsNothingToDo) {
  EXPECT_THAT(ensure(), Not(IsEmpty()));
  EXPECT_THAT(observe().differences, IsEmpty());
  EXPECT_TRUE(observe().interface_present);
  EXPECT_THAT(ensure(), IsEmpty());
  gateway_.in([] {
    for (const std::string family : {"-4", "-6"}) {
      const std::string rules = output_of("ip " + family + " rule");
      EXPECT_THAT(
          rules, HasSubstr("10:\tfrom all fwmark 0x5e0000/0xff0000 iif wg0 lookup local proto 94"));
      EXPECT_THAT(rules,
                  HasSubstr("11:\tfrom all fwmark 0x5e0000/0xff0000 iif wg0 lookup main proto 94"));
      EXPECT_THAT(rules, HasSubstr("12:\tfrom all iif wg0 unreachable proto 94"));
      EXPECT_THAT(rules, HasSubstr("20:\tfrom all lookup local proto 94"));
      EXPECT_THAT(rules, Not(HasSubstr("0:\tfrom all lookup local\n")));
    }
    EXPECT_THAT(output_of("ip route"), HasSubstr("10.66.0.0/16 dev wg0 proto 94 scope link"));
    EXPECT_THAT(output_of("ip route"),
                HasSubstr("unreachable 10.66.0.0/16 proto 94 metric 1073741824"));
    EXPECT_THAT(output_of("ip -6 route"), HasSubstr("fd66::/64 dev wg0 proto 94 metric 1024"));
    EXPECT_THAT(output_of("ip -6 route"),
                HasSubstr("unreachable fd66::/64 dev lo proto 94 metric"));
    EXPECT_THAT(output_of("ip -o link show wg0"), HasSubstr("mtu 1420"));
  });
}

TEST_F(RoutingTest, RepairsWhateverIsTampered) {
  ensure();
  struct Case {
    const char* command;
    const char* difference;
  };
  const Case cases[] = {
      {"ip link set wg0 down", "interface wg0: down"},
      {"ip link set wg0 mtu 1500", "interface wg0: MTU is 1500, not 1420"},
      {"ip address del 10.66.0.1/32 dev wg0", "address 10.66.0.1/32 on wg0: missing"},
      {"ip -6 address del fd66::1/128 dev wg0", "address fd66::1/128 on wg0: missing"},
      {"ip address add 10.9.9.9/24 dev wg0", "address 10.9.9.9/24 on wg0: not to be there"},
      {"ip -6 address add fd99::1/64 dev wg0", "address fd99::1/64 on wg0: not to be there"},
      {"ip route del 10.66.0.0/16 dev wg0", "route 10.66.0.0/16 to wg0: missing"},
      {"ip route replace 10.66.0.0/16 dev office", "route 10.66.0.0/16 to wg0: missing"},
      {"ip -6 route del fd66::/64 dev wg0", "route fd66::/64 to wg0: missing"},
      {"ip route del unreachable 10.66.0.0/16", "route 10.66.0.0/16 unreachable: missing"},
      {"ip -6 route del unreachable fd66::/64 dev lo", "route fd66::/64 unreachable: missing"},
      {"ip route add 10.99.0.0/16 dev wg0 proto 94", "route 10.99.0.0/16"},
      {"ip rule del pref 10",
       "rule 10 (IPv4): from wg0 with mark 0x5e0000/0xff0000 lookup local: missing"},
      {"ip rule del pref 11",
       "rule 11 (IPv4): from wg0 with mark 0x5e0000/0xff0000 lookup main: missing"},
      {"ip rule del pref 12", "rule 12 (IPv4): from wg0 unreachable: missing"},
      {"ip rule del pref 20", "rule 20 (IPv4): from anywhere lookup local: missing"},
      {"ip -6 rule del pref 12", "rule 12 (IPv6): from wg0 unreachable: missing"},
      {"ip -6 rule del pref 20", "rule 20 (IPv6): from anywhere lookup local: missing"},
      {"ip rule add pref 0 lookup local",
       "rule 0 (IPv4): from anywhere lookup local: not to be there"},
      {"ip -6 rule add pref 0 lookup local",
       "rule 0 (IPv6): from anywhere lookup local: not to be there"},
      {"ip rule add pref 15 iif wg0 lookup main proto 94",
       "rule 15 (IPv4): from wg0 lookup main: not to be there"},
      {"ip rule add pref 12 to 198.51.100.0/24 iif wg0 unreachable proto 94",
       "under more conditions"},
      {"ip rule flush", "rule 12 (IPv4): from wg0 unreachable: missing"},
      {"ip -6 rule flush", "rule 20 (IPv6): from anywhere lookup local: missing"},
  };
  for (const Case& each : cases) {
    gateway_.in([&] { must(each.command); });
    EXPECT_THAT(observe().differences, Contains(HasSubstr(each.difference))) << each.command;
    EXPECT_THAT(ensure(), Contains(HasSubstr(each.difference))) << each.command;
    EXPECT_THAT(observe().differences, IsEmpty()) << each.command;
  }
}

TEST_F(RoutingTest, NeverWithoutTheLocalTable) {
  gateway_.in([&] {
    const unsigned int groups[] = {RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
    auto listener = Listener::open(NETLINK_ROUTE, groups);
    ASSERT_TRUE(listener);
    int local_rules[2] = {1, 1};
    const auto count = [&](const nlmsghdr& message) {
      const auto& header = *static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
      const Attributes values = Attributes::of(message, sizeof header);
      if (values.has(FRA_IIFNAME) || values.u32(FRA_TABLE) != RT_TABLE_LOCAL) return;
      int& rules = local_rules[header.family == AF_INET ? 0 : 1];
      rules += message.nlmsg_type == RTM_NEWRULE ? 1 : -1;
      EXPECT_GE(rules, 1);
    };
    ASSERT_TRUE(routing_->ensure());
    ASSERT_TRUE(listener->read(count));
    EXPECT_THAT(local_rules, ElementsAre(1, 1));
    ASSERT_TRUE(routing_->remove());
    ASSERT_TRUE(listener->read(count));
    EXPECT_THAT(local_rules, ElementsAre(1, 1));
  });
}

TEST_F(RoutingTest, RemovePutsBackWhatWas) {
  const auto state = [&] {
    std::string text;
    gateway_.in(
        [&] { text = output_of("ip rule; ip -6 rule; ip route; ip -6 route show proto 94"); });
    return text;
  };
  const std::string before = state();
  ensure();
  EXPECT_NE(state(), before);
  gateway_.in([&] {
    auto removed = routing_->remove();
    ASSERT_TRUE(removed) << to_string(removed.error());
  });
  EXPECT_EQ(state(), before);
}

TEST_F(RoutingTest, WithoutTheRulesetNothingOfTheTunnelIsRouted) {
  ensure();
  gateway_.in([] { ASSERT_TRUE(ensure_forwarding()); });
  EXPECT_FALSE(ping("198.51.100.2")) << "no mark, no route";
  EXPECT_FALSE(ping("10.66.0.1")) << "nor to the gateway itself";
  mark_tunnel_packets();
  EXPECT_TRUE(reaches("198.51.100.2"));
  EXPECT_TRUE(reaches("10.66.0.1"));
  EXPECT_TRUE(reaches("2001:db8::2"));
  EXPECT_TRUE(reaches("fd66::1"));
  gateway_.in([] { must("nft flush ruleset"); });
  EXPECT_FALSE(ping("198.51.100.2"));
  EXPECT_FALSE(ping("10.66.0.1"));
  EXPECT_FALSE(ping("2001:db8::2"));
  EXPECT_FALSE(ping("fd66::1"));
  gateway_.in([] { EXPECT_EQ(netns::run("ping -q -c1 -W1 198.51.100.2 >/dev/null"), 0); });

  // Control: with the machine's own rules a flush opens everything.
  gateway_.in([&] {
    must("ip rule add pref 0 lookup local; ip -6 rule add pref 0 lookup local");
    must("ip rule del pref 12; ip -6 rule del pref 12");
  });
  EXPECT_TRUE(reaches("198.51.100.2"));
  EXPECT_TRUE(reaches("10.66.0.1"));
  EXPECT_TRUE(reaches("2001:db8::2"));
  EXPECT_TRUE(reaches("fd66::1"));
}

TEST_F(RoutingTest, PoolStaysUnreachableWhenTheInterfaceIsGone) {
  ensure();
  gateway_.in([] {
    EXPECT_THAT(output_of("ip route get 10.66.0.2"), HasSubstr("dev wg0"));
    must("ip link del wg0");
    EXPECT_NE(netns::run("ip route get 10.66.0.2 >/dev/null 2>&1"), 0);
  });
  EXPECT_FALSE(observe().interface_present);
  EXPECT_THAT(observe().differences, IsEmpty()) << "what can be kept without it is kept";
  gateway_.in([] {
    // Control: without the route behind it the default route takes over.
    must("ip route del unreachable 10.66.0.0/16");
    EXPECT_THAT(output_of("ip route get 10.66.0.2"), HasSubstr("dev office"));
  });
  EXPECT_THAT(ensure(), ElementsAre("route 10.66.0.0/16 unreachable: missing"));
  netns::connect(gateway_, "wg0", client_, "again");
  EXPECT_THAT(ensure(), Contains("interface wg0: down"));
  EXPECT_THAT(observe().differences, IsEmpty());
  EXPECT_TRUE(observe().interface_present);
}

TEST_F(RoutingTest, StrictSourceCheckWorksWithTheRules) {
  ensure();
  mark_tunnel_packets();
  gateway_.in([&] {
    const auto done = ensure_settings(interface_settings("wg0"));
    ASSERT_TRUE(done) << to_string(done.error());
    ASSERT_TRUE(ensure_forwarding());
  });
  EXPECT_TRUE(reaches("198.51.100.2"));
  // A source that is not routed to the tunnel: the server's answer would come back, if it were let
  // in.
  gateway_.in([] {
    must("ip route add 192.0.2.66/32 via 198.51.100.2");
    must(
        "nft 'add table inet s; add chain inet s f { type filter hook forward priority 0; };"
        " add rule inet s f ip saddr 192.0.2.66 counter'");
  });
  const auto forwarded = [&] {
    ping("-I 192.0.2.66 198.51.100.2");
    std::string text;
    gateway_.in([&] { text = output_of("nft list chain inet s f"); });
    return text;
  };
  EXPECT_THAT(forwarded(), HasSubstr("counter packets 0"));
  gateway_.in([] { must("echo 0 > /proc/sys/net/ipv4/conf/wg0/rp_filter"); });
  EXPECT_THAT(forwarded(), HasSubstr("counter packets 1")) << "control: unchecked it passes";
}

// Debian sets rp_filter=2 on every interface. The server's answer is checked on its way back: would
// a packet to the server, come in from the tunnel, be routed at all?
TEST_F(RoutingTest, AnswersComeBackWhateverTheUplinkChecks) {
  ensure();
  mark_tunnel_packets();
  gateway_.in([] {
    const auto done = ensure_settings(interface_settings("wg0"));
    ASSERT_TRUE(done) << to_string(done.error());
    ASSERT_TRUE(ensure_forwarding());
    must(
        "nft 'add chain inet m answers { type filter hook prerouting priority filter; };"
        " add rule inet m answers ip daddr 10.66.0.0/16 meta mark set 0x5e0000'");
  });
  const auto with = [&](const std::string& setting) {
    gateway_.in([&] { must("sysctl -qw net.ipv4.conf." + setting); });
  };
  for (const std::string check : {"0", "1", "2"}) {
    with("office.rp_filter=" + check);
    EXPECT_TRUE(reaches("198.51.100.2")) << check;
    EXPECT_TRUE(reaches("2001:db8::2")) << check;
  }
  with("all.src_valid_mark=0");
  EXPECT_FALSE(ping("198.51.100.2")) << "control: the mark is not looked at";
  with("all.src_valid_mark=1");
  gateway_.in([] { must("nft flush chain inet m answers"); });
  EXPECT_FALSE(ping("198.51.100.2")) << "control: there is no mark";
  with("office.rp_filter=0");
  EXPECT_TRUE(ping("198.51.100.2")) << "control: the check alone is what refuses";
}

TEST_F(RoutingTest, TellsForeignRulesThatComeFirst) {
  ensure();
  EXPECT_THAT(observe().foreign, IsEmpty());
  gateway_.in([] {
    must("ip rule add pref 5 lookup main");
    must("ip rule add pref 6 iif office lookup main");
    must("ip rule add pref 5000 lookup main");
  });
  EXPECT_THAT(observe().foreign, ElementsAre("rule 5 (IPv4): from anywhere lookup main"));
  EXPECT_THAT(observe().differences, IsEmpty());
}

TEST_F(RoutingTest, WatcherHearsWhatConcernsUsAndNothingElse) {
  ensure();
  gateway_.in([&] {
    auto watcher = RouteWatcher::open(tunnel_);
    ASSERT_TRUE(watcher) << to_string(watcher.error());
    // The links are still coming up: wait until the kernel has been silent for a while.
    int silent = 0;
    ASSERT_TRUE(netns::wait_until(
        [&] {
          silent = watcher->read().value() ? 0 : silent + 1;
          return silent == 75;
        },
        10));
    for (const char* command :
         {"ip rule add pref 5000 lookup main", "ip link set office mtu 1400",
          "ip route add 203.0.113.0/24 via 198.51.100.2",
          "ip address add 198.51.100.9/24 dev office", "ip link add x type veth peer name y"}) {
      must(command);
      EXPECT_FALSE(watcher->read().value()) << command;
    }
    for (const char* command :
         {"ip rule add pref 3 lookup main", "ip -6 rule del pref 12", "ip link set wg0 mtu 1300",
          "ip route del unreachable 10.66.0.0/16", "ip route add 10.66.7.0/24 via 198.51.100.2",
          "ip address add 10.1.1.1/32 dev wg0", "ip link del wg0",
          "ip link add wg0 type veth peer name z", "ip link set wg0 up"}) {
      must(command);
      EXPECT_TRUE(watcher->read().value()) << command;
      EXPECT_FALSE(watcher->read().value()) << "heard once: " << command;
    }
  });
}

TEST_F(RoutingTest, WatcherTreatsLostNotificationsAsAChange) {
  gateway_.in([&] {
    auto watcher = RouteWatcher::open(tunnel_);
    ASSERT_TRUE(watcher);
    Batch flood;
    for (std::uint32_t number = 0; number < 20'000; ++number) {
      nlmsghdr* header = flood.begin(RTM_NEWROUTE, NLM_F_CREATE);
      auto* route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
      route->rtm_family = AF_INET;
      route->rtm_dst_len = 32;
      route->rtm_table = RT_TABLE_MAIN;
      route->rtm_protocol = RTPROT_STATIC;
      route->rtm_type = RTN_UNREACHABLE;
      mnl_attr_put_u32(header, RTA_DST, htobe32(0xac100000 + number));
      flood.commit();
    }
    auto socket = Socket::open(NETLINK_ROUTE);
    ASSERT_TRUE(socket);
    ASSERT_TRUE(socket->send(flood, "routes")->accepted());
    bool changed = false;
    for (int reads = 0; reads < 64; ++reads) changed |= watcher->read().value();
    EXPECT_TRUE(changed);
    EXPECT_FALSE(watcher->read().value());
  });
}

}  // namespace
}  // namespace sekisho::kernel

#include "gateway/kernel/netlink/socket.h"

#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cerrno>
#include <string>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/listener.h"
#include "tests/netns/support/namespace.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kHundredLinks[] =
    "for i in $(seq 50); do echo link add a$i type veth peer name b$i; done | ip -batch -";

class NetlinkTest : public ::testing::Test {
 protected:
  NetlinkTest() : inside_(space_), socket_(Socket::open(NETLINK_ROUTE).value()) {}

  // A route to host number `number` of 10.0.0.0/8 through lo.
  static void add_route(Batch& batch, std::uint32_t number) {
    nlmsghdr* header = batch.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    auto* route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
    route->rtm_family = AF_INET;
    route->rtm_dst_len = 32;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_type = RTN_UNICAST;
    route->rtm_scope = RT_SCOPE_LINK;
    mnl_attr_put_u32(header, RTA_DST, htobe32(0x0a000000 + number));
    mnl_attr_put_u32(header, RTA_OIF, ::if_nametoindex("lo"));
    batch.commit();
  }

  std::size_t count_routes() {
    Message ask(RTM_GETROUTE, 0);
    ask.extra<rtmsg>()->rtm_family = AF_INET;
    std::size_t count = 0;
    const auto done = socket_.dump(
        ask, "routes", [&] { count = 0; },
        [&](const nlmsghdr& message) -> Result<void> {
          if (Attributes::of(message, sizeof(rtmsg)).u32(RTA_TABLE) == RT_TABLE_MAIN) ++count;
          return {};
        });
    EXPECT_TRUE(done) << to_string(done.error());
    return count;
  }

  netns::Namespace space_;
  netns::Inside inside_;
  Socket socket_;
};

TEST_F(NetlinkTest, RequestTellsObjectErrnoAndTheKernelsWords) {
  Message message(RTM_NEWROUTE, NLM_F_CREATE);
  auto* route = message.extra<rtmsg>();
  route->rtm_family = AF_INET;
  route->rtm_dst_len = 64;
  const auto done = socket_.request(message, "route 10.0.0.0/64");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().object, "route 10.0.0.0/64");
  EXPECT_THAT(done.error().cause, HasSubstr("EINVAL"));
  EXPECT_THAT(done.error().cause, HasSubstr("Invalid prefix"));
}

TEST_F(NetlinkTest, RequestHandsOverTheAnswer) {
  Message message(RTM_GETLINK, 0);
  message.extra<ifinfomsg>();
  mnl_attr_put_strz(message.header(), IFLA_IFNAME, "lo");
  std::string name;
  const auto done = socket_.request(message, "lo", [&](const nlmsghdr& reply) -> Result<void> {
    name = Attributes::of(reply, sizeof(ifinfomsg)).text(IFLA_IFNAME).value_or("");
    return {};
  });
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(name, "lo");
}

TEST_F(NetlinkTest, BatchOfManyMegabytesGoesInOneSend) {
  constexpr std::uint32_t kRoutes = 100'000;
  Batch batch;
  for (std::uint32_t number = 1; number <= kRoutes; ++number) add_route(batch, number);
  ASSERT_GT(batch.bytes().size(), 4'000'000u);
  const auto report = socket_.send(batch, "routes");
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_TRUE(report->accepted());
  EXPECT_EQ(count_routes(), kRoutes);
}

TEST_F(NetlinkTest, BatchNamesTheMessagesThatWereRefused) {
  Batch batch;
  for (const std::uint32_t number : {1u, 2u, 1u, 3u, 2u, 4u}) add_route(batch, number);
  const auto report = socket_.send(batch, "routes");
  ASSERT_TRUE(report) << to_string(report.error());
  ASSERT_EQ(report->refused.size(), 2u);
  EXPECT_EQ(report->refused[0].message, 2u);
  EXPECT_EQ(report->refused[1].message, 4u);
  EXPECT_EQ(report->refused[0].error_number, EEXIST);
  EXPECT_THAT(report->refused[0].why, HasSubstr("EEXIST"));
  EXPECT_TRUE(report->complete);
  EXPECT_EQ(count_routes(), 4u);
}

TEST_F(NetlinkTest, MoreRefusalsThanTheBufferHoldsAreStillRefusals) {
  Batch batch;
  for (std::uint32_t number = 0; number < 100'000; ++number) add_route(batch, 7);
  const auto report = socket_.send(batch, "routes");
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_FALSE(report->accepted());
  EXPECT_FALSE(report->complete);
  EXPECT_EQ(report->refused.front().message, 1u);
  Batch next;
  add_route(next, 8);
  const auto after = socket_.send(next, "routes");
  ASSERT_TRUE(after) << to_string(after.error());
  EXPECT_TRUE(after->accepted()) << "the socket serves on";
}

TEST_F(NetlinkTest, NftablesBatchFailsAsAWholeAndNamesTheMessage) {
  auto netfilter = Socket::open(NETLINK_NETFILTER);
  ASSERT_TRUE(netfilter);
  const auto frame = [](Batch& batch, std::uint16_t type) {
    nlmsghdr* header = batch.begin(type, 0);
    auto* fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    fixed->res_id = htobe16(NFNL_SUBSYS_NFTABLES);
    batch.commit();
  };
  const auto table = [](Batch& batch, std::uint16_t message, std::uint16_t flags,
                        const char* name) {
    const auto type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
    nlmsghdr* header = batch.begin(type, flags);
    auto* fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    fixed->nfgen_family = NFPROTO_INET;
    mnl_attr_put_strz(header, NFTA_TABLE_NAME, name);
    batch.commit();
  };
  Batch bad;
  frame(bad, NFNL_MSG_BATCH_BEGIN);
  table(bad, NFT_MSG_NEWTABLE, NLM_F_CREATE, "first");
  table(bad, NFT_MSG_DELTABLE, 0, "absent");
  frame(bad, NFNL_MSG_BATCH_END);
  const auto refused = netfilter->send(bad, "tables");
  ASSERT_TRUE(refused) << to_string(refused.error());
  ASSERT_EQ(refused->refused.size(), 1u);
  EXPECT_EQ(refused->refused[0].message, 2u);
  EXPECT_EQ(refused->refused[0].error_number, ENOENT);
  EXPECT_EQ(netns::output_of("nft list tables"), "");

  Batch good;
  frame(good, NFNL_MSG_BATCH_BEGIN);
  table(good, NFT_MSG_NEWTABLE, NLM_F_CREATE, "first");
  frame(good, NFNL_MSG_BATCH_END);
  const auto accepted = netfilter->send(good, "tables");
  ASSERT_TRUE(accepted) << to_string(accepted.error());
  EXPECT_TRUE(accepted->accepted());
  EXPECT_EQ(netns::output_of("nft list tables"), "table inet first\n");
}

TEST_F(NetlinkTest, DumpStartsAgainWhenTheListChangesMeanwhile) {
  must(kHundredLinks);
  auto other = Socket::open(NETLINK_ROUTE);
  ASSERT_TRUE(other);
  int attempts = 0;
  int changes = 0;
  std::size_t count = 0;
  Message ask(RTM_GETLINK, 0);
  ask.extra<ifinfomsg>();
  const auto restart = [&] {
    ++attempts;
    count = 0;
  };
  const auto each = [&](const nlmsghdr&) -> Result<void> {
    if (++count == 1 && changes < 2) {
      ++changes;
      must("ip link add more" + std::to_string(changes) + " type veth");
    }
    return {};
  };
  const auto done = socket_.dump(ask, "links", restart, each);
  ASSERT_TRUE(done) << to_string(done.error());
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(count, 105u) << "lo, 100 and the 4 that came";
}

TEST_F(NetlinkTest, DumpOfAListThatNeverRestsEndsWithAnError) {
  must(kHundredLinks);
  bool first = false;
  int number = 0;
  Message ask(RTM_GETLINK, 0);
  ask.extra<ifinfomsg>();
  const auto done = socket_.dump(
      ask, "links", [&] { first = true; },
      [&](const nlmsghdr&) -> Result<void> {
        if (first) must("ip link add more" + std::to_string(++number) + " type veth");
        first = false;
        return {};
      });
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().cause, HasSubstr("changed while it was read"));
  EXPECT_EQ(count_routes(), 0u) << "the socket serves on";
}

TEST_F(NetlinkTest, AnErrorOfTheHandlerEndsADumpAndLeavesTheSocketUsable) {
  must(kHundredLinks);
  Message ask(RTM_GETLINK, 0);
  ask.extra<ifinfomsg>();
  const auto done = socket_.dump(
      ask, "links", [] {},
      [](const nlmsghdr&) -> Result<void> {
        return fail(ErrorCode::failed, "link", "unreadable");
      });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().cause, "unreadable");
  EXPECT_EQ(count_routes(), 0u);
}

TEST_F(NetlinkTest, ListenerHearsAndTellsWhenItLostSomething) {
  const unsigned int groups[] = {RTNLGRP_IPV4_ROUTE};
  auto listener = Listener::open(NETLINK_ROUTE, groups);
  ASSERT_TRUE(listener) << to_string(listener.error());
  int heard = 0;
  const auto each = [&](const nlmsghdr& message) { heard += message.nlmsg_type == RTM_NEWROUTE; };
  EXPECT_EQ(listener->read(each).value(), Listener::Seen::all);
  EXPECT_EQ(heard, 0);
  must("ip route add 10.0.0.1/32 dev lo");
  EXPECT_EQ(listener->read(each).value(), Listener::Seen::all);
  EXPECT_EQ(heard, 1);

  Batch flood;
  for (std::uint32_t number = 2; number <= 50'000; ++number) add_route(flood, number);
  ASSERT_TRUE(socket_.send(flood, "routes")->accepted());
  bool lost = false;
  for (int reads = 0; reads < 100; ++reads) {
    lost |= listener->read(each).value() == Listener::Seen::overrun;
  }
  EXPECT_TRUE(lost);
  EXPECT_LT(heard, 50'000);
  must("ip route add 11.0.0.1/32 dev lo");
  heard = 0;
  EXPECT_EQ(listener->read(each).value(), Listener::Seen::all);
  EXPECT_EQ(heard, 1);
}

}  // namespace
}  // namespace sekisho::kernel

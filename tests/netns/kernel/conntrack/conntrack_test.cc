#include "gateway/kernel/conntrack/conntrack.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "tests/netns/support/namespace.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using ::testing::HasSubstr;

constexpr AtomMark kWeb(0x10001, Check::tls);
constexpr AtomMark kNewWeb(0x10002, Check::tls);
constexpr AtomMark kPlain(0x10003, Check::none);
constexpr AtomMark kShell(0x10004, Check::ssh);

IpAddress address(const char* text) {
  return IpAddress::parse(text).value();
}

// client --(tunnel)-- gateway --(office)-- server, masqueraded. The gateway lets a packet pass only
// when the mark of its flow is in the set `may`; a flow's first packet gets its mark from `atoms`.
class ConntrackTest : public ::testing::Test {
 protected:
  ConntrackTest() {
    netns::connect(gateway_, "tunnel", client_, "tunnel");
    netns::connect(gateway_, "office", server_, "office");
    client_.in([] {
      must(
          "ip link set tunnel up && ip address add 10.66.0.2/24 dev tunnel &&"
          " ip -6 address add fd66::2/64 dev tunnel nodad && ip address add 10.66.0.3/24 dev "
          "tunnel");
      must("ip route add default via 10.66.0.1 && ip -6 route add default via fd66::1");
    });
    server_.in([] {
      must(
          "ip link set office up && ip address add 198.51.100.2/24 dev office &&"
          " ip -6 address add 2001:db8::2/64 dev office nodad");
      must("ip -6 route add default via 2001:db8::1");
    });
    gateway_.in([&] {
      must(
          "ip link set tunnel up && ip link set office up &&"
          " ip address add 10.66.0.1/24 dev tunnel && ip -6 address add fd66::1/64 dev tunnel "
          "nodad &&"
          " ip address add 198.51.100.1/24 dev office &&"
          " ip -6 address add 2001:db8::1/64 dev office nodad");
      must(
          "echo 1 > /proc/sys/net/ipv4/ip_forward;"
          " echo 1 > /proc/sys/net/ipv6/conf/all/forwarding;"
          " echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose;"
          " echo 1 > /proc/sys/net/netfilter/nf_conntrack_acct");
      must(
          "nft -f - <<'END'\n"
          "table inet t {\n"
          " map atoms { type inet_service : mark; elements = { 443 : 0x100017, 22 : 0x100023 } }\n"
          " set may { type mark; elements = { 0x100017, 0x100023 } }\n"
          " chain f { type filter hook forward priority 0; policy drop;\n"
          "  ct state new ct mark set th dport map @atoms\n"
          "  ct mark @may accept\n"
          " }\n"
          " chain n { type nat hook postrouting priority srcnat; oifname office masquerade\n }\n"
          "}\nEND");
      conntrack_.emplace(Conntrack::open().value());
    });
  }

  // A TCP connection from the client to a server behind the gateway.
  struct Connection {
    UniqueFd client;
    UniqueFd server;
  };

  static UniqueFd open_socket(int family) {
    UniqueFd fd(::socket(family, SOCK_STREAM, 0));
    if (!fd) std::abort();
    return fd;
  }

  template <class Address>
  Connection connect(int family, const Address& to, const char* from = nullptr) {
    const auto* where = reinterpret_cast<const sockaddr*>(&to);
    Connection connection;
    UniqueFd listener;
    server_.in([&] {
      listener = open_socket(family);
      const int one = 1;
      ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
      EXPECT_EQ(::bind(listener.get(), where, sizeof to), 0);
      EXPECT_EQ(::listen(listener.get(), 8), 0);
    });
    client_.in([&] {
      connection.client = open_socket(family);
      if (from != nullptr) {
        sockaddr_in source{};
        source.sin_family = AF_INET;
        ::inet_pton(AF_INET, from, &source.sin_addr);
        EXPECT_EQ(
            ::bind(connection.client.get(), reinterpret_cast<sockaddr*>(&source), sizeof source),
            0);
      }
      const timeval patience{.tv_sec = 5, .tv_usec = 0};
      ::setsockopt(connection.client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
      EXPECT_EQ(::connect(connection.client.get(), where, sizeof to), 0);
    });
    connection.server = UniqueFd(::accept(listener.get(), nullptr, nullptr));
    return connection;
  }

  Connection connect_v4(std::uint16_t port, const char* from = nullptr) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    ::inet_pton(AF_INET, "198.51.100.2", &to.sin_addr);
    return connect(AF_INET, to, from);
  }

  Connection connect_v6(std::uint16_t port) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    ::inet_pton(AF_INET6, "2001:db8::2", &to.sin6_addr);
    return connect(AF_INET6, to);
  }

  // A byte from the client reaches the server and one goes back, within a second each.
  static bool talks(const Connection& connection) {
    const auto passes = [](int from, int to) {
      char byte = 'x';
      if (::send(from, &byte, 1, MSG_NOSIGNAL) != 1) return false;
      pollfd wait{.fd = to, .events = POLLIN, .revents = 0};
      return ::poll(&wait, 1, 1000) == 1 && ::recv(to, &byte, 1, 0) == 1;
    };
    return passes(connection.client.get(), connection.server.get()) &&
           passes(connection.server.get(), connection.client.get());
  }

  std::vector<Flow> flows() {
    auto flows = conntrack_->flows();
    EXPECT_TRUE(flows) << to_string(flows.error());
    return flows ? std::move(*flows) : std::vector<Flow>{};
  }

  void nft(const std::string& command) {
    gateway_.in([&] { must("nft '" + command + "'"); });
  }

  netns::Namespace gateway_;
  netns::Namespace client_;
  netns::Namespace server_;
  std::optional<Conntrack> conntrack_;
};

TEST_F(ConntrackTest, ReadsFlowsOfBothFamiliesWithTuplesMarksAndCounters) {
  const Connection v4 = connect_v4(443);
  const Connection v6 = connect_v6(443);
  ASSERT_TRUE(talks(v4));
  ASSERT_TRUE(talks(v6));
  const std::vector<Flow> found = flows();
  ASSERT_EQ(found.size(), 2u);
  for (const Flow& flow : found) {
    const bool is_v4 = flow.original.source.family() == Family::v4;
    EXPECT_EQ(flow.original.source, address(is_v4 ? "10.66.0.2" : "fd66::2"));
    EXPECT_EQ(flow.original.destination, address(is_v4 ? "198.51.100.2" : "2001:db8::2"));
    EXPECT_EQ(flow.original.destination_port, Port(443));
    EXPECT_EQ(flow.original.protocol, 6);
    EXPECT_EQ(flow.reply.destination, address(is_v4 ? "198.51.100.1" : "2001:db8::1"))
        << "masqueraded";
    EXPECT_EQ(flow.mark, kWeb.verified());
    EXPECT_GE(flow.sent.packets, 3u);
    EXPECT_GT(flow.answered.bytes, 100u);
  }
}

TEST_F(ConntrackTest, FlowsWithoutAMarkOfOursAreNotOurs) {
  nft("add element inet t atoms { 25 : 0xffff }; add element inet t may { 0xffff }");
  const Connection other = connect_v4(25);
  EXPECT_TRUE(flows().empty());
}

TEST_F(ConntrackTest, RemarkedFlowLivesOnAndOneThatWasNotIsCut) {
  const Connection v4 = connect_v4(443);
  const Connection v6 = connect_v6(443);
  const Connection ssh = connect_v4(22);
  nft("add element inet t may { 0x100027 }");
  std::vector<std::string> asked;
  const auto changed =
      conntrack_->remark([&](AtomMark old, const FlowTuple& original) -> std::optional<AtomMark> {
        asked.push_back(to_string(original));
        if (old != kWeb) return std::nullopt;
        return kNewWeb;
      });
  ASSERT_TRUE(changed) << to_string(changed.error());
  EXPECT_EQ(*changed, 2u);
  EXPECT_THAT(asked, ::testing::Contains(HasSubstr("-> 198.51.100.2:443")));
  nft("delete element inet t may { 0x100017 }");
  EXPECT_TRUE(talks(v4));
  EXPECT_TRUE(talks(v6));
  EXPECT_TRUE(talks(ssh));
  // Control: the number that was not given up in time.
  nft("delete element inet t may { 0x100023 }");
  EXPECT_FALSE(talks(ssh));
  EXPECT_TRUE(talks(v4));
}

TEST_F(ConntrackTest, ProofIsKeptWhereTheCheckIsTheSameAndOnlyThere) {
  const Connection connection = connect_v4(443);
  const auto to = [&](AtomMark atom) {
    const auto changed = conntrack_->remark([&](AtomMark, const FlowTuple&) { return atom; });
    ASSERT_TRUE(changed) << to_string(changed.error());
    ASSERT_EQ(*changed, 1u);
  };
  ASSERT_TRUE(conntrack_->update_mark(flows()[0], AtomMark(0x10001, Check::tls).opening() | 1));
  to(kNewWeb);
  EXPECT_EQ(flows()[0].mark, kNewWeb.opening() | 1) << "half proven stays half proven";
  to(kShell);
  EXPECT_EQ(flows()[0].mark, kShell.opening()) << "another check begins anew";
  to(kPlain);
  EXPECT_EQ(flows()[0].mark, kPlain.verified()) << "nothing to prove";
  to(kWeb);
  EXPECT_EQ(flows()[0].mark, kWeb.opening()) << "having had nothing to prove proves nothing";
}

// The kernel applies the mask to the mark of that moment: a bit that the ruleset sets between our
// reading and our writing stays.
TEST_F(ConntrackTest, ProofThatComesWhileReMarkingIsKept) {
  const Connection connection = connect_v4(443);
  ASSERT_TRUE(conntrack_->update_mark(flows()[0], kWeb.opening()));
  bool first = true;
  const auto changed = conntrack_->remark([&](AtomMark, const FlowTuple&) {
    if (std::exchange(first, false)) {
      gateway_.in([] {
        auto other = Conntrack::open().value();
        EXPECT_TRUE(other.update_mark(other.flows().value().at(0), kWeb.verified()));
      });
    }
    return kNewWeb;
  });
  ASSERT_TRUE(changed);
  EXPECT_EQ(flows()[0].mark, kNewWeb.verified());
}

// Entries that come while the table is read are missed by that reading, like unconfirmed ones.
TEST_F(ConntrackTest, FlowsThatAppearMeanwhileAreFound) {
  const Connection connection = connect_v4(443);
  int calls = 0;
  const auto changed = conntrack_->remark([&](AtomMark old,
                                              const FlowTuple&) -> std::optional<AtomMark> {
    if (++calls == 1) {
      gateway_.in([] {
        must(
            "for p in $(seq 1 40); do conntrack -I -p tcp -s 10.66.0.2 -d 198.51.100.2 --sport $p"
            " --dport 443 -t 600 --state ESTABLISHED -m 0x100017 2>/dev/null >&2; done");
      });
    }
    if (old == kNewWeb) return std::nullopt;
    return kNewWeb;
  });
  ASSERT_TRUE(changed) << to_string(changed.error());
  EXPECT_EQ(*changed, 41u);
  for (const Flow& flow : flows()) EXPECT_EQ(AtomMark::from_mark(flow.mark), kNewWeb);
}

TEST_F(ConntrackTest, RetiredNumbersThatNeverEndAreAnError) {
  const Connection connection = connect_v4(443);
  std::uint32_t number = 0x20000;
  const auto changed = conntrack_->remark(
      [&](AtomMark, const FlowTuple&) { return AtomMark(++number, Check::tls); });
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().cause, HasSubstr("retired atoms"));
}

auto naming(const IpAddress& address) {
  return [address](const Flow& flow) {
    return flow.original.source == address || flow.original.destination == address ||
           flow.reply.source == address || flow.reply.destination == address;
  };
}

TEST_F(ConntrackTest, PurgeRemovesWhatNamesTheAddressAndNothingElse) {
  const Connection own = connect_v4(443, "10.66.0.2");
  const Connection ssh = connect_v4(22, "10.66.0.2");
  const Connection other = connect_v4(443, "10.66.0.3");
  const Connection v6 = connect_v6(443);
  ASSERT_TRUE(talks(own));
  EXPECT_EQ(conntrack_->purge(naming(address("10.66.0.2"))).value(), 2u);
  EXPECT_FALSE(talks(own)) << "and it does not come back: tcp_loose is off";
  EXPECT_FALSE(talks(ssh));
  EXPECT_TRUE(talks(other));
  EXPECT_TRUE(talks(v6));
  EXPECT_EQ(conntrack_->purge(naming(address("fd66::2"))).value(), 1u);
  EXPECT_FALSE(talks(v6));
  // By the reply tuple alone: where masquerading put the gateway's own address.
  EXPECT_EQ(conntrack_->purge(naming(address("198.51.100.1"))).value(), 1u);
  EXPECT_EQ(conntrack_->purge(naming(address("203.0.113.9"))).value(), 0u);
}

TEST_F(ConntrackTest, RemoveAndUpdateTellWhenTheFlowIsGone) {
  const Connection connection = connect_v4(443);
  const Flow flow = flows().at(0);
  ASSERT_TRUE(conntrack_->remove(flow));
  const auto again = conntrack_->remove(flow);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::not_found);
  EXPECT_THAT(again.error().object, HasSubstr("-> 198.51.100.2:443"));
  EXPECT_EQ(conntrack_->update_mark(flow, 0x100017).error().code, ErrorCode::not_found);
}

// One entry written from scratch: number `number` of 10.77.0.0/16, to port 443.
void put_entry(Batch& batch, std::uint32_t number) {
  nlmsghdr* header =
      batch.begin(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL);
  auto* fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  fixed->nfgen_family = AF_INET;
  const std::uint32_t client = htonl(0x0a4d0000 + number % 50'000);
  const std::uint32_t server = htonl(0xc6336402);
  const auto client_port = htons(static_cast<std::uint16_t>(1024 + number / 50'000));
  const auto server_port = htons(443);
  for (const bool reply : {false, true}) {
    nlattr* tuple = mnl_attr_nest_start(header, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
    nlattr* ip = mnl_attr_nest_start(header, CTA_TUPLE_IP);
    mnl_attr_put_u32(header, CTA_IP_V4_SRC, reply ? server : client);
    mnl_attr_put_u32(header, CTA_IP_V4_DST, reply ? client : server);
    mnl_attr_nest_end(header, ip);
    nlattr* protocol = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
    mnl_attr_put_u8(header, CTA_PROTO_NUM, IPPROTO_UDP);
    mnl_attr_put_u16(header, CTA_PROTO_SRC_PORT, reply ? server_port : client_port);
    mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, reply ? client_port : server_port);
    mnl_attr_nest_end(header, protocol);
    mnl_attr_nest_end(header, tuple);
  }
  mnl_attr_put_u32(header, CTA_TIMEOUT, htonl(600));
  mnl_attr_put_u32(header, CTA_MARK, htonl(kWeb.verified()));
  batch.commit();
}

TEST_F(ConntrackTest, AHundredThousandEntries) {
  constexpr std::uint32_t kEntries = 100'000;
  gateway_.in([&] {
    Batch batch;
    for (std::uint32_t number = 0; number < kEntries; ++number) put_entry(batch, number);
    auto socket = Socket::open(NETLINK_NETFILTER);
    ASSERT_TRUE(socket);
    const auto report = socket->send(batch, "entries");
    ASSERT_TRUE(report) << to_string(report.error());
    ASSERT_TRUE(report->accepted()) << report->refused[0].why << " (nf_conntrack_max?)";
  });
  // The time of this thread on the processor: the kernel's part runs in it too, and other programs
  // do not count.
  const auto seconds = [] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  };
  double start = seconds();
  EXPECT_EQ(flows().size(), kEntries);
  const double reading = seconds() - start;
  start = seconds();
  const auto changed =
      conntrack_->remark([](AtomMark old, const FlowTuple&) -> std::optional<AtomMark> {
        if (old != kWeb) return std::nullopt;
        return kNewWeb;
      });
  const double remarking = seconds() - start;
  ASSERT_TRUE(changed) << to_string(changed.error());
  EXPECT_EQ(*changed, kEntries);
  start = seconds();
  EXPECT_EQ(conntrack_->purge(naming(address("10.77.0.7"))).value(), 2u);
  const double purging = seconds() - start;
  std::printf("100 000 entries: read %.3f s, remark %.3f s, purge of one address %.3f s\n", reading,
              remarking, purging);
  EXPECT_LT(remarking, 5);
}

}  // namespace
}  // namespace sekisho::kernel

// Where a device is: it may move, nobody else may move it, and its place may not be in the tunnel.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>

#include "gateway/kernel/netlink/unique_fd.h"
#include "gateway/keys/keys.h"
#include "tests/netns/gateway/nftables.h"
#include "tests/netns/kernel/wireguard/lab.h"

namespace sekisho::kernel {
namespace {

using netns::must;

constexpr std::size_t kUdpHeader = 8;

sockaddr_in place(const std::string& address, std::uint16_t port) {
  sockaddr_in place{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
  EXPECT_EQ(::inet_pton(AF_INET, address.c_str(), &place.sin_addr), 1);
  return place;
}

// Hears what arrives for WireGuard, as the gateway's kernel delivers it.
class Tap {
 public:
  explicit Tap(const netns::Namespace& space) {
    space.in([&] { fd_ = UniqueFd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP)); });
    EXPECT_TRUE(fd_);
  }
  // The payload of the next datagram from `address`; empty where none comes within a few seconds.
  std::string next(const std::string& address) {
    std::array<std::uint8_t, 65536> packet{};
    pollfd waiting{fd_.get(), POLLIN, 0};
    while (::poll(&waiting, 1, 5000) > 0) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t length = ::recvfrom(fd_.get(), packet.data(), packet.size(), 0,
                                        reinterpret_cast<sockaddr*>(&from), &size);
      const std::size_t begin = (packet[0] & 0xfU) * 4 + kUdpHeader;  // after IP's own header
      if (from.sin_addr.s_addr != place(address, 0).sin_addr.s_addr ||
          length <= static_cast<ssize_t>(begin))
        continue;
      return {packet.begin() + static_cast<std::ptrdiff_t>(begin), packet.begin() + length};
    }
    return {};
  }

 private:
  UniqueFd fd_;
};

// Anybody who has seen `payload` sends it to the gateway again.
void send_from(const netns::Namespace& space, const std::string& address, std::uint16_t port,
               const std::string& payload) {
  UniqueFd fd;
  space.in([&] { fd = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
  const sockaddr_in from = place(address, port);
  const sockaddr_in to = place("192.0.2.1", 51820);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
  ASSERT_EQ(::sendto(fd.get(), payload.data(), payload.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(payload.size()));
}

class Endpoint : public WireGuardTest {
 protected:
  bool ping_client() {
    bool answered = false;
    gateway_.in([&] { answered = netns::run("ping -q -c 1 -W 3 10.66.0.2 >/dev/null") == 0; });
    return answered;
  }

  // Where somebody has set the client's place to be inside the tunnel, what the gateway sends the
  // client meanwhile: bytes, encrypted. The client is silent, or its own packets would put it
  // right.
  std::uint64_t sent_with_the_endpoint_inside() {
    client_.in([] {
      must(
          "nft 'table inet silent { chain c { type filter hook output priority 0;"
          " udp dport 51820 drop; }; }'");
    });
    const auto before = client_state().sent_bytes;
    gateway_.in([&] {
      must("wg set wgs peer " + public_key_of(client_key_).to_string() +
           " endpoint 10.66.0.2:40000");
      EXPECT_NE(netns::run("ping -q -c 3 -W 1 10.66.0.2 >/dev/null 2>&1"), 0);
    });
    const auto sent = client_state().sent_bytes - before;
    client_.in([] { must("nft delete table inet silent"); });
    return sent;
  }
};

TEST_P(Endpoint, FollowsTheClientAndTheSessionGoesOn) {
  connect();
  const PeerState before = client_state();
  ASSERT_EQ(before.endpoint, "192.0.2.2:40000");

  // Another network: the old address is gone. (wireguard-go as a client clings to the source that
  // it had until somebody says anew where the gateway is, as apps do.)
  client_.in(
      [] { must("ip address del 192.0.2.2/24 dev wire && ip address add 192.0.2.3/24 dev wire"); });
  EXPECT_FALSE(ping_client()) << "the gateway cannot know yet";
  point_client();
  EXPECT_TRUE(ping());
  EXPECT_EQ(client_state().endpoint, "192.0.2.3:40000");
  EXPECT_TRUE(ping_client());

  // Another port, as a NAT gives one after a pause.
  client_.in([] { must("wg set wgc listen-port 40001"); });
  EXPECT_TRUE(ping());
  EXPECT_EQ(client_state().endpoint, "192.0.2.3:40001");
  EXPECT_TRUE(ping_client());

  // Another family.
  gateway_.in([] { must("ip address add 2001:db8::1/64 dev wire nodad"); });
  client_.in([] { must("ip address add 2001:db8::2/64 dev wire nodad"); });
  point_client("[2001:db8::1]:51820");
  EXPECT_TRUE(ping());
  EXPECT_EQ(client_state().endpoint, "[2001:db8::2]:40001");
  EXPECT_TRUE(ping_client());

  const PeerState after = client_state();
  EXPECT_EQ(after.last_handshake, before.last_handshake) << "one session all the way";
  EXPECT_GT(after.received_bytes, before.received_bytes);
}

TEST_P(Endpoint, IsNotMovedByWhoeverRepeatsOrInventsAPacket) {
  client_.in([] { must("ip address add 192.0.2.9/24 dev wire"); });
  connect();
  Tap tap(gateway_);
  ASSERT_TRUE(ping());
  const std::string authentic = tap.next("192.0.2.2");
  ASSERT_GE(authentic.size(), 32u + 84u) << "a ping, encrypted";
  std::string invented = authentic;
  invented.back() = static_cast<char>(invented.back() ^ 1);
  for (const std::string& payload : {authentic, invented}) {
    send_from(client_, "192.0.2.9", 40009, payload);
    ASSERT_EQ(tap.next("192.0.2.9"), payload) << "it did arrive";
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_EQ(client_state().endpoint, "192.0.2.2:40000");
  }
  EXPECT_TRUE(ping_client());
}

// The control of the test above: the same packet, not seen by the gateway before, does move it.
TEST_P(Endpoint, IsMovedByAPacketOfTheClientsOwn) {
  client_.in([] { must("ip address add 192.0.2.9/24 dev wire"); });
  connect();
  Tap tap(gateway_);
  // What the client sends is heard by the tap and not by WireGuard.
  gateway_.in([] { must("wg set wgs listen-port 51821"); });
  EXPECT_FALSE(ping());
  const std::string authentic = tap.next("192.0.2.2");
  ASSERT_GE(authentic.size(), 32u + 84u);
  gateway_.in([] { must("wg set wgs listen-port 51820"); });
  EXPECT_EQ(client_state().endpoint, "192.0.2.2:40000");
  send_from(client_, "192.0.2.9", 40009, authentic);
  EXPECT_TRUE(netns::wait_until([&] { return client_state().endpoint == "192.0.2.9:40009"; }));
}

// A packet to a peer whose place is inside the tunnel goes into the tunnel again, and again, until
// it has outgrown the MTU; wireguard-go sends it in pieces then, for ever. The rules end it at
// once.
TEST_P(Endpoint, InsideTheTunnelMakesNoLoop) {
  connect();
  Network of = network({"10.66.0.0/16"});
  of.interface = "wgs";
  Tables tables;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(1)};
  gateway_.in([&] {
    auto nftables = open_nftables();
    install(nftables, make_ruleset(of), tables);
  });
  ASSERT_TRUE(ping_client());
  EXPECT_LE(sent_with_the_endpoint_inside(), 3u * 128u + 148u)
      << "three pings, perhaps a handshake";
  // The gateway is there all the time, and the device's next packet puts its place right.
  EXPECT_TRUE(ping());
  EXPECT_EQ(client_state().endpoint, "192.0.2.2:40000");
  EXPECT_TRUE(ping_client());

  // The control: without the rules it goes round.
  gateway_.in([] { must("nft delete table inet sekisho"); });
  EXPECT_GT(sent_with_the_endpoint_inside(), on_kernel() ? 10'000u : 1'000'000u);
}

INSTANTIATE_TEST_SUITE_P(On, Endpoint, ::testing::Values("wireguard_go", "kernel"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace sekisho::kernel

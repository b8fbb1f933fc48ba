#include "tests/netns/gateway/wire.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace sekisho::netns {
namespace {

using kernel::UniqueFd;

// In the current namespace.
UniqueFd open_tun(const char* name) {
  UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  EXPECT_EQ(::ioctl(fd.get(), TUNSETIFF, &request), 0) << name << ": " << std::strerror(errno);
  return fd;
}

bool is_multicast(const std::string& bytes) {
  const auto at = [&](std::size_t index) { return static_cast<std::uint8_t>(bytes[index]); };
  return at(0) >> 4 == 4 ? at(16) >> 4 == 0xe : at(24) == 0xff;
}

}  // namespace

Wire::Wire() {
  gateway_.in([&] {
    tunnels_ = {open_tun("wg0"), open_tun("up0")};
    must("ip address add 10.66.0.1/32 dev wg0 && ip address add fd66::1/128 dev wg0 nodad");
    must("ip address add 192.0.2.1/32 dev up0 && ip address add 2001:db8:1::1/128 dev up0 nodad");
    must("ip link set wg0 up && ip link set up0 up");
    must("ip route add 10.66.0.0/24 dev wg0 && ip route add fd66::/64 dev wg0");
    must("ip route add default dev up0 && ip route add ::/0 dev up0");
    must(
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
        " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wg0.rp_filter=0"
        " net.ipv4.conf.up0.rp_filter=0");
  });
}

bool Wire::put(End end, const std::string& bytes) {
  return ::write(tunnels_[end].get(), bytes.data(), bytes.size()) >= 0;
}

UniqueFd Wire::listen(std::uint16_t port, int type) const {
  UniqueFd fd;
  gateway_.in([&] { fd = UniqueFd(::socket(AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); });
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0)
      << std::strerror(errno);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 16), 0);
  }
  return fd;
}

std::optional<Wire::Arrival> Wire::take() {
  constexpr std::size_t kSmallest = 20;  // an IPv4 header
  std::string bytes(2048, '\0');
  for (const End end : {wg0, up0}) {
    ssize_t size = 0;
    while ((size = ::read(tunnels_[end].get(), bytes.data(), bytes.size())) > 0) {
      const std::string packet = bytes.substr(0, static_cast<std::size_t>(size));
      if (packet.size() >= kSmallest && !is_multicast(packet)) return Arrival{end, packet};
    }
  }
  return std::nullopt;
}

}  // namespace sekisho::netns

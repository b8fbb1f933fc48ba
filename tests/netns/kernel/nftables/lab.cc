#include "tests/netns/kernel/nftables/lab.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::Namespace;

constexpr int kLongestWait = 1000;

std::string sockaddr_of(const IpAddress& address, std::uint16_t port) {
  if (address.family() == Family::v4) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    std::memcpy(&place.sin_addr, address.bytes().data(), 4);
    return {reinterpret_cast<const char*>(&place), sizeof place};
  }
  sockaddr_in6 place{};
  place.sin6_family = AF_INET6;
  place.sin6_port = htons(port);
  std::memcpy(&place.sin6_addr, address.bytes().data(), 16);
  return {reinterpret_cast<const char*>(&place), sizeof place};
}

const sockaddr* as_sockaddr(const std::string& bytes) {
  return reinterpret_cast<const sockaddr*>(bytes.data());
}

UniqueFd open_socket(const Namespace& space, Family family, int type) {
  UniqueFd fd;
  space.in([&] {
    fd = UniqueFd(::socket(family == Family::v4 ? AF_INET : AF_INET6,
                           type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  });
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

UniqueFd bound(const Namespace& space, const IpAddress& address, std::uint16_t port, int type) {
  UniqueFd fd = open_socket(space, address.family(), type);
  const auto place = sockaddr_of(address, port);
  EXPECT_EQ(::bind(fd.get(), as_sockaddr(place), static_cast<socklen_t>(place.size())), 0)
      << address.to_string() << ": " << std::strerror(errno);
  return fd;
}

void add_device(const Namespace& device, const Namespace& gateway, const std::string& host,
                const std::string& port) {
  netns::connect(gateway, port, device, "tun0");
  // A tunnel has no neighbour discovery, and the rules refuse it; so neighbours are written down.
  gateway.in([&] {
    must("ip link set dev " + port + " master wg0 up");
    must("ip neigh add fd66::" + host + " lladdr 02:00:00:00:00:0" + host + " dev wg0");
  });
  device.in([&] {
    must("ip link set tun0 address 02:00:00:00:00:0" + host + " up");
    must("ip addr add 10.66.0." + host + "/32 dev tun0");
    must("ip addr add fd66::" + host + "/128 dev tun0 nodad");
    must("ip neigh add fd66::1 lladdr 02:00:00:00:00:01 dev tun0");
    must("ip route add 10.66.0.1 dev tun0 && ip route add default via 10.66.0.1 src 10.66.0." +
         host);
    must("ip route add fd66::1 dev tun0 && ip route add default via fd66::1 src fd66::" + host);
  });
}

void forward_packets() {
  must(
      "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
      "net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
      "net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0");
}

void add_link(const std::string& name, const std::string& v4, const std::string& v6) {
  must("ip link set " + name + " up");
  must("ip addr add " + v4 + " dev " + name + " && ip addr add " + v6 + " dev " + name + " nodad");
}

}  // namespace

Lab::Lab() {
  for (const auto* space :
       {&laptop_space, &phone_space, &gateway_space, &router_space, &server_space}) {
    // Addresses are used at once, without asking whether another has them.
    space->in([] {
      must("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
    });
  }
  netns::connect(gateway_space, "up0", router_space, "down0");
  netns::connect(router_space, "up0", server_space, "down0");
  gateway_space.in([&] {
    forward_packets();
    must("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_tcp_loose=0");
    must("ip link add wg0 address 02:00:00:00:00:01 type bridge mcast_snooping 0");
    add_link("wg0", "10.66.0.1/16", "fd66::1/64");
    add_link("up0", "192.0.2.1/24", "2001:db8:1::1/64");
    must("ip route add default via 192.0.2.2 && ip route add default via 2001:db8:1::2");
  });
  add_device(laptop_space, gateway_space, "2", "port2");
  add_device(phone_space, gateway_space, "3", "port3");
  router_space.in([&] {
    forward_packets();
    add_link("down0", "192.0.2.2/24", "2001:db8:1::2/64");
    add_link("up0", "203.0.113.1/24", "2001:db8:2::1/64");
    // The server does not know that its way is narrow, so nobody but the router tells the client.
    must("ip route add 203.0.113.10 dev up0 mtu 1300");
    must("ip route add 2001:db8:2::10 dev up0 mtu 1300");
  });
  server_space.in([&] {
    add_link("down0", "203.0.113.10/24", "2001:db8:2::10/64");
    must("ip route add default via 203.0.113.1 && ip route add default via 2001:db8:2::1");
  });
  gateway_space.in([] {
    for (const std::string server : {"203.0.113.10", "2001:db8:2::10"}) {
      EXPECT_TRUE(netns::wait_until(
          [&] { return netns::run("ping -c1 -W1 " + server + " >/dev/null") == 0; }, 10));
    }
  });
}

IpAddress Lab::server(Family family) {
  return ip(family == Family::v4 ? "203.0.113.10" : "2001:db8:2::10");
}
IpAddress Lab::gateway(Family family) {
  return ip(family == Family::v4 ? "10.66.0.1" : "fd66::1");
}
IpAddress Lab::laptop(Family family) {
  return ip(family == Family::v4 ? "10.66.0.2" : "fd66::2");
}
IpAddress Lab::phone(Family family) {
  return ip(family == Family::v4 ? "10.66.0.3" : "fd66::3");
}

Peer Peer::listen(const Namespace& space, const IpAddress& address, std::uint16_t port) {
  Peer peer;
  peer.fd_ = bound(space, address, port, SOCK_STREAM);
  EXPECT_EQ(::listen(peer.fd_.get(), 16), 0);
  return peer;
}

Peer Peer::udp(const Namespace& space, const IpAddress& address, std::uint16_t port) {
  Peer peer;
  peer.fd_ = bound(space, address, port, SOCK_DGRAM);
  return peer;
}

Peer Peer::connect(const Namespace& space, const IpAddress& address, std::uint16_t port,
                   std::uint16_t source_port) {
  Peer peer;
  const IpAddress any = ip(address.family() == Family::v4 ? "0.0.0.0" : "::");
  peer.fd_ = source_port == 0 ? open_socket(space, address.family(), SOCK_STREAM)
                              : bound(space, any, source_port, SOCK_STREAM);
  const auto place = sockaddr_of(address, port);
  ::connect(peer.fd_.get(), as_sockaddr(place), static_cast<socklen_t>(place.size()));
  if (!peer.wait(POLLOUT, kLongestWait)) {
    peer.error_ = ETIMEDOUT;
    return peer;
  }
  socklen_t length = sizeof peer.error_;
  ::getsockopt(peer.fd_.get(), SOL_SOCKET, SO_ERROR, &peer.error_, &length);
  const int on = 1;
  ::setsockopt(peer.fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return peer;
}

Peer Peer::accept() {
  Peer peer;
  if (wait(POLLIN, kLongestWait)) {
    peer.fd_ = UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  }
  if (!peer.fd_) peer.error_ = ETIMEDOUT;
  return peer;
}

bool Peer::wait(short events, int wait_ms) const {
  pollfd waiting{fd_.get(), events, 0};
  return ::poll(&waiting, 1, wait_ms) > 0;
}

void Peer::send(const std::string& bytes) {
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0 && error_ == 0) {
    error_ = errno;
  }
}

std::string Peer::receive(int wait_ms) {
  std::array<char, 65536> buffer{};
  if (!wait(POLLIN, wait_ms)) return {};
  const ssize_t length = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (length < 0 && error_ == 0) error_ = errno;
  return length > 0 ? std::string(buffer.data(), static_cast<std::size_t>(length)) : std::string();
}

void Peer::send_to(const IpAddress& address, std::uint16_t port, const std::string& bytes) {
  last_sender_ = sockaddr_of(address, port);
  answer(bytes);
}

void Peer::answer(const std::string& bytes) {
  if (::sendto(fd_.get(), bytes.data(), bytes.size(), 0, as_sockaddr(last_sender_),
               static_cast<socklen_t>(last_sender_.size())) < 0) {
    error_ = errno;
  }
}

std::string Peer::receive_from(int wait_ms) {
  std::array<char, 65536> buffer{};
  sockaddr_storage sender{};
  socklen_t size = sizeof sender;
  if (!wait(POLLIN, wait_ms)) return {};
  const ssize_t length = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&sender), &size);
  if (length < 0) {
    error_ = errno;
    return {};
  }
  last_sender_.assign(reinterpret_cast<const char*>(&sender), size);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

void Peer::vanish() {
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
  fd_ = UniqueFd();
}

int Peer::path_mtu(Family family) const {
  int mtu = 0;
  socklen_t length = sizeof mtu;
  if (family == Family::v4) {
    ::getsockopt(fd_.get(), IPPROTO_IP, IP_MTU, &mtu, &length);
  } else {
    ::getsockopt(fd_.get(), IPPROTO_IPV6, IPV6_MTU, &mtu, &length);
  }
  return mtu;
}

}  // namespace sekisho::kernel

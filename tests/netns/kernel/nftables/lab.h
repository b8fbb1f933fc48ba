#pragma once

#include <string>

#include "gateway/kernel/netlink/unique_fd.h"
#include "policy/base/ip.h"
#include "tests/netns/gateway/nftables.h"
#include "tests/netns/support/namespace.h"

// Two devices, the gateway, a router and a server, for packets through the real rules. The "tunnel"
// is a bridge named wg0: each device's address stands alone, so devices meet only through the
// gateway.
//
//   laptop 10.66.0.2 --+                                  mtu 1300
//                      wg0  gateway 192.0.2.1 -- .2 router ------- server 203.0.113.10
//   phone  10.66.0.3 --+    (masquerade)                           2001:db8:2::10
namespace sekisho::kernel {

struct Lab {
  Lab();
  // The address of a place in the lab, of the family under test.
  static IpAddress server(Family family);
  static IpAddress gateway(Family family);
  static IpAddress laptop(Family family);
  static IpAddress phone(Family family);

  netns::Namespace laptop_space, phone_space, gateway_space, router_space, server_space;
};

// A socket made in one namespace that goes on working there. Nothing waits longer than a second.
class Peer {
 public:
  static Peer listen(const netns::Namespace& space, const IpAddress& address, std::uint16_t port);
  static Peer udp(const netns::Namespace& space, const IpAddress& address, std::uint16_t port);
  // Connected, or holding the errno that came instead (ETIMEDOUT where nothing came). Source port
  // 0: the kernel's choice.
  static Peer connect(const netns::Namespace& space, const IpAddress& address, std::uint16_t port,
                      std::uint16_t source_port = 0);

  Peer accept();
  bool good() const { return fd_.get() >= 0 && error_ == 0; }
  // The first thing that went wrong.
  int error() const { return error_; }

  void send(const std::string& bytes);
  // What arrives within `wait_ms`; empty where nothing does. error() tells of a reset.
  std::string receive(int wait_ms = 400);
  // Datagrams: to a place, and back to where the last one came from.
  void send_to(const IpAddress& address, std::uint16_t port, const std::string& bytes);
  std::string receive_from(int wait_ms = 400);
  void answer(const std::string& bytes);
  // Forgets the connection at once; only a reset may leave.
  void vanish();
  int fd() const { return fd_.get(); }
  // What the kernel believes the path takes (IP_MTU).
  int path_mtu(Family family) const;

 private:
  bool wait(short events, int wait_ms) const;
  UniqueFd fd_;
  int error_ = 0;
  std::string last_sender_;  // a sockaddr
};

// First bytes of each protocol.
inline const std::string kTlsHello = std::string("\x16\x03\x01\x00\x05", 5) + "hello";
inline const std::string kTlsAnswer = std::string("\x16\x03\x03\x00\x05", 5) + "there";
inline const std::string kSshHello = "SSH-2.0-test\r\n";
inline const std::string kHttp = "GET / HTTP/1.1\r\n\r\n";

}  // namespace sekisho::kernel

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/netns/attacks/rules.h"
#include "tests/netns/gateway/packet.h"
#include "tests/netns/gateway/wire.h"

// An attack is a function of a scene that answers whether it succeeded. Each is tried on two: on
// one with the product's rules, where it must fail, and on one that lacks the protection (the
// control), where it must succeed.
namespace sekisho::attacks {

using netns::icmp_error;
using netns::ip_packet;
using netns::kAck;
using netns::kFin;
using netns::kRst;
using netns::kSyn;
using netns::kUrg;
using netns::Packet;
using netns::to_bytes;
using netns::transport_of;
using netns::Wire;

// First bytes of each protocol.
inline const std::string kTlsHello = std::string("\x16\x03\x01\x00\x05", 5) + "hello";
inline const std::string kTlsAnswer = std::string("\x16\x03\x03\x00\x05", 5) + "there";
inline const std::string kSshHello = "SSH-2.0-test\r\n";
inline const std::string kHttp = "GET / HTTP/1.1\r\n\r\n";
inline const std::string kHttpAnswer = "HTTP/1.1 200 OK\r\n\r\n";
inline const std::string kQuicLong = "\xc3" + std::string(1199, 'i');
inline const std::string kQuicShort = "\x43" + std::string(1199, 's');

// A gateway with the product's rules between two ends in our hands. Nothing here waits: once a
// packet is written, it has come through or was refused.
class Scene {
  std::unique_ptr<Wire> wire_;  // before the rules that are in it

 public:
  explicit Scene(Family family, const std::vector<Weakening>& weakenings = {});

  Family family() const { return family_; }
  // Whose addresses are meant from now on.
  void turn_to(Family family) { family_ = family; }
  bool v4() const { return family_ == Family::v4; }
  IpAddress laptop() const { return pick("10.66.0.2", "fd66::2"); }
  IpAddress phone() const { return pick("10.66.0.3", "fd66::3"); }
  IpAddress server() const { return pick("203.0.113.10", "2001:db8:2::10"); }
  IpAddress stranger() const { return pick("198.51.100.9", "2001:db8:9::9"); }
  // The gateway's addresses: in the tunnel, and the one that the world sees.
  IpAddress gateway() const { return pick("10.66.0.1", "fd66::1"); }
  IpAddress uplink() const { return pick("192.0.2.1", "2001:db8:1::1"); }
  IpAddress pick(const char* v4_text, const char* v6_text) const;

  // Everything that came out while `act` was done, in the gateway's namespace.
  std::vector<Wire::Arrival> while_done(const std::function<void()>& act);
  // Everything that came out after `bytes` went in.
  std::vector<Wire::Arrival> send(Wire::End end, const std::string& bytes);
  std::vector<Wire::Arrival> send(Wire::End end, const Packet& packet);
  // Whether anything came out of that end after `bytes` went in at the other.
  bool leaves(const std::string& bytes);  // from the tunnel into the world
  bool leaves(const Packet& packet);
  bool enters(const std::string& bytes);  // from the world into the tunnel
  bool enters(const Packet& packet);
  // Sends `bytes` from the tunnel so many times at a stretch; how many came out into the world.
  std::uint64_t flood(const std::string& bytes, int times);
  // Whether it came out as it is, somewhere.
  bool passes(Wire::End end, const Packet& packet);
  // Whether a TCP listener of the gateway's own answered the SYN of a device.
  bool answers(const Packet& syn);
  // A SYN from a device, a datagram from a device.
  Packet syn(const IpAddress& from, const IpAddress& to, std::uint16_t port);
  Packet datagram(const IpAddress& from, const IpAddress& to, std::uint16_t port,
                  const std::string& payload = "datagram");

  kernel::UniqueFd listen(std::uint16_t port, int type) const { return wire_->listen(port, type); }
  // Bare, for what goes on beside the test's own thread.
  Wire& wire() { return *wire_; }
  // As when the program behind wg0 ends: the interface is gone.
  void lose_tunnel() { wire_->lose_tunnel(); }
  const netns::Namespace& space() const { return wire_->space(); }

  Rules rules;

 private:
  std::uint16_t source_port();

  Family family_;
  std::uint16_t next_port_ = 10000;
};

// A TCP connection, from the laptop to the server unless said otherwise. The handshake must pass.
class Talk {
 public:
  explicit Talk(Scene& scene, std::uint16_t port = 443, std::uint16_t source_port = 0);
  // Opened by that SYN of a device; `far` is where it is answered.
  Talk(Scene& scene, const Packet& syn, Wire::End far = Wire::up0);
  // Nothing where the handshake may fail and does.
  static std::optional<Talk> try_open(Scene& scene, std::uint16_t port = 443,
                                      std::uint16_t source_port = 0);

  // Whether what the one side says reaches the other.
  bool client(const std::string& payload, std::uint8_t flags = kAck);
  bool server(const std::string& payload, std::uint8_t flags = kAck);
  // Both sides prove that they speak TLS.
  Talk& prove();
  // Whether anything passes, either way.
  bool goes_on();

  // The next packet of each side, not yet sent.
  Packet from_client(const std::string& payload, std::uint8_t flags = kAck) const;
  Packet from_server(const std::string& payload, std::uint8_t flags = kAck) const;
  // Sends it and says whether it came out, unchanged in what matters.
  bool client(const Packet& packet);
  bool server(const Packet& packet);

 private:
  struct Closed {};
  Talk(Scene& scene, const Packet& syn, Wire::End far, Closed);
  bool handshake();

  Scene* scene_;
  Packet syn_;  // the client's first packet
  Wire::End far_end_;
  std::optional<Packet> far_;  // as the server sees it
  std::uint32_t client_sequence_, server_sequence_;
};

// The tests run over IPv4 and over IPv6.
class Attack : public testing::TestWithParam<Family> {};

}  // namespace sekisho::attacks

#define SEKISHO_BOTH_FAMILIES(Suite)                      \
  INSTANTIATE_TEST_SUITE_P(                               \
      On, Suite, testing::Values(Family::v4, Family::v6), \
      [](const auto& test) { return test.param == Family::v4 ? "v4" : "v6"; })

#include "tests/netns/kernel/wireguard/lab.h"

#include <sys/random.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "gateway/keys/keys.h"

namespace sekisho::kernel {

using netns::must;

KeyBytes random_bytes() {
  KeyBytes bytes;
  EXPECT_EQ(::getrandom(bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

WireGuardTest::WireGuardTest()
    : gateway_key_(make_private_key(random_bytes())),
      client_key_(make_private_key(random_bytes())) {}

void WireGuardTest::SetUp() {
  if (on_kernel()) {
    bool has_module = false;
    gateway_.in([&] { has_module = netns::run("ip link add wgs type wireguard 2>&1") == 0; });
    if (!has_module)
      GTEST_SKIP() << "this kernel has no WireGuard: ip link add type wireguard fails";
    gateway_.in([] { must("ip link del wgs"); });
  }
  netns::connect(gateway_, "wire", client_, "wire");
  gateway_.in([] { must("ip address add 192.0.2.1/24 dev wire && ip link set wire up"); });
  client_.in([] { must("ip address add 192.0.2.2/24 dev wire && ip link set wire up"); });
  gateway_wg_ = make_interface(gateway_, "wgs", "10.66.0.1/24", gateway_process_);
  client_wg_ = make_interface(client_, "wgc", "10.66.0.2/24", client_process_);
  ASSERT_TRUE(gateway_wg_ && client_wg_);
  gateway_.in([&] { check(gateway_wg_->configure(gateway_key_, Port(51820))); });
  client_.in([&] { check(client_wg_->configure(client_key_, Port(40000))); });
}

void WireGuardTest::TearDown() {
  std::remove("/run/wireguard/wgs.sock");
  std::remove("/run/wireguard/wgc.sock");
}

std::unique_ptr<WireGuard> WireGuardTest::make_interface(const netns::Namespace& space,
                                                         const std::string& name,
                                                         const std::string& address,
                                                         std::optional<netns::Child>& process) {
  std::unique_ptr<WireGuard> wireguard;
  space.in([&] {
    if (on_kernel()) {
      must("ip link add " + name + " type wireguard");
    } else {
      process.emplace("env LOG_LEVEL=error wireguard-go -f " + name + " 2>/dev/null");
      const std::string path = "/run/wireguard/" + name + ".sock";
      EXPECT_TRUE(netns::wait_until([&] { return ::access(path.c_str(), F_OK) == 0; }));
    }
    must("ip address add " + address + " dev " + name + " && ip link set " + name + " up");
    auto opened = open_wireguard(name);
    EXPECT_TRUE(opened) << to_string(opened.error());
    if (opened) wireguard = std::move(*opened);
  });
  return wireguard;
}

PeerConfig WireGuardTest::client_peer() const {
  return {.key = public_key_of(client_key_), .allowed_ips = {prefix("10.66.0.2/32")}};
}

PeerConfig WireGuardTest::gateway_peer() const {
  return {.key = public_key_of(gateway_key_), .allowed_ips = {prefix("10.66.0.0/24")}};
}

void WireGuardTest::update(WireGuard& wireguard, const PeerConfig& peer) {
  const PeerConfig* const list[] = {&peer};
  check(wireguard.change({}, list));
}

void WireGuardTest::point_client(const std::string& at) {
  client_.in([&] {
    must("wg set wgc peer " + public_key_of(gateway_key_).to_string() + " endpoint " + at);
  });
}

void WireGuardTest::connect() {
  gateway_.in([&] { update(*gateway_wg_, client_peer()); });
  client_.in([&] { update(*client_wg_, gateway_peer()); });
  point_client();
  ASSERT_TRUE(ping());
}

bool WireGuardTest::ping(const std::string& from) {
  bool answered = false;
  const std::string source = from.empty() ? "" : "-I " + from + " ";
  client_.in(
      [&] { answered = netns::run("ping -q -c 1 -W 3 " + source + "10.66.0.1 >/dev/null") == 0; });
  return answered;
}

DeviceState WireGuardTest::gateway_state() {
  DeviceState state;
  gateway_.in([&] {
    auto read = gateway_wg_->read();
    ASSERT_TRUE(read) << to_string(read.error());
    state = std::move(*read);
  });
  return state;
}

PeerState WireGuardTest::state_of(const PublicKey& key) {
  for (PeerState& peer : gateway_state().peers) {
    if (peer.key == key) return std::move(peer);
  }
  return {};
}

PeerState WireGuardTest::client_state() {
  return state_of(public_key_of(client_key_));
}

}  // namespace sekisho::kernel

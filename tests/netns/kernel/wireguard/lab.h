#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "gateway/kernel/wireguard/wireguard.h"
#include "tests/netns/support/namespace.h"

namespace sekisho::kernel {

KeyBytes random_bytes();

inline Prefix prefix(const std::string& text) {
  return Prefix::parse(text).value();
}

// Two namespaces and a wire between them: the gateway (wgs, 10.66.0.1, 192.0.2.1:51820) and a
// client (wgc, 10.66.0.2, 192.0.2.2:40000). The same tests run on both implementations of
// WireGuard.
class WireGuardTest : public ::testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() { netns::private_directory("/run/wireguard"); }
  void SetUp() override;
  void TearDown() override;

  bool on_kernel() const { return std::string(GetParam()) == "kernel"; }
  static void check(const Result<void>& done) { ASSERT_TRUE(done) << to_string(done.error()); }

  PeerConfig client_peer() const;
  PeerConfig gateway_peer() const;
  static void update(WireGuard& wireguard, const PeerConfig& peer);
  // Tells the client where the gateway is; `at` as wg writes it.
  void point_client(const std::string& at = "192.0.2.1:51820");
  // Both sides know each other; the client knows where the gateway is.
  void connect();
  // From the client to the gateway; where its own tunnel address is not the source, `from` is.
  bool ping(const std::string& from = "");

  DeviceState gateway_state();
  // A peer as the gateway sees it; an empty one where it is not there.
  PeerState state_of(const PublicKey& key);
  PeerState client_state();

  netns::Namespace gateway_;
  netns::Namespace client_;
  std::optional<netns::Child> gateway_process_;
  std::optional<netns::Child> client_process_;
  std::unique_ptr<WireGuard> gateway_wg_;
  std::unique_ptr<WireGuard> client_wg_;
  PrivateKey gateway_key_;
  PrivateKey client_key_;

  WireGuardTest();

 private:
  std::unique_ptr<WireGuard> make_interface(const netns::Namespace& space, const std::string& name,
                                            const std::string& address,
                                            std::optional<netns::Child>& process);
};

}  // namespace sekisho::kernel

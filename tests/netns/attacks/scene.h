#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/compile/compile.h"
#include "tests/model/policy_builder.h"
#include "tests/netns/attacks/weaken.h"
#include "tests/netns/kernel/nftables/lab.h"

// An attack is a function of a scene that answers whether it succeeded. Each is tried on two: on
// one with the product's rules, where it must fail, and on one that lacks the protection (the
// control), where it must succeed.
namespace sekisho::attacks {

using kernel::kHttp;
using kernel::kSshHello;
using kernel::kTlsAnswer;
using kernel::kTlsHello;
using kernel::Lab;
using kernel::Nftables;
using kernel::Peer;
using netns::must;

// A lab (two devices, gateway, router, server) with the product's rules, and a policy compiled into
// their tables: the laptop is tanaka's and granted `web` (TLS), `shell` (SSH), `video` (QUIC) and
// `port` (UDP 7000) of the server; the phone is suzuki's and granted nothing.
class Scene {
 public:
  explicit Scene(Family family, const std::vector<Weakening>& weakenings = {});

  // Changes the policy, and the tables by that.
  void edit(const std::function<void(model::PolicyBuilder&)>& change);
  void withdraw(const std::string& grant);
  // Changes the tables by hand, past the compiler.
  void edit_tables(const std::function<void(Tables&)>& change);
  const Tables& tables() const { return tables_; }
  // The rules again, from a different starting point.
  void install(const Ruleset& ruleset);
  const Ruleset& ruleset() const { return ruleset_; }
  const Network& network() const { return staff_.network; }
  // Our own policy routing as well ("no ruleset, no route"), which the lab does without.
  void route_as_the_product();

  Family family() const { return family_; }
  bool v4() const { return family_ == Family::v4; }
  IpAddress server() const { return Lab::server(family_); }
  IpAddress gateway() const { return Lab::gateway(family_); }
  IpAddress laptop() const { return Lab::laptop(family_); }
  IpAddress phone() const { return Lab::phone(family_); }

  Peer listen(std::uint16_t port) const { return Peer::listen(lab.server_space, server(), port); }
  Peer dial(std::uint16_t port) const { return Peer::connect(lab.laptop_space, server(), port); }
  // In the gateway's namespace.
  void at_gateway(const std::string& command) const;

  Lab lab;

 private:
  void apply(const Tables& next);

  Family family_;
  model::PolicyBuilder staff_;
  std::optional<Compiled> compiled_;
  Tables tables_;
  Ruleset ruleset_;
  std::optional<Nftables> nftables_;
};

// A connection from the laptop on which both sides proved that they speak TLS.
struct Talk {
  explicit Talk(const Scene& scene, std::uint16_t source_port = 0);
  bool server_reaches_client();
  bool client_reaches_server();
  // Either way.
  bool goes_on();

  Peer listener, client, served;
};

// The tests run over IPv4 and over IPv6.
class Attack : public testing::TestWithParam<Family> {};

}  // namespace sekisho::attacks

#define SEKISHO_BOTH_FAMILIES(Suite)                      \
  INSTANTIATE_TEST_SUITE_P(                               \
      On, Suite, testing::Values(Family::v4, Family::v6), \
      [](const auto& test) { return test.param == Family::v4 ? "v4" : "v6"; })

#include "tests/netns/attacks/scene.h"

#include "gateway/kernel/route/routing.h"
#include "gateway/kernel/route/sysctl.h"

namespace sekisho::attacks {
namespace {

model::PolicyBuilder staff() {
  using enum Classification;
  model::PolicyBuilder staff;
  staff.device("laptop", "tanaka", {"10.66.0.2", "fd66::2"});
  staff.device("phone", "suzuki", {"10.66.0.3", "fd66::3"});
  const auto offer = [&](const char* name, const char* service) {
    staff.resource(name, internal, {"203.0.113.10/32", "2001:db8:2::10/128"}, {service});
    staff.grant(std::string("tanaka-") + name, "tanaka", name);
  };
  offer("web", "https");
  offer("shell", "ssh");
  offer("video", "quic");
  offer("port", "udp:7000");
  return staff;
}

Time this_second() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

Scene::Scene(Family family, const std::vector<Weakening>& weakenings)
    : family_(family), staff_(staff()), ruleset_(make_ruleset(staff_.network)) {
  for (const Weakening& weaken : weakenings) weaken(ruleset_);
  lab.gateway_space.in([&] {
    EXPECT_TRUE(kernel::ensure_conntrack_settings());
    nftables_.emplace(kernel::open_nftables());
    install(ruleset_);
  });
  edit([](model::PolicyBuilder&) {});
}

void Scene::edit(const std::function<void(model::PolicyBuilder&)>& change) {
  change(staff_);
  compiled_ = compile(staff_.valid(), this_second(), compiled_ ? &*compiled_ : nullptr).value();
  apply(compiled_->tables);
}

void Scene::withdraw(const std::string& grant) {
  edit([&](model::PolicyBuilder& staff) {
    ASSERT_EQ(staff.policy.grants.erase(GrantId("tanaka-" + grant)), 1U) << grant;
  });
}

void Scene::edit_tables(const std::function<void(Tables&)>& change) {
  Tables next = tables_;
  change(next);
  apply(next);
}

void Scene::apply(const Tables& next) {
  lab.gateway_space.in([&] { kernel::apply(*nftables_, tables_, next); });
  tables_ = next;
}

void Scene::install(const Ruleset& ruleset) {
  lab.gateway_space.in([&] { kernel::install(*nftables_, ruleset, tables_); });
}

void Scene::route_as_the_product() {
  lab.gateway_space.in([&] {
    const kernel::Tunnel tunnel{.interface = network().interface,
                                .mtu = static_cast<std::uint32_t>(network().mtu),
                                .addresses = network().gateway_addresses(),
                                .pools = network().pools};
    auto routing = kernel::Routing::open(tunnel);
    ASSERT_TRUE(routing) << to_string(routing.error());
    const auto done = routing->ensure();
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_TRUE(kernel::ensure_settings(kernel::interface_settings(network().interface)));
  });
  // ARP asks whether there is a route, and gets the answer of the rules; a tunnel has no ARP.
  for (const auto* device : {&lab.laptop_space, &lab.phone_space}) {
    device->in([] { must("ip neigh replace 10.66.0.1 lladdr 02:00:00:00:00:01 dev tun0"); });
  }
}

void Scene::at_gateway(const std::string& command) const {
  lab.gateway_space.in([&] { must(command); });
}

Talk::Talk(const Scene& scene, std::uint16_t source_port)
    : listener(scene.listen(443)),
      client(Peer::connect(scene.lab.laptop_space, scene.server(), 443, source_port)),
      served(listener.accept()) {
  client.send(kTlsHello);
  EXPECT_EQ(served.receive(2000), kTlsHello);
  served.send(kTlsAnswer);
  EXPECT_EQ(client.receive(2000), kTlsAnswer);
  EXPECT_TRUE(server_reaches_client());
  EXPECT_TRUE(client_reaches_server());
}

bool Talk::server_reaches_client() {
  served.send("from the server");
  return !client.receive().empty();
}

bool Talk::client_reaches_server() {
  client.send("from the client");
  return !served.receive().empty();
}

bool Talk::goes_on() {
  const bool down = server_reaches_client();
  return client_reaches_server() || down;
}

}  // namespace sekisho::attacks

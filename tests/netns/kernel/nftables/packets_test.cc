// Packets through the real rules, IPv4 and IPv6. Every refusal here has its control: the same
// packet passes where policy says so.
#include <thread>

#include "tests/netns/kernel/nftables/lab.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;
using netns::run;
using testing::HasSubstr;

const AtomMark kService(0x2001, Check::none), kHairpin(0x2002, Check::tls),
    kPanel(0x2003, Check::tls);

// The laptop is in cohort 1, the phone in cohort 2; nothing is granted.
Tables basic_tables(Family family) {
  Tables tables;
  const auto host = [](const IpAddress& address, Protocol protocol, std::uint16_t port) {
    return Destinations{{address, address}, protocol, PortRange::single(port)};
  };
  tables.cohorts[Lab::laptop(family)] = {Cohort(1)};
  tables.cohorts[Lab::phone(family)] = {Cohort(2)};
  tables.atoms[host(Lab::server(family), Protocol::tcp, 443)] = kTls;
  tables.atoms[host(Lab::server(family), Protocol::tcp, 22)] = kSsh;
  tables.atoms[host(Lab::server(family), Protocol::udp, 443)] = kQuic;
  tables.atoms[host(Lab::gateway(family), Protocol::udp, 53)] = kService;
  tables.atoms[host(Lab::gateway(family), Protocol::tcp, 443)] = kPanel;
  tables.atoms[host(Lab::phone(family), Protocol::tcp, 443)] = kHairpin;
  return tables;
}

class Packets : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    lab_.gateway_space.in([&] {
      nftables_.emplace(open_nftables());
      install(*nftables_, make_ruleset(network()), tables_);
    });
  }

  template <class Edit>
  void change(Edit edit) {
    const Tables before = tables_;
    edit(tables_);
    apply(*nftables_, before, tables_);
  }
  void grant(std::uint16_t cohort, AtomMark atom) {
    change([&](Tables& t) { t.grants[{Cohort(cohort), atom}] = {}; });
  }
  void withdraw(std::uint16_t cohort, AtomMark atom) {
    change([&](Tables& t) { t.grants.erase({Cohort(cohort), atom}); });
  }
  Peer server(std::uint16_t port) {
    return Peer::listen(lab_.server_space, Lab::server(family()), port);
  }
  Peer laptop_to_server(std::uint16_t port) {
    return Peer::connect(lab_.laptop_space, Lab::server(family()), port);
  }
  static Family family() { return GetParam(); }
  static const char* ping() { return family() == Family::v4 ? "ping -4" : "ping -6"; }

  // A connection both sides of which have proven that they speak TLS.
  struct Pair {
    Peer client, served;
  };
  Pair tls_pair(const netns::Namespace& from, const IpAddress& to, Peer& listener) {
    Pair pair{Peer::connect(from, to, 443), listener.accept()};
    pair.client.send(kTlsHello);
    EXPECT_EQ(pair.served.receive(), kTlsHello);
    pair.served.send(kTlsAnswer);
    EXPECT_EQ(pair.client.receive(), kTlsAnswer);
    pair.client.send("anything now");
    EXPECT_EQ(pair.served.receive(), "anything now");
    return pair;
  }
  // Nothing passes any more, either way.
  static void expect_cut(Pair& pair) {
    pair.served.send("from the server");
    EXPECT_EQ(pair.client.receive(), "");
    pair.client.send("from the client");
    EXPECT_EQ(pair.served.receive(), "");
  }
  static void expect_alive(Pair& pair) {
    pair.served.send("from the server");
    EXPECT_EQ(pair.client.receive(), "from the server");
    pair.client.send("from the client");
    EXPECT_EQ(pair.served.receive(), "from the client");
  }

  Lab lab_;
  Tables tables_ = basic_tables(GetParam());
  std::optional<Nftables> nftables_;
};

INSTANTIATE_TEST_SUITE_P(Families, Packets, testing::Values(Family::v4, Family::v6),
                         [](const auto& test) { return test.param == Family::v4 ? "v4" : "v6"; });

TEST_P(Packets, NothingPassesWithoutAGrant) {
  auto listener = server(443);
  EXPECT_EQ(laptop_to_server(443).error(), ECONNREFUSED);
  grant(1, kTls);
  EXPECT_TRUE(laptop_to_server(443).good());
  EXPECT_EQ(laptop_to_server(80).error(), ECONNREFUSED);
}

TEST_P(Packets, GrantedTlsPassesUntilTheGrantGoes) {
  grant(1, kTls);
  auto listener = server(443);
  auto pair = tls_pair(lab_.laptop_space, Lab::server(family()), listener);
  expect_alive(pair);
  withdraw(1, kTls);
  expect_cut(pair);
}

TEST_P(Packets, AnotherCohortCutsALiveFlow) {
  grant(1, kTls);
  auto listener = server(443);
  auto pair = tls_pair(lab_.laptop_space, Lab::server(family()), listener);
  change([&](Tables& t) { t.cohorts[Lab::laptop(family())] = {Cohort(3)}; });
  expect_cut(pair);
}

// The grant ends by itself, and nobody is awake to end it.
TEST_P(Packets, AnEndedGrantCutsALiveFlow) {
  change([&](Tables& t) { t.grants[{Cohort(1), kTls}] = in_seconds(3); });
  auto listener = server(443);
  auto pair = tls_pair(lab_.laptop_space, Lab::server(family()), listener);
  expect_alive(pair);
  std::this_thread::sleep_for(std::chrono::milliseconds(3200));
  expect_cut(pair);
}

TEST_P(Packets, PlainTextWhereTlsIsGrantedIsReset) {
  grant(1, kTls);
  auto listener = server(443);
  auto client = laptop_to_server(443);
  auto served = listener.accept();
  client.send(kHttp);
  EXPECT_EQ(client.receive(), "");
  EXPECT_EQ(client.error(), ECONNRESET);
  EXPECT_EQ(served.receive(), "") << "not one byte arrived";
}

TEST_P(Packets, AServerThatAnswersInPlainTextIsRefused) {
  grant(1, kTls);
  auto listener = server(443);
  auto client = laptop_to_server(443);
  auto served = listener.accept();
  client.send(kTlsHello);
  EXPECT_EQ(served.receive(), kTlsHello);
  served.send("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(client.receive(), "");
}

TEST_P(Packets, SshPassesAndTlsOnItsPortDoesNot) {
  grant(1, kSsh);
  auto listener = server(22);
  auto client = laptop_to_server(22);
  auto served = listener.accept();
  served.send(kSshHello);
  EXPECT_EQ(client.receive(), kSshHello);
  client.send(kSshHello);
  EXPECT_EQ(served.receive(), kSshHello);

  auto other = laptop_to_server(22);
  auto other_served = listener.accept();
  other.send(kTlsHello);
  EXPECT_EQ(other_served.receive(), "");
  EXPECT_EQ(other.receive(), "");
  EXPECT_EQ(other.error(), ECONNRESET);
}

TEST_P(Packets, QuicOpensWithALongHeaderOnBothSides) {
  grant(1, kQuic);
  auto listener = Peer::udp(lab_.server_space, Lab::server(family()), 443);
  const std::string initial = "\xc3" + std::string(1199, 'i'),
                    later = "\x43" + std::string(99, 's');
  auto client = Peer::udp(lab_.laptop_space, Lab::laptop(family()), 4001);
  client.send_to(Lab::server(family()), 443, initial);
  EXPECT_EQ(listener.receive_from(), initial);
  listener.answer(later);
  EXPECT_EQ(client.receive_from(), "") << "a short header proves nothing";
  listener.answer(initial);
  EXPECT_EQ(client.receive_from(), initial);
  listener.answer(later);
  EXPECT_EQ(client.receive_from(), later);
  client.send_to(Lab::server(family()), 443, later);
  EXPECT_EQ(listener.receive_from(), later);

  for (const std::string& other : {std::string("plain text"), later, std::string()}) {
    auto liar = Peer::udp(lab_.laptop_space, Lab::laptop(family()), 0);
    liar.send_to(Lab::server(family()), 443, other);
    EXPECT_EQ(listener.receive_from(200), "");
    liar.send_to(Lab::server(family()), 443, "still plain");
    EXPECT_EQ(listener.receive_from(200), "") << "an empty datagram opened the way";
  }
}

TEST_P(Packets, PacketTooBigReachesTheClient) {
  grant(1, kTls);
  auto listener = server(443);
  auto pair = tls_pair(lab_.laptop_space, Lab::server(family()), listener);
  EXPECT_GT(pair.client.path_mtu(family()), 1300);
  const std::string big(20'000, 'b');
  pair.client.send(big);
  std::string arrived;
  while (arrived.size() < big.size()) {
    const std::string piece = pair.served.receive(1000);
    if (piece.empty()) break;
    arrived += piece;
  }
  EXPECT_EQ(arrived.size(), big.size());
  EXPECT_LE(pair.client.path_mtu(family()), 1300);
}

TEST_P(Packets, UnreachableReachesTheClientOfAFlowNotYetProven) {
  grant(1, kQuic);
  auto client = Peer::udp(lab_.laptop_space, Lab::laptop(family()), 4001);
  const auto counted = [&] {
    std::string out;
    lab_.laptop_space.in([&] {
      out =
          output_of(family() == Family::v4 ? "nstat -az IcmpInDestUnreachs | awk 'END{print $2}'"
                                           : "nstat -az Icmp6InDestUnreachs | awk 'END{print $2}'");
    });
    return std::stoi(out);
  };
  const int before = counted();
  client.send_to(Lab::server(family()), 443, "\xc3" + std::string(1199, 'i'));
  EXPECT_TRUE(netns::wait_until([&] { return counted() > before; }, 2))
      << "nobody listens on UDP 443 of the server";
}

TEST_P(Packets, DeviceToDeviceOnlyOnPurpose) {
  auto listener = Peer::listen(lab_.phone_space, Lab::phone(family()), 443);
  const auto attempt = [&] {
    return Peer::connect(lab_.laptop_space, Lab::phone(family()), 443).error();
  };
  EXPECT_EQ(attempt(), ECONNREFUSED);
  grant(1, kHairpin);
  auto pair = tls_pair(lab_.laptop_space, Lab::phone(family()), listener);
  expect_alive(pair);
  // The phone did not become anybody's client by answering.
  auto reverse_listener = Peer::listen(lab_.laptop_space, Lab::laptop(family()), 443);
  EXPECT_NE(Peer::connect(lab_.phone_space, Lab::laptop(family()), 443).error(), 0);
  withdraw(1, kHairpin);
  expect_cut(pair);
}

TEST_P(Packets, DeviceToDeviceNeedsBothInGoodStanding) {
  grant(1, kHairpin);
  auto listener = Peer::listen(lab_.phone_space, Lab::phone(family()), 443);
  auto pair = tls_pair(lab_.laptop_space, Lab::phone(family()), listener);
  change([&](Tables& t) { t.cohorts.erase(Lab::phone(family())); });
  expect_cut(pair);
  EXPECT_EQ(Peer::connect(lab_.laptop_space, Lab::phone(family()), 443).error(), ETIMEDOUT);
  change([&](Tables& t) { t.cohorts[Lab::phone(family())] = {Cohort(2)}; });
  EXPECT_TRUE(Peer::connect(lab_.laptop_space, Lab::phone(family()), 443).good());
}

TEST_P(Packets, TheGatewaysServicesObeyTheSamePolicy) {
  auto listener = Peer::listen(lab_.gateway_space, Lab::gateway(family()), 443);
  const auto attempt = [&](const netns::Namespace& from) {
    return Peer::connect(from, Lab::gateway(family()), 443).error();
  };
  EXPECT_EQ(attempt(lab_.laptop_space), ECONNREFUSED);
  grant(1, kPanel);
  auto pair = tls_pair(lab_.laptop_space, Lab::gateway(family()), listener);
  EXPECT_EQ(attempt(lab_.phone_space), ECONNREFUSED);
  withdraw(1, kPanel);
  expect_cut(pair);
}

// The gateway's answers end too: what it has sent is not asked for by acknowledgements it never
// gets.
TEST_P(Packets, AGatewayServiceStopsSendingAtOnce) {
  grant(1, kService);
  auto service = Peer::udp(lab_.gateway_space, Lab::gateway(family()), 53);
  auto client = Peer::udp(lab_.laptop_space, Lab::laptop(family()), 4001);
  client.send_to(Lab::gateway(family()), 53, "question");
  EXPECT_EQ(service.receive_from(), "question");
  service.answer("answer");
  EXPECT_EQ(client.receive_from(), "answer");
  withdraw(1, kService);
  service.answer("late answer");
  EXPECT_EQ(client.receive_from(), "");
  // Nor does the late answer open a flow of its own once the old one is forgotten.
  lab_.gateway_space.in([] { must("conntrack -F 2>/dev/null"); });
  service.answer("later answer");
  EXPECT_EQ(client.receive_from(), "");
  client.send_to(Lab::gateway(family()), 53, "question");
  EXPECT_EQ(service.receive_from(), "");
  // The control: without the output chain it would.
  client.send_to(Lab::gateway(family()), 53, "question");
  lab_.gateway_space.in(
      [] { must("nft flush chain inet sekisho output; conntrack -F 2>/dev/null"); });
  service.answer("latest answer");
  EXPECT_EQ(client.receive_from(), "latest answer");
}

TEST_P(Packets, PingOfTheGatewayNeedsACohort) {
  const std::string command =
      std::string(ping()) + " -c1 -W1 " + Lab::gateway(family()).to_string() + " >/dev/null";
  const auto attempt = [&] {
    int code = -1;
    lab_.laptop_space.in([&] { code = run(command); });
    return code;
  };
  EXPECT_EQ(attempt(), 0);
  change([&](Tables& t) { t.cohorts.erase(Lab::laptop(family())); });
  EXPECT_EQ(attempt(), 1);
}

TEST_P(Packets, ADeviceWithoutACohortReachesNothing) {
  grant(1, kTls);
  grant(1, kPanel);
  auto listener = server(443);
  auto panel = Peer::listen(lab_.gateway_space, Lab::gateway(family()), 443);
  EXPECT_TRUE(laptop_to_server(443).good());
  change([&](Tables& t) { t.cohorts.erase(Lab::laptop(family())); });
  EXPECT_NE(laptop_to_server(443).error(), 0);
  EXPECT_NE(Peer::connect(lab_.laptop_space, Lab::gateway(family()), 443).error(), 0);
}

TEST_P(Packets, TheGatewayOpensTcpToADeviceInGoodStanding) {
  auto listener = Peer::listen(lab_.laptop_space, Lab::laptop(family()), 8080);
  Pair pair{Peer::connect(lab_.gateway_space, Lab::laptop(family()), 8080), listener.accept()};
  expect_alive(pair);
  change([&](Tables& t) { t.cohorts.erase(Lab::laptop(family())); });
  expect_cut(pair);
  EXPECT_EQ(Peer::connect(lab_.gateway_space, Lab::laptop(family()), 8080).error(), ETIMEDOUT);
}

// After a restart of the gateway nobody knows the old connections. Clients are told at once; and a
// server's retransmit does not open the flow the other way round.
TEST_P(Packets, AForgottenFlowIsResetAndNotResurrected) {
  grant(1, kTls);
  auto listener = server(443);
  auto pair = tls_pair(lab_.laptop_space, Lab::server(family()), listener);
  lab_.gateway_space.in([] { must("conntrack -F 2>/dev/null"); });
  pair.served.send("from the server");
  EXPECT_EQ(pair.client.receive(), "");
  pair.client.send("from the client");
  EXPECT_EQ(pair.served.receive(), "");
  EXPECT_EQ(pair.client.receive(), "");
  EXPECT_EQ(pair.client.error(), ECONNRESET);
}

TEST_P(Packets, NobodyOpensAFlowIntoTheTunnel) {
  auto listener = Peer::listen(lab_.laptop_space, Lab::laptop(family()), 443);
  lab_.router_space.in([] {
    must("ip route add 10.66.0.0/16 via 192.0.2.1; ip route add fd66::/64 via 2001:db8:1::1");
  });
  EXPECT_EQ(Peer::connect(lab_.router_space, Lab::laptop(family()), 443).error(), ETIMEDOUT);
  // The control: without the rules it is a plain router.
  lab_.gateway_space.in([] { must("nft flush ruleset"); });
  EXPECT_TRUE(Peer::connect(lab_.router_space, Lab::laptop(family()), 443).good());
}

}  // namespace
}  // namespace sekisho::kernel

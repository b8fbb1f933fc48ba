#include "tests/netns/attacks/scene.h"

#include <algorithm>

namespace sekisho::attacks {
namespace {

constexpr std::uint32_t kClientStart = 1000, kServerStart = 500'000;

bool is_it(const Wire::Arrival& arrival, const Packet& packet) {
  const auto got = netns::parse(arrival.bytes);
  return got && got->protocol == packet.protocol && got->tcp_flags == packet.tcp_flags &&
         got->payload == packet.payload;
}

Packet syn_to_server(Scene& scene, std::uint16_t port, std::uint16_t source_port) {
  Packet syn = scene.syn(scene.laptop(), scene.server(), port);
  if (source_port != 0) syn.source_port = source_port;
  return syn;
}

}  // namespace

Scene::Scene(Family family, const std::vector<Weakening>& weakenings)
    : wire_(std::make_unique<Wire>()), rules(wire_->space(), weakenings), family_(family) {}

IpAddress Scene::pick(const char* v4_text, const char* v6_text) const {
  return kernel::ip(v4() ? v4_text : v6_text);
}

std::vector<Wire::Arrival> Scene::while_done(const std::function<void()>& act) {
  while (wire_->take()) {  // what came of its own accord
  }
  space().in(act);
  std::vector<Wire::Arrival> arrivals;
  while (auto arrival = wire_->take()) arrivals.push_back(std::move(*arrival));
  return arrivals;
}

std::vector<Wire::Arrival> Scene::send(Wire::End end, const std::string& bytes) {
  return while_done([&] { EXPECT_TRUE(wire_->put(end, bytes)); });
}

std::vector<Wire::Arrival> Scene::send(Wire::End end, const Packet& packet) {
  return send(end, to_bytes(packet));
}

bool Scene::leaves(const std::string& bytes) {
  return std::ranges::any_of(send(Wire::wg0, bytes),
                             [](const auto& arrival) { return arrival.at == Wire::up0; });
}

bool Scene::enters(const std::string& bytes) {
  return std::ranges::any_of(send(Wire::up0, bytes),
                             [](const auto& arrival) { return arrival.at == Wire::wg0; });
}

bool Scene::leaves(const Packet& packet) {
  return leaves(to_bytes(packet));
}
bool Scene::enters(const Packet& packet) {
  return enters(to_bytes(packet));
}

std::uint64_t Scene::flood(const std::string& bytes, int times) {
  for (int i = 0; i < times; ++i) EXPECT_TRUE(wire_->put(Wire::wg0, bytes));
  std::uint64_t out = 0;
  while (const auto arrival = wire_->take()) out += arrival->at == Wire::up0 ? 1U : 0U;
  return out;
}

bool Scene::passes(Wire::End end, const Packet& packet) {
  return std::ranges::any_of(send(end, packet), [&](const Wire::Arrival& arrival) {
    return is_it(arrival, packet) && netns::parse(arrival.bytes)->destination == packet.destination;
  });
}

bool Scene::answers(const Packet& syn) {
  return std::ranges::any_of(send(Wire::wg0, syn), [](const Wire::Arrival& arrival) {
    const auto got = netns::parse(arrival.bytes);
    return arrival.at == Wire::wg0 && got && got->tcp_flags == (kSyn | kAck);
  });
}

std::uint16_t Scene::source_port() {
  return next_port_++;
}

Packet Scene::syn(const IpAddress& from, const IpAddress& to, std::uint16_t port) {
  return {.source = from,
          .destination = to,
          .protocol = Protocol::tcp,
          .source_port = source_port(),
          .destination_port = port,
          .tcp_flags = kSyn,
          .sequence = kClientStart};
}

Packet Scene::datagram(const IpAddress& from, const IpAddress& to, std::uint16_t port,
                       const std::string& payload) {
  return {.source = from,
          .destination = to,
          .protocol = Protocol::udp,
          .source_port = source_port(),
          .destination_port = port,
          .payload = payload};
}

Talk::Talk(Scene& scene, const Packet& syn, Wire::End far, Closed)
    : scene_(&scene),
      syn_(syn),
      far_end_(far),
      client_sequence_(kClientStart + 1),
      server_sequence_(kServerStart) {}

Talk::Talk(Scene& scene, const Packet& syn, Wire::End far) : Talk(scene, syn, far, Closed{}) {
  EXPECT_TRUE(handshake());
}

Talk::Talk(Scene& scene, std::uint16_t port, std::uint16_t source_port)
    : Talk(scene, syn_to_server(scene, port, source_port)) {}

std::optional<Talk> Talk::try_open(Scene& scene, std::uint16_t port, std::uint16_t source_port) {
  Talk talk(scene, syn_to_server(scene, port, source_port), Wire::up0, Closed{});
  return talk.handshake() ? std::optional(talk) : std::nullopt;
}

bool Talk::handshake() {
  for (const auto& arrival : scene_->send(Wire::wg0, syn_)) {
    if (arrival.at == far_end_ && is_it(arrival, syn_)) far_ = netns::parse(arrival.bytes);
  }
  if (!far_ || !server("", kSyn | kAck)) return false;
  ++server_sequence_;
  return client("");
}

Packet Talk::from_client(const std::string& payload, std::uint8_t flags) const {
  Packet packet = syn_;
  packet.tcp_flags = flags;
  packet.sequence = client_sequence_;
  packet.acknowledged = server_sequence_;
  packet.payload = payload;
  return packet;
}

Packet Talk::from_server(const std::string& payload, std::uint8_t flags) const {
  Packet packet = far_.value_or(syn_).back();
  packet.tcp_flags = flags;
  packet.sequence = server_sequence_;
  packet.acknowledged = client_sequence_;
  packet.payload = payload;
  return packet;
}

bool Talk::client(const Packet& packet) {
  return std::ranges::any_of(scene_->send(Wire::wg0, packet), [&](const Wire::Arrival& arrival) {
    return arrival.at == far_end_ && is_it(arrival, packet);
  });
}

bool Talk::server(const Packet& packet) {
  return std::ranges::any_of(scene_->send(far_end_, packet), [&](const Wire::Arrival& arrival) {
    return arrival.at == Wire::wg0 && is_it(arrival, packet);
  });
}

bool Talk::client(const std::string& payload, std::uint8_t flags) {
  if (!client(from_client(payload, flags))) return false;
  client_sequence_ += static_cast<std::uint32_t>(payload.size());
  return true;
}

bool Talk::server(const std::string& payload, std::uint8_t flags) {
  if (!server(from_server(payload, flags))) return false;
  server_sequence_ += static_cast<std::uint32_t>(payload.size());
  return true;
}

Talk& Talk::prove() {
  EXPECT_TRUE(client(kTlsHello));
  EXPECT_TRUE(server(kTlsAnswer));
  EXPECT_TRUE(client("anything from now on"));
  return *this;
}

bool Talk::goes_on() {
  const bool down = server("from the server");
  return client("from the client") || down;
}

}  // namespace sekisho::attacks

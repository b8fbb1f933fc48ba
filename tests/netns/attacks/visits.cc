#include "tests/netns/attacks/visits.h"

#include <arpa/inet.h>

#include <array>
#include <optional>
#include <vector>

namespace sekisho::attacks {
namespace {

constexpr std::uint32_t kDeviceStart = 7000;

// That packet as the device gets it.
std::optional<Packet> at_the_device(const std::vector<Wire::Arrival>& arrivals,
                                    const std::string& text) {
  for (const Wire::Arrival& arrival : arrivals) {
    const auto packet = netns::parse(arrival.bytes);
    if (arrival.at == Wire::wg0 && packet && packet->payload == text) return packet;
  }
  return std::nullopt;
}

}  // namespace

bool GatewaySocket::says(const std::string& text) {
  Packet packet = next_;
  packet.payload = text;
  scene_->send(Wire::wg0, packet);
  std::array<char, 64> bytes;
  const bool heard = ::recv(socket_.get(), bytes.data(), bytes.size(), 0) > 0;
  if (heard) next_.sequence += static_cast<std::uint32_t>(text.size());
  return heard;
}

bool GatewaySocket::hears(const std::string& text) {
  const auto arrivals =
      scene_->while_done([&] { ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL); });
  const auto heard = at_the_device(arrivals, text);
  if (!heard) return false;
  next_.acknowledged = heard->sequence + static_cast<std::uint32_t>(text.size());
  scene_->send(Wire::wg0, next_);  // the next is not sent before
  return true;
}

Visit::Visit(Scene& scene, std::uint16_t port)
    : GatewaySocket(scene), listener_(scene.listen(port, SOCK_STREAM)) {
  next_ = scene.syn(scene.laptop(), scene.gateway(), port);
  for (const auto& arrival : scene.send(Wire::wg0, next_)) {
    const auto answer = netns::parse(arrival.bytes);
    if (answer && answer->tcp_flags == (kSyn | kAck)) next_.acknowledged = answer->sequence + 1;
  }
  next_.tcp_flags = kAck;
  ++next_.sequence;
  scene.send(Wire::wg0, next_);
  socket_ = kernel::UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK));
}

Call::Call(Scene& scene) : GatewaySocket(scene) {
  for (const auto& arrival : scene.while_done([&] { connect(); })) {
    const auto packet = netns::parse(arrival.bytes);
    if (arrival.at != Wire::wg0 || !packet || packet->tcp_flags != kSyn) continue;
    is_out_ = true;
    syn_ = *packet;
  }
}

void Call::connect() {
  socket_ = kernel::UniqueFd(::socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(22);
  const std::string address = (scene_->v4() ? "::ffff:" : "") + scene_->laptop().to_string();
  EXPECT_EQ(::inet_pton(AF_INET6, address.c_str(), &to.sin6_addr), 1);
  ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

bool Call::is_answered() {
  next_ = syn_.back();
  next_.tcp_flags = kSyn | kAck;
  next_.sequence = kDeviceStart;
  next_.acknowledged = syn_.sequence + 1;
  scene_->send(Wire::wg0, next_);
  next_.tcp_flags = kAck;
  ++next_.sequence;
  return ::send(socket_.get(), "", 0, MSG_NOSIGNAL) == 0;
}

Questions::Questions(Scene& scene)
    : scene_(&scene),
      socket_(scene.listen(53, SOCK_DGRAM)),
      question_(scene.datagram(scene.laptop(), scene.gateway(), 53)) {}

bool Questions::asks() {
  scene_->send(Wire::wg0, question_);
  std::array<char, 64> bytes;
  size_ = sizeof from_;
  return ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0,
                    reinterpret_cast<sockaddr*>(&from_), &size_) > 0;
}

bool Questions::is_answered() {
  const std::string answer = "answer";
  const auto arrivals = scene_->while_done([&] {
    ::sendto(socket_.get(), answer.data(), answer.size(), 0,
             reinterpret_cast<const sockaddr*>(&from_), size_);
  });
  return at_the_device(arrivals, answer).has_value();
}

}  // namespace sekisho::attacks

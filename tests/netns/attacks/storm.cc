#include "tests/netns/attacks/storm.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace sekisho::attacks {
namespace {

constexpr std::uint64_t kFirst = 100'000'000;  // numbers are all of one length
constexpr std::size_t kLength = 9;

}  // namespace

Storm::Storm(Scene& scene, const Talk& talk)
    : wire_(&scene.wire()),
      up_(talk.from_client("")),
      down_(talk.from_server("")),
      thread_([this](const std::stop_token& stop) { blow(stop); }) {}

bool Storm::wait_to_send(std::uint64_t number) const {
  return netns::wait_until([&] { return sent_ >= number; });
}

bool Storm::wait_to_arrive(std::uint64_t number) const {
  return netns::wait_until([&] { return last_arrived_ >= number; });
}

void Storm::blow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    up_.payload = down_.payload = std::to_string(kFirst + sent_);
    wire_->put(Wire::wg0, to_bytes(up_));
    wire_->put(Wire::up0, to_bytes(down_));
    while (const auto arrival = wire_->take()) note(*arrival);
    ++sent_;
  }
}

void Storm::note(const Wire::Arrival& arrival) {
  const auto packet = netns::parse(arrival.bytes);
  if (!packet || packet->payload.size() != kLength) return;
  std::uint64_t number = 0;
  std::from_chars(packet->payload.data(), packet->payload.data() + kLength, number);
  last_arrived_ = std::max(last_arrived_.load(), number - kFirst);
}

}  // namespace sekisho::attacks

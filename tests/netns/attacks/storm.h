#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {

// Both sides of a connection send as fast as they can, each packet with its number, in a thread of
// its own for as long as this lives. Meanwhile nobody else sends in the scene.
class Storm {
 public:
  Storm(Scene& scene, const Talk& talk);

  // How many packets each side has sent; the number of the last that arrived at the other.
  std::uint64_t sent() const { return sent_; }
  std::uint64_t last_arrived() const { return last_arrived_; }
  // False where it does not come to that within some seconds.
  bool wait_to_send(std::uint64_t number) const;
  bool wait_to_arrive(std::uint64_t number) const;

 private:
  void blow(const std::stop_token& stop);
  void note(const Wire::Arrival& arrival);

  Wire* wire_;
  Packet up_, down_;
  std::atomic<std::uint64_t> sent_ = 0, last_arrived_ = 0;
  std::jthread thread_;
};

}  // namespace sekisho::attacks

#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

// When something is sent, and how much of what waits goes into one message. Pure: clock and chance
// are the caller's, both as durations since any one moment.
namespace sekisho::notice {

using Instant = std::chrono::milliseconds;  // of a clock that only goes forward

inline constexpr Instant kFirstPause{5'000};
inline constexpr Instant kLongestPause{900'000};

// The pause after the `attempts`-th attempt failed (1, 2, ...): it doubles up to kLongestPause, and
// `chance` (0 to 1) moves it by up to a fifth either way, so that many gateways do not come at
// once.
Instant pause_after(int attempts, double chance);

// How many messages went lately, of a channel that sends at most so many a minute.
class Pace {
 public:
  explicit Pace(std::size_t most_per_minute) : most_(most_per_minute) {}

  // How many of `waiting` notices the next message takes now: 1, or all of them where it is the
  // last message of this minute, or 0. So the first of a burst goes at once, and a storm costs no
  // more than so many messages.
  std::size_t next(std::size_t waiting, Instant now);
  void sent(Instant now) { sent_.push_back(now); }
  // When next() may take some again, where it took none.
  std::optional<Instant> again() const;

 private:
  std::size_t most_;
  std::vector<Instant> sent_;  // within the last minute
};

}  // namespace sekisho::notice

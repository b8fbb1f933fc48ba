#include "gateway/notice/schedule.h"

#include <algorithm>

namespace sekisho::notice {

namespace {

constexpr Instant kMinute{60'000};
constexpr double kSway = 0.2;

}  // namespace

Instant pause_after(int attempts, double chance) {
  Instant pause = kFirstPause;
  for (int i = 1; i < attempts && pause < kLongestPause; ++i) pause *= 2;
  pause = std::min(pause, kLongestPause);
  const double factor = 1.0 + kSway * (2.0 * std::clamp(chance, 0.0, 1.0) - 1.0);
  return Instant(static_cast<Instant::rep>(static_cast<double>(pause.count()) * factor));
}

std::size_t Pace::next(std::size_t waiting, Instant now) {
  std::erase_if(sent_, [&](Instant each) { return each + kMinute <= now; });
  if (waiting == 0 || sent_.size() >= most_) return 0;
  return sent_.size() + 1 == most_ ? waiting : 1;
}

std::optional<Instant> Pace::again() const {
  if (sent_.size() < most_) return std::nullopt;
  return sent_.front() + kMinute;
}

}  // namespace sekisho::notice

#include "gateway/notice/schedule.h"

#include <gtest/gtest.h>

namespace sekisho::notice {
namespace {

TEST(Pause, DoublesUpToItsEndAndSways) {
  EXPECT_EQ(pause_after(1, 0.5), Instant(5'000));
  EXPECT_EQ(pause_after(2, 0.5), Instant(10'000));
  EXPECT_EQ(pause_after(5, 0.5), Instant(80'000));
  EXPECT_EQ(pause_after(1000, 0.5), kLongestPause);
  EXPECT_EQ(pause_after(1, 0.0), Instant(4'000));
  EXPECT_EQ(pause_after(1, 1.0), Instant(6'000));
}

TEST(Pace, TheFirstGoAtOnceTheLastTakesAll) {
  Pace pace(3);
  EXPECT_EQ(pace.next(0, Instant(0)), 0U);
  EXPECT_EQ(pace.next(500, Instant(0)), 1U);
  pace.sent(Instant(0));
  EXPECT_EQ(pace.next(499, Instant(1)), 1U);
  pace.sent(Instant(1));
  EXPECT_FALSE(pace.again().has_value());
  EXPECT_EQ(pace.next(498, Instant(2)), 498U);
  pace.sent(Instant(2));
  EXPECT_EQ(pace.next(7, Instant(3)), 0U);
  EXPECT_EQ(pace.again(), Instant(60'000));
  EXPECT_EQ(pace.next(7, Instant(59'999)), 0U);
  EXPECT_EQ(pace.next(7, Instant(60'000)), 7U);
}

// A storm of an hour, one notice a tenth of a second: never more than the most in any minute.
TEST(Pace, AStormCostsNoMoreThanTheMost) {
  Pace pace(6);
  std::vector<Instant> sent;
  std::size_t waiting = 0, taken = 0;
  for (Instant now{0}; now < Instant(3'600'000); now += Instant(100)) {
    ++waiting;
    if (const std::size_t count = pace.next(waiting, now); count > 0) {
      pace.sent(now);
      sent.push_back(now);
      waiting -= count;
      taken += count;
    }
  }
  for (std::size_t i = 6; i < sent.size(); ++i) EXPECT_GE(sent[i] - sent[i - 6], Instant(60'000));
  EXPECT_EQ(sent.front(), Instant(0));
  EXPECT_EQ(taken + waiting, 36'000U);
  EXPECT_LE(waiting, 600U);
}

}  // namespace
}  // namespace sekisho::notice

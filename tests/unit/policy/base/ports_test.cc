#include "policy/base/ports.h"

#include <gtest/gtest.h>

namespace sekisho {
namespace {

TEST(PortRange, ReadsAndWrites) {
  for (const auto* text : {"1", "443", "65535", "8000-8010", "1-65535"}) {
    EXPECT_EQ(PortRange::parse(text).value().to_string(), text);
  }
  EXPECT_EQ(PortRange::parse("80-80").value(), PortRange::single(80));
}

TEST(PortRange, RefusesEverythingElse) {
  for (const auto* text : {"", "0", "65536", "99999999999", "080", "+80", "-80", " 80", "80 ",
                           "80-", "-", "80-0", "90-80", "80-90-100", "http", "8e1", "0x50"}) {
    EXPECT_FALSE(PortRange::parse(text)) << text;
  }
}

TEST(PortRange, OverlapsWhereAPortIsInBoth) {
  const PortRange range{Port(10), Port(20)};
  EXPECT_TRUE(range.overlaps({Port(20), Port(30)}));
  EXPECT_TRUE(range.overlaps({Port(1), Port(10)}));
  EXPECT_FALSE(range.overlaps({Port(21), Port(30)}));
  EXPECT_TRUE(range.contains(Port(10)));
  EXPECT_FALSE(range.contains(Port(21)));
}

}  // namespace
}  // namespace sekisho

#include "policy/base/result.h"

#include <gtest/gtest.h>

namespace sekisho {
namespace {

TEST(Error, TextLeavesOutWhatIsEmpty) {
  EXPECT_EQ(to_string(Error{ErrorCode::invalid, "grant.a", "no reason", "p.toml:3:1", "give one"}),
            "p.toml:3:1: grant.a: no reason (give one)");
  EXPECT_EQ(to_string(Error{.object = "", .cause = "broken"}), "broken");
  EXPECT_EQ(to_string(Error{.object = "disk", .cause = "full"}), "disk: full");
}

}  // namespace
}  // namespace sekisho

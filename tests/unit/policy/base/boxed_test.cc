#include "policy/base/boxed.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho {
namespace {

TEST(Boxed, HoldsAValueOrNothing) {
  Boxed<std::string> none, text(std::string("a"));
  EXPECT_FALSE(none);
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(*text, "a");
  EXPECT_EQ(text->size(), 1U);
  text = std::nullopt;
  EXPECT_FALSE(text);
  EXPECT_EQ(text, none);
  none.emplace() = "b";
  EXPECT_EQ(none, Boxed<std::string>("b"));
}

TEST(Boxed, CopiesTheValue) {
  Boxed<std::string> text(std::string("a"));
  Boxed<std::string> copy = text;
  EXPECT_EQ(copy, text);
  *copy = "b";
  EXPECT_NE(copy, text);
  EXPECT_EQ(*text, "a");
  copy = *&copy;
  EXPECT_EQ(*copy, "b");
}

}  // namespace
}  // namespace sekisho

#include "policy/base/strong_id.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace sekisho {
namespace {

TEST(StrongId, NamesAreNarrow) {
  for (const std::string& text : {std::string("a"), std::string("tanaka-laptop"),
                                  std::string("7.b_c"), std::string(63, 'a')}) {
    EXPECT_TRUE(is_valid_id(text)) << text;
  }
  for (const std::string& text :
       {std::string(), std::string(64, 'a'), std::string("-a"), std::string(".a"),
        std::string("_a"), std::string("A"), std::string("a b"), std::string("a/b"),
        std::string("a\n"), std::string("a\0b", 3), std::string("田")}) {
    EXPECT_FALSE(is_valid_id(text)) << text;
  }
}

TEST(StrongId, KindsDoNotMix) {
  using Cat = StrongId<struct CatTag>;
  using Dog = StrongId<struct DogTag>;
  static_assert(!std::is_convertible_v<Cat, Dog>);
  static_assert(!std::is_constructible_v<Cat, Dog>);
  EXPECT_EQ(Cat("tama"), Cat("tama"));
}

}  // namespace
}  // namespace sekisho

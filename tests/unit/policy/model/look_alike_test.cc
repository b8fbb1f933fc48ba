#include "policy/model/look_alike.h"

#include <gtest/gtest.h>

namespace sekisho {
namespace {

TEST(LookAlike, FoldsWhatReadersTakeForOne) {
  for (const auto& [one, other] :
       std::initializer_list<std::pair<const char*, const char*>>{{"Tanaka", "Ｔａｎａｋａ"},
                                                                  {"ﾀﾅｶ", "タナカ"},
                                                                  {"㈱関所", "(株)関所"},
                                                                  {"Tanaka", "TANAKA"},
                                                                  {"Tana\u200bka", "Tanaka"},
                                                                  {"e\u0301mile", "\u00e9mile"},
                                                                  {"ﬁsh", "fish"}}) {
    EXPECT_EQ(folded(one), folded(other)) << one;
  }
  EXPECT_NE(folded("田中"), folded("田仲"));
  EXPECT_NE(folded("Tanaka"), folded("Tanaka 2"));
  EXPECT_EQ(folded(""), "");
  EXPECT_EQ(folded("\u200b"), "");
}

TEST(LookAlike, NamesTheCharacterThatIsTakenForAnother) {
  const auto found = find_look_alike("t\u0430naka");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->place, 2U);
  EXPECT_EQ(found->character, U'\u0430');
  EXPECT_EQ(found->meant, "tanaka");
  EXPECT_EQ(find_look_alike("ｔanaka")->meant, "tanaka");
  EXPECT_EQ(find_look_alike("tanakaーpc")->meant, "tanaka-pc");
  EXPECT_EQ(find_look_alike("tanaka\u200b")->meant, "tanaka");
  EXPECT_EQ(find_look_alike("Tanak\u0430")->meant, "tanaka");
  EXPECT_FALSE(find_look_alike("tanaka"));
  EXPECT_FALSE(find_look_alike("TANAKA"));
  EXPECT_FALSE(find_look_alike("田中"));
  EXPECT_FALSE(find_look_alike("t\u0430naka san"));
  EXPECT_FALSE(find_look_alike(""));
  EXPECT_FALSE(find_look_alike("t\xff"));
}

}  // namespace
}  // namespace sekisho

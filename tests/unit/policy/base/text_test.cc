#include "policy/base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace sekisho {
namespace {

TEST(Utf8, FindsTheFirstBrokenByte) {
  EXPECT_EQ(find_invalid_utf8("関所 \xf0\x9f\x9b\x82"), std::nullopt);
  const std::vector<std::pair<std::string, std::size_t>> table = {
      {"ab\x80", 2},            // a continuation alone
      {"\xc0\xaf", 0},          // overlong
      {"\xe0\x80\xaf", 0},      // overlong
      {"\xf0\x80\x80\xaf", 0},  // overlong
      {"x\xed\xa0\x80", 1},     // surrogate
      {"\xf4\x90\x80\x80", 0},  // beyond U+10FFFF
      {"\xf5\x80\x80\x80", 0},  //
      {"ok\xe9\x96", 2},        // cut short
      {"\xff", 0},              //
  };
  for (const auto& [text, at] : table) EXPECT_EQ(find_invalid_utf8(text), at) << text;
}

TEST(Utf8, ReadsCodePoints) {
  EXPECT_EQ(first_code_point("関")->value, U'関');
  EXPECT_EQ(first_code_point("\xf4\x8f\xbf\xbf")->value, char32_t{0x10ffff});
  EXPECT_EQ(first_code_point("é!")->bytes, 2U);
  EXPECT_FALSE(first_code_point(""));
}

TEST(PlainText, HasNoControlCharacters) {
  EXPECT_TRUE(is_plain_text("田中 太郎, Tanaka's laptop"));
  EXPECT_TRUE(is_plain_text(""));
  for (const char* text : {"a\nb", "\x7f", "a\tb", "\xc2\x9b",
                           "\xe2\x80\xae"
                           "evil",
                           "\xe2\x81\xa6", "\xe2\x80\xa8", "\xef\xbb\xbf", "\xff"}) {
    EXPECT_FALSE(is_plain_text(text)) << quote(text);
  }
}

TEST(Quoted, IsSafeToPrint) {
  EXPECT_EQ(quote("wiki"), "\"wiki\"");
  EXPECT_EQ(quote("a\x1b[2J\xff"), R"("a\x1b[2J\xff")");
  EXPECT_EQ(quote("\xe2\x80\xae"), R"("\xe2\x80\xae")");
  EXPECT_LT(quote(std::string(10'000, 'x')).size(), 140U);
}

TEST(Nearest, FindsTheLikelyWord) {
  constexpr std::array<std::string_view, 4> kWords = {"classification", "name", "prefixes",
                                                      "services"};
  EXPECT_EQ(nearest("clasification", kWords), "classification");
  EXPECT_EQ(nearest("nmae", kWords), "name");
  EXPECT_EQ(nearest("prefix", kWords), "prefixes");
  EXPECT_EQ(nearest("service", kWords), "services");
  EXPECT_EQ(nearest("colour", kWords), std::nullopt);
  EXPECT_EQ(nearest("", kWords), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'n'), kWords), std::nullopt);
}

}  // namespace
}  // namespace sekisho

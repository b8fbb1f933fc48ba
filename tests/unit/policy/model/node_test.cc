#include "policy/model/node.h"

#include <gmock/gmock.h>

#include <random>

namespace sekisho {
namespace {

using testing::HasSubstr;

// What a node holds, in one notation for both syntaxes; with positions, "value@line:column".
std::string describe(const Node& node, bool positions) {
  std::string text;
  if (const auto* table = node.table()) {
    for (const auto& [key, member] : *table) {
      text += (text.empty() ? "" : " ") + key + "=" + describe(member, positions);
    }
    text = "{" + text + "}";
  } else if (const auto* array = node.array()) {
    for (const Node& element : *array) {
      text += (text.empty() ? "" : " ") + describe(element, positions);
    }
    text = "[" + text + "]";
  } else {
    text = write_json(node, true);
  }
  if (!positions) return text;
  return text + "@" + std::to_string(node.position.line) + ":" +
         std::to_string(node.position.column);
}

TEST(ReadJson, KnowsWhereEachValueBegins) {
  const auto node = read_json(
      "{\"日本\": 12,\n \"b\" :\t[1 ,-2.5e1,true,\n  null, \"x\\n\"]\r\n, \"c\":{\"d\":[ ]}}", "f");
  EXPECT_EQ(describe(node.value(), true),
            "{日本=12@1:8 b=[1@2:9 -25.0@2:12 true@2:19 null@3:3 \"x\\n\"@3:9]@2:8 "
            "c={d=[]@4:12}@4:7}@1:1");
}

TEST(ReadToml, KnowsWhereEachValueBegins) {
  const auto node =
      read_toml("\"日本\" = 12\n[b.c]\nz = [1, {d = \"x\"}]\na.e = -2.5\n[[f]]\n", "f");
  EXPECT_EQ(describe(node.value(), true),
            "{日本=12@1:8 b={c={z=[1@3:6 {d=\"x\"@3:14}@3:9]@3:5 a={e=-2.5@4:7}@4:1}@2:1}@2:1 "
            "f=[{}@5:1]@5:1}@1:1");
}

TEST(Read, SkipsAByteOrderMark) {
  EXPECT_EQ(read_json("\xef\xbb\xbf{\"a\":1}", "f").value().find("a")->position, (Position{1, 6}));
  EXPECT_EQ(read_toml("\xef\xbb\xbf"
                      "a=1",
                      "f")
                .value()
                .find("a")
                ->position,
            (Position{1, 3}));
}

TEST(Read, RefusesASecondByteOrderMark) {
  for (const std::string rest : {"", "{}", "\xff"}) {
    const std::string text = "\xef\xbb\xbf\xef\xbb\xbf" + rest;
    EXPECT_EQ(read_json(text, "f").error().cause, "a second byte order mark");
    EXPECT_EQ(read_toml(text, "f").error().cause, "a second byte order mark");
  }
}

TEST(ReadToml, TimesThatAreNoneStayText) {
  const Node node =
      read_toml(
          "a = 2027-03-31\nb = 2027-03-31T01:02:03+09:00\nc = 07:00:00\nd = 2027-03-31T01:02:03",
          "f")
          .value();
  EXPECT_EQ(std::get<Time>(node.find("a")->value), parse_time("2027-03-31").value());
  EXPECT_EQ(std::get<Time>(node.find("b")->value), parse_time("2027-03-30T16:02:03Z").value());
  EXPECT_EQ(*node.find("c")->string(), "07:00:00");
  EXPECT_EQ(*node.find("d")->string(), "2027-03-31T01:02:03");
}

std::string nested(int levels, const std::string& open, const std::string& close) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += open;
  for (int i = 0; i < levels; ++i) text += close;
  return text;
}

TEST(Read, StopsAtTheNamedDepth) {
  // The root is one level; a value stands below the innermost list.
  EXPECT_TRUE(read_json(nested(kMaxNesting + 1, "[", "]"), "f"));
  EXPECT_FALSE(read_json(nested(kMaxNesting + 2, "[", "]"), "f"));
  EXPECT_TRUE(read_toml("a=" + nested(kMaxNesting, "[", "]"), "f"));
  EXPECT_FALSE(read_toml("a=" + nested(kMaxNesting + 1, "[", "]"), "f"));
}

TEST(Read, DepthNeverReachesTheStack) {
  std::string dotted = "a";
  for (int i = 0; i < 100'000; ++i) dotted += ".a";
  std::string headers = "[" + dotted + "]";
  for (const std::string& text :
       {"a=" + nested(100'000, "[", "]"), "a=" + nested(100'000, "{a=", "}"), dotted + "=1",
        headers, std::string(100'000, '['), "a=\"\\\"\"\nb=" + nested(100'000, "[", "]"),
        "a=''''''''\nb=" + nested(100'000, "[", "]"),
        "a=\"\"\"\\\"\"\"\"\"\"#\nb=" + nested(100'000, "[", "]")}) {
    const auto node = read_toml(text, "f");
    ASSERT_FALSE(node);
    EXPECT_THAT(node.error().cause, HasSubstr("nested too deep"));
  }
  for (const char* open : {"[", "{\"a\":"}) {
    EXPECT_THAT(read_json(nested(100'000, open, ""), "f").error().cause,
                HasSubstr("nested too deep"));
  }
}

TEST(Read, AmountIsLimited) {
  std::string zeros = "[0";
  for (std::size_t i = 0; i < kMaxDocumentValues; ++i) zeros += ",0";
  zeros += "]";
  EXPECT_EQ(read_json(zeros, "f").error().cause, "too many values");
  EXPECT_EQ(read_toml("a=" + zeros, "f").error().cause, "too many values");
  EXPECT_THAT(read_json(std::string(kMaxDocumentBytes + 1, ' '), "f").error().advice,
              HasSubstr("at most"));
}

TEST(Read, QuotesInCommentsAndStringsHideNothing) {
  const auto node = read_toml(
      "# it's [[[[\na = \"\"\"x\"\" [[[ # \"\"\"\"\" # '\nb = 'it\\'\nc = ''' ' '' \n''''\nd = "
      "\"\\\\\"\n",
      "f");
  ASSERT_TRUE(node) << to_string(node.error());
  EXPECT_EQ(*node->find("a")->string(), "x\"\" [[[ # \"\"");
  EXPECT_EQ(*node->find("c")->string(), " ' '' \n'");
}

TEST(ReadJson, IsStrict) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "{\"a\"}",
                           "[1,]",
                           "[01]",
                           "[1.]",
                           "[+1]",
                           "[NaN]",
                           "['a']",
                           "// c\n1",
                           "[1] 2",
                           "\"\\ud800\"",
                           "\"\\x\"",
                           "\"a\nb\"",
                           "tru",
                           "[1e999]",
                           "[9223372036854775808]",
                           "[-9223372036854775809]",
                           "{\"a\":1,\"\\u0061\":2}"}) {
    EXPECT_FALSE(read_json(text, "f")) << text;
  }
  EXPECT_EQ(std::get<std::int64_t>(read_json("-9223372036854775808", "f")->value), INT64_MIN);
}

TEST(ReadToml, KeysThatAreNoneAreErrors) {
  for (const char* text :
       {"[/e", "[[[1]]]", "[[=", "[.a]", "[a.]", "[a./]", "/ = 1", "{ = 1", "a./ = 1",
        "a = { / = 1 }", "a = {,}", "a = [/]", "[", "[[", "[a", "[]", "= 1", "."}) {
    EXPECT_FALSE(read_toml(text, "f")) << text;
  }
}

TEST(ReadToml, LettersAreNotBlanks) {
  for (const char* letter : {"é", "§", "あ", "営", "\xe1\x9a\x81", "🛂"}) {
    const auto text = std::string("s = \"\"\"\\\n") + letter + "\"\"\"\n";
    const auto node = read_toml(text, "f");
    ASSERT_TRUE(node) << to_string(node.error());
    EXPECT_EQ(*node->find("s")->string(), letter);
    for (const std::string& broken :
         {std::string("s = \"\"") + letter, std::string(letter) + " = 1",
          std::string("s") + letter + " = 1", std::string("s = ") + letter,
          std::string("[s]") + letter, std::string("s = [1") + letter + "]"}) {
      EXPECT_FALSE(read_toml(broken, "f")) << broken;
    }
  }
}

// Any node: keys and texts of all kinds of characters.
class RandomNodes {
 public:
  explicit RandomNodes(unsigned seed) : random_(seed) {}

  Node table(int depth) {
    Node::Table members;
    for (auto count = random_() % 5; count > 0; --count) {
      std::string key = text();
      if (Node{.value = members}.find(key) == nullptr) members.emplace_back(key, any(depth));
    }
    return {.value = std::move(members)};
  }

 private:
  std::string text() {
    static const std::vector<std::string> kParts = {
        "a",  "b", "-", ".", "\"", "\\", "\n", "\t", "\r", "\x7f", "\x01", "関",
        "🛂", " ", "=", "#", "[",  "]",  "'",  "é",  "0",  "\b",   "/"};
    std::string result;
    for (auto count = random_() % 6; count > 0; --count)
      result += kParts[random_() % kParts.size()];
    return result;
  }

  Node any(int depth) {
    switch (random_() % (depth > 0 ? 8 : 6)) {
      case 0:
        return {.value = random_() % 2 == 0};
      case 1:
        return {.value = static_cast<std::int64_t>(random_())};
      case 2:
        return {.value = static_cast<double>(random_() % 1'000'000) / 1024 *
                         (random_() % 2 ? 1e30 : -1)};
      case 3:
        return {.value = Time(std::chrono::seconds(random_() % 253'402'300'800))};
      case 4:
      case 5:
        return {.value = text()};
      case 6: {
        Node::Array elements;
        for (auto count = random_() % 8; count > 0; --count) elements.push_back(any(depth - 1));
        return {.value = std::move(elements)};
      }
      default:
        return table(depth - 1);
    }
  }

  std::mt19937_64 random_;
};

// The same without the order of members, which TOML does not keep.
std::string sorted(const Node& node) {
  if (const auto* table = node.table()) {
    std::vector<std::string> members;
    for (const auto& [key, member] : *table) {
      members.push_back(write_json({.value = key}, true) + "=" + sorted(member));
    }
    std::ranges::sort(members);
    std::string text = "{";
    for (const auto& member : members) text += member + ";";
    return text + "}";
  }
  if (const auto* array = node.array()) {
    std::string text = "[";
    for (const Node& element : *array) text += sorted(element) + ";";
    return text + "]";
  }
  return std::to_string(node.value.index()) + write_json(node, true);
}

TEST(Write, ReadsBackExactly) {
  RandomNodes nodes(11);
  for (int i = 0; i < 3'000; ++i) {
    const Node node = nodes.table(4);
    const std::string json = write_json(node);
    const auto from_json = read_json(json, "f");
    ASSERT_TRUE(from_json) << to_string(from_json.error()) << json;
    ASSERT_EQ(write_json(*from_json), json);
    const auto from_line = read_json(write_json(node, true), "f");
    ASSERT_TRUE(from_line);
    ASSERT_EQ(describe(*from_line, false), describe(node, false));

    const std::string toml = write_toml(node);
    const auto from_toml = read_toml(toml, "f");
    ASSERT_TRUE(from_toml) << to_string(from_toml.error()) << toml;
    ASSERT_EQ(sorted(*from_toml), sorted(node)) << toml;
    ASSERT_EQ(write_toml(*from_toml), toml);
  }
}

}  // namespace
}  // namespace sekisho

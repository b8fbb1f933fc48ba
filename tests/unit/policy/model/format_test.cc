#include "policy/model/format.h"

#include <gtest/gtest.h>

#include <string>

namespace sekisho {
namespace {

// tests/golden/format shows a whole document; here is what needs a second look.
std::string formatted(const std::string& text) {
  const auto result = format_policy(text, Syntax::toml, "f");
  EXPECT_TRUE(result) << (result ? "" : to_string(result.error().front()));
  if (!result) return {};
  EXPECT_EQ(format_policy(*result, Syntax::toml, "f"), *result);
  return *result;
}

TEST(Format, ADocumentOfCommentsIsKept) {
  EXPECT_EQ(formatted(""), "");
  EXPECT_EQ(formatted("# one\n# two"), "# one\n# two\n");
  EXPECT_EQ(formatted("\n\n# one\n\n\n# two  \r\n"), "# one\n\n# two\n");
}

TEST(Format, TheHeadOfTheTextStaysAtItsHead) {
  EXPECT_EQ(formatted("# head\n\n# of b\n[role.b]\nname = 'B'\n# of a\n[role.a]\nname = 'A'\n"),
            "# head\n\n# of a\n[role.a]\nname = \"A\"\n\n# of b\n[role.b]\nname = \"B\"\n");
  // Without a line between it is the table's.
  EXPECT_EQ(formatted("# of b\n[role.b]\nname = 'B'\n[role.a]\nname = 'A'\n"),
            "[role.a]\nname = \"A\"\n\n# of b\n[role.b]\nname = \"B\"\n");
}

TEST(Format, ABlockBelowATableGoesWithIt) {
  EXPECT_EQ(formatted("[role.b]\nname = 'B'\n# end of b\n\n# of a\n[role.a]\nname = 'A'\n# end\n"),
            "# of a\n[role.a]\nname = \"A\"\n# end\n\n[role.b]\nname = \"B\"\n# end of b\n");
}

TEST(Format, SectionsWithoutAHeaderOfTheirOwn) {
  const std::string expect =
      "# the roles\n# of a\n[role.a]  # a\nname = \"A\"\n\n[role.b]\n# its name\nname = \"B\"\n# "
      "end\n";
  EXPECT_EQ(
      formatted("# the roles\n[role]\n# its name\nb.name = 'B'\n# of a\na = { name = 'A' } # a\n"
                "# end\n"),
      expect);
  // The section's header after those of its tables.
  EXPECT_EQ(formatted("# of x\n[role.x]  # x\nname = 'X'  # its name\n# of all\n[role]  # all\n"),
            "# of all\n# all\n# of x\n[role.x]  # x\nname = \"X\"  # its name\n");
}

TEST(Format, WhatIsNotWrittenLeavesItsComments) {
  EXPECT_EQ(formatted("[grant]  # none yet\n[role.a]\nname = 'A'\n"),
            "[role.a]\nname = \"A\"\n\n# none yet\n");
  EXPECT_EQ(formatted("[resource.r]\nname = 'R'\nclassification = 'public'\n"
                      "prefixes = ['192.0.2.0/24']\ninternet = false  # by address\n"
                      "services = ['https']\n"),
            "[resource.r]\nname = \"R\"\nclassification = \"public\"\n"
            "prefixes = [\"192.0.2.0/24\"]\nservices = [\"https\"]\n# by address\n");
}

TEST(Format, ElementsInAnySpellingKeepTheirComments) {
  EXPECT_EQ(formatted("[grant.g]\nwho = 'role:r'\nresource = 'x'\nreason = 'r'\nzone = 'UTC'\n"
                      "hours = ['tue,mon 09:00-10:00', # early\n'fri 22:00-06:00' # late\n]\n"),
            "[grant.g]\nwho = \"role:r\"\nresource = \"x\"\nreason = \"r\"\n"
            "hours = [\n  \"mon,tue 09:00-10:00\",  # early\n  \"fri 22:00-06:00\",  # late\n]\n"
            "zone = \"UTC\"\n");
}

TEST(Format, ANumberSignInATextIsNoComment) {
  for (const char* text : {"\"a # b\"", "'a # b'", "\"\"\"a # b\"\"\"", "'''a # b'''",
                           "\"\\\"# b\"", "\"\"\"\\\"\"\" # b\"\"\""}) {
    const std::string document = std::string("[role.a]\nname = ") + text + " # c\n";
    const std::string result = formatted(document);
    EXPECT_TRUE(result.ends_with("  # c\n")) << result;
    EXPECT_NE(result.find("# b\""), std::string::npos) << result;
  }
}

TEST(Format, RefusesWhatCannotBeRead) {
  const auto bad = format_policy("# c\n[person.x]\nstate = 7\n", Syntax::toml, "f");
  const auto read = read_policy("# c\n[person.x]\nstate = 7\n", Syntax::toml, "f");
  ASSERT_FALSE(bad);
  ASSERT_FALSE(read);
  EXPECT_EQ(bad.error(), read.error());
}

}  // namespace
}  // namespace sekisho

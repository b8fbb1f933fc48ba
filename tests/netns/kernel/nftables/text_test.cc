// What we send over netlink is what nft would send for our text, expression by expression.
#include "policy/compile/render_nft.h"
#include "tests/netns/gateway/nftables.h"
#include "tests/netns/kernel/nftables/text_file.h"

namespace sekisho::kernel {
namespace {

using netns::must;
using netns::output_of;

struct Listing {
  std::string text;
  std::string expressions;
};

Listing list_ruleset() {
  return {output_of("nft list ruleset"), output_of("nft --debug=netlink list ruleset")};
}

Listing listed_by_nft(const std::string& text) {
  const TextFile file(text);
  const netns::Namespace space;
  Listing listing;
  space.in([&] {
    must("nft -f " + file.path());
    listing = list_ruleset();
  });
  return listing;
}

Listing listed_by_us(const Network& of, const Tables& tables) {
  const netns::Namespace space;
  Listing listing;
  space.in([&] {
    auto nftables = open_nftables();
    install(nftables, make_ruleset(of), tables);
    listing = list_ruleset();
  });
  return listing;
}

// Rule handles are given in the order of arrival, which differs where nft sends chains first.
std::string without_handles(std::string text) {
  std::string kept;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("inet ") && line.find('@') == std::string::npos) {
      line = line.substr(0, line.find(' ', line.find(' ', 5) + 1));
    }
    kept += line + "\n";
  }
  return kept;
}

TEST(Text, IsWhatNftListsOfOurMessages) {
  const Network networks[] = {network(), network({"192.0.2.0/25"}), network({"fd66:1::/61"})};
  for (const auto& one : networks) {
    const auto text = render_nft(make_ruleset(one));
    const auto ours = listed_by_us(one, {});
    EXPECT_EQ(ours.text, text);
  }
}

TEST(Text, LoadedByNftIsTheSameExpressions) {
  const Network networks[] = {network(), network({"192.0.2.0/25"}), network({"fd66:1::/61"})};
  for (const auto& one : networks) {
    const auto ours = listed_by_us(one, {});
    const auto theirs = listed_by_nft(render_nft(make_ruleset(one)));
    EXPECT_EQ(ours.text, theirs.text);
    EXPECT_EQ(without_handles(ours.expressions), without_handles(theirs.expressions));
    EXPECT_GT(ours.expressions.size(), 10'000u);
  }
}

TEST(Text, WithContentsLoadsToTheSame) {
  const Tables tables = some_tables();
  const auto ours = listed_by_us(network(), tables);
  const auto text =
      render_nft(make_ruleset(network()), tables, std::chrono::floor<std::chrono::seconds>(now()));
  EXPECT_EQ(ours.text, listed_by_nft(text).text);
  EXPECT_THAT(ours.text, testing::HasSubstr("203.0.113.0/24 . tcp . 22 : 0x00010028"));
}

// The table that nft made from our text is ours: nothing to change.
TEST(Text, LoadedByNftIsAdopted) {
  const TextFile file(render_nft(make_ruleset(network())));
  const netns::Namespace space;
  space.in([&] {
    must("nft -f " + file.path());
    const auto before = output_of("nft -a list ruleset");
    auto nftables = open_nftables();
    EXPECT_THAT(install(nftables, make_ruleset(network()), {}), testing::IsEmpty());
    EXPECT_EQ(output_of("nft -a list ruleset"), before);
  });
}

}  // namespace
}  // namespace sekisho::kernel

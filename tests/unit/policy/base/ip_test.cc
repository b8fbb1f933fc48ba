#include "policy/base/ip.h"

#include <gmock/gmock.h>

#include <random>
#include <set>
#include <vector>

namespace sekisho {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
Prefix net(std::string_view text) {
  return Prefix::parse(text).value();
}

TEST(IpAddress, WritesTheCanonicalText) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"10.66.0.2", "10.66.0.2"},
      {"::", "::"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:0:0:0:0", "2001:db8::"},
      {"::1:2", "::1:2"},
      {"::102:304", "::102:304"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:c000:201", "::ffff:192.0.2.1"},
      {"::ffff:0:0", "::ffff:0.0.0.0"},
      {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
      {"fe80::00a0:b", "fe80::a0:b"},
  };
  for (const auto& [in, out] : table) EXPECT_EQ(ip(in).to_string(), out) << in;
}

TEST(IpAddress, RefusesEverythingElse) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv,
                          "1.2.3"sv,
                          "1.2.3.4.5"sv,
                          "01.2.3.4"sv,
                          "1.2.3.256"sv,
                          "0x1.2.3.4"sv,
                          " 1.2.3.4"sv,
                          "1.2.3.4 "sv,
                          "1.2.3.4\0"sv,
                          "1.2.3.-4"sv,
                          "fe80::1%eth0"sv,
                          ":::"sv,
                          "1::2::3"sv,
                          "12345::"sv,
                          "[::1]"sv,
                          "::1/128"sv,
                          "1:2:3:4:5:6:7"sv,
                          "::ffff:1.2.3"sv,
                          "localhost"sv,
                          "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, MappedAddressesAreV6) {
  EXPECT_EQ(ip("::ffff:192.0.2.1").family(), Family::v6);
  EXPECT_NE(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
}

TEST(IpAddress, TextIsAnExactRoundTrip) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    // Many zero groups, so that every shape of compression comes up.
    for (std::size_t group = 0; group < 8; ++group) {
      if (random() % 2 == 0) continue;
      bytes[2 * group] = static_cast<std::uint8_t>(random() % 3 == 0 ? 0 : random());
      bytes[2 * group + 1] = static_cast<std::uint8_t>(random());
    }
    const auto address =
        IpAddress::from_bytes(std::span(bytes).subspan(0, random() % 4 == 0 ? 4 : 16));
    ASSERT_EQ(ip(address.to_string()), address) << address.to_string();
  }
}

TEST(IpAddress, NeighboursCarryAndStopAtTheEnds) {
  EXPECT_EQ(ip("10.0.0.255").next(), ip("10.0.1.0"));
  EXPECT_EQ(ip("10.0.1.0").previous(), ip("10.0.0.255"));
  EXPECT_EQ(ip("::ffff:ffff").next(), ip("::1:0:0"));
  EXPECT_EQ(ip("::1:0:0").previous(), ip("::ffff:ffff"));
  EXPECT_EQ(ip("255.255.255.255").next(), std::nullopt);
  EXPECT_EQ(ip("0.0.0.0").previous(), std::nullopt);
  EXPECT_EQ(ip("::").previous(), std::nullopt);
  EXPECT_EQ(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").next(), std::nullopt);
}

TEST(Prefix, ReadsAndWrites) {
  EXPECT_EQ(net("10.0.0.0/8").to_string(), "10.0.0.0/8");
  EXPECT_EQ(net("10.0.0.1").to_string(), "10.0.0.1/32");
  EXPECT_EQ(net("2001:DB8::").to_string(), "2001:db8::/128");
  EXPECT_EQ(net("::/0").to_string(), "::/0");
  EXPECT_EQ(net("0.0.0.0/0").range(), (AddressRange{ip("0.0.0.0"), ip("255.255.255.255")}));
  EXPECT_EQ(net("2001:db8::/33").range(),
            (AddressRange{ip("2001:db8::"), ip("2001:db8:7fff:ffff:ffff:ffff:ffff:ffff")}));
}

TEST(Prefix, RefusesEverythingElse) {
  for (const auto* text :
       {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/-1",
        "10.0.0.0/8/8", "::/129", "/8", "10.0.0/8", "10.0.0.1/0x1"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, HostBitsNameTheNetwork) {
  const auto error = Prefix::parse("10.1.2.3/8").error();
  EXPECT_THAT(error.advice, HasSubstr("10.0.0.0/8"));
  EXPECT_THAT(error.advice, HasSubstr("10.1.2.3/32"));
}

TEST(Prefix, ContainsByFamilyAndBits) {
  EXPECT_TRUE(net("10.0.0.0/8").contains(ip("10.255.0.1")));
  EXPECT_FALSE(net("10.0.0.0/8").contains(ip("11.0.0.0")));
  EXPECT_FALSE(net("::/0").contains(ip("10.0.0.1")));
  EXPECT_FALSE(net("0.0.0.0/0").contains(ip("::a00:1")));
  EXPECT_TRUE(net("10.0.0.0/8").contains(net("10.0.0.0/8")));
  EXPECT_FALSE(net("10.0.0.0/9").contains(net("10.0.0.0/8")));
  EXPECT_TRUE(net("10.0.0.0/9").overlaps(net("10.0.0.0/8")));
  EXPECT_FALSE(net("10.0.0.0/9").overlaps(net("10.128.0.0/9")));
}

// A universe of 64 addresses at the very end of a family, so that the last address takes part too.
struct Universe {
  std::vector<std::uint8_t> base;

  IpAddress at(unsigned offset) const {
    auto bytes = base;
    bytes.back() = static_cast<std::uint8_t>(192 + offset);
    return IpAddress::from_bytes(bytes);
  }
  std::set<unsigned> members(const std::vector<AddressRange>& ranges) const {
    std::set<unsigned> result;
    for (unsigned i = 0; i < 64; ++i) {
      for (const auto& range : ranges) {
        if (range.contains(at(i))) result.insert(i);
      }
    }
    return result;
  }
  std::vector<AddressRange> random_ranges(std::mt19937& random) const {
    std::vector<AddressRange> ranges;
    for (auto count = random() % 6; count > 0; --count) {
      const auto first = static_cast<unsigned>(random() % 64);
      const auto length = static_cast<unsigned>(random() % 16);
      ranges.push_back({at(first), at(std::min(first + length, 63U))});
    }
    return ranges;
  }
};

bool is_canonical(const std::vector<AddressRange>& ranges) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].last < ranges[i].first) return false;
    if (i == 0) continue;
    const auto after = ranges[i - 1].last.next();
    const bool same_family = ranges[i - 1].last.family() == ranges[i].first.family();
    if (same_family && (!after || !(*after < ranges[i].first))) return false;
    if (!(ranges[i - 1].last < ranges[i].first)) return false;
  }
  return true;
}

class RangeSets : public testing::TestWithParam<Universe> {};

TEST_P(RangeSets, AgreeWithSetsOfSingleAddresses) {
  const Universe& universe = GetParam();
  std::mt19937 random(2);
  for (int i = 0; i < 3'000; ++i) {
    const auto from = universe.random_ranges(random);
    const auto take = universe.random_ranges(random);
    std::set<unsigned> expected = universe.members(from);
    const auto joined = join(from);
    ASSERT_TRUE(is_canonical(joined));
    ASSERT_EQ(universe.members(joined), expected);

    for (const unsigned taken : universe.members(take)) expected.erase(taken);
    const auto left = subtract(from, take);
    ASSERT_TRUE(is_canonical(left));
    ASSERT_EQ(universe.members(left), expected);

    for (const AddressRange& range : left) {
      std::vector<AddressRange> covered;
      for (const Prefix& prefix : to_prefixes(range)) covered.push_back(prefix.range());
      ASSERT_EQ(join(covered), std::vector{range});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, RangeSets,
                         testing::Values(Universe{std::vector<std::uint8_t>(4, 0xff)},
                                         Universe{std::vector<std::uint8_t>(16, 0xff)}),
                         [](const auto& context) {
                           return context.param.base.size() == 4 ? "v4" : "v6";
                         });

TEST(RangeSets, FamiliesNeverJoin) {
  const AddressRange v4 = net("255.255.255.0/24").range();
  const AddressRange v6 = net("::/8").range();
  EXPECT_THAT(join({v6, v4}), ElementsAre(v4, v6));
  EXPECT_THAT(subtract({v4, v6}, {net("::/0").range()}), ElementsAre(v4));
  EXPECT_THAT(subtract({v4, v6}, {net("0.0.0.0/0").range()}), ElementsAre(v6));
}

TEST(ToPrefixes, AreTheFewest) {
  const auto texts = [](std::string_view first, std::string_view last) {
    std::vector<std::string> result;
    for (const auto& prefix : to_prefixes({ip(first), ip(last)}))
      result.push_back(prefix.to_string());
    return result;
  };
  EXPECT_THAT(texts("0.0.0.0", "255.255.255.255"), ElementsAre("0.0.0.0/0"));
  EXPECT_THAT(texts("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ElementsAre("::/0"));
  EXPECT_THAT(texts("10.0.0.1", "10.0.0.6"),
              ElementsAre("10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"));
  EXPECT_THAT(texts("255.255.255.254", "255.255.255.255"), ElementsAre("255.255.255.254/31"));
}

}  // namespace
}  // namespace sekisho

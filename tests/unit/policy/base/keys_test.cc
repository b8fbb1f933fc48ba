#include "policy/base/keys.h"

#include <gmock/gmock.h>

#include <new>
#include <random>
#include <type_traits>

namespace sekisho {
namespace {

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

KeyBytes random_key(std::mt19937& random) {
  KeyBytes key{};
  for (auto& byte : key) byte = static_cast<std::uint8_t>(random());
  return key;
}

// From little-endian hexadecimal, as RFC 7748 writes points.
KeyBytes point(std::string_view hex) {
  KeyBytes key{};
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  }
  return key;
}

TEST(Base64, WritesTheVectorsOfRfc4648) {
  EXPECT_EQ(to_base64(bytes_of("")), "");
  EXPECT_EQ(to_base64(bytes_of("f")), "Zg==");
  EXPECT_EQ(to_base64(bytes_of("fo")), "Zm8=");
  EXPECT_EQ(to_base64(bytes_of("foo")), "Zm9v");
  EXPECT_EQ(to_base64(bytes_of("foobar")), "Zm9vYmFy");
  EXPECT_EQ(to_base64(bytes_of("\xfb\xff\xfe")), "+//+");
}

TEST(KeyFromBase64, IsAnExactRoundTrip) {
  std::mt19937 random(4);
  for (int i = 0; i < 2'000; ++i) {
    const KeyBytes key = random_key(random);
    const std::string text = to_base64(key);
    ASSERT_EQ(text.size(), 44U);
    ASSERT_EQ(key_from_base64(text).value(), key);
  }
}

TEST(KeyFromBase64, EachKeyHasOneSpelling) {
  std::mt19937 random(5);
  const std::string good = to_base64(random_key(random));
  int accepted = 0;
  for (int last = 0; last < 256; ++last) {
    std::string text = good;
    text[42] = static_cast<char>(last);
    if (const auto key = key_from_base64(text)) {
      ++accepted;
      EXPECT_EQ(to_base64(*key), text);
    }
  }
  EXPECT_EQ(accepted, 16);  // the last character carries four bits
}

TEST(KeyFromBase64, RefusesEverythingElse) {
  const std::string good = to_base64(KeyBytes{1, 2, 3});
  for (const std::string& text :
       {std::string(), good.substr(1), good + "=", " " + good.substr(1), good + "\n",
        good.substr(0, 43) + "A", good.substr(0, 42) + "==", "-" + good.substr(1),
        "_" + good.substr(1), std::string(44, '='), std::string(1, '\0') + good.substr(1)}) {
    EXPECT_FALSE(key_from_base64(text)) << text;
  }
}

TEST(KeyFromBase64, NeverRepeatsTheTextInItsError) {
  const std::string secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2V";
  EXPECT_THAT(to_string(PrivateKey::parse(secret).error()),
              testing::Not(testing::HasSubstr("c2Vj")));
}

TEST(PublicKey, RefusesPointsOfLowOrder) {
  const std::string ff(60, 'f');
  for (const std::string& hex :
       {std::string(64, '0'), "01" + std::string(62, '0'),
        std::string("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        std::string("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        "ec" + ff + "7f", "ed" + ff + "7f", "ee" + ff + "7f"}) {
    KeyBytes key = point(hex);
    EXPECT_FALSE(PublicKey::parse(to_base64(key))) << hex;
    key.back() |= 0x80;
    EXPECT_FALSE(PublicKey::parse(to_base64(key))) << hex << " with the highest bit";
    key.front() ^= 0x10;
    EXPECT_TRUE(PublicKey::parse(to_base64(key))) << hex << " with another bit";
  }
}

TEST(PublicKey, ReadsWhatItWrites) {
  std::mt19937 random(6);
  const PublicKey key(random_key(random));
  EXPECT_EQ(PublicKey::parse(key.to_string()).value(), key);
}

TEST(SecretKey, MovesAndNeverCopies) {
  static_assert(!std::is_copy_constructible_v<PrivateKey>);
  static_assert(!std::is_copy_assignable_v<PrivateKey>);
  static_assert(!std::is_constructible_v<PrivateKey, PresharedKey>);
  PrivateKey first(KeyBytes{7});
  PrivateKey second(std::move(first));
  EXPECT_EQ(second.reveal(), KeyBytes{7});
  EXPECT_EQ(first.reveal(), KeyBytes{});  // NOLINT(bugprone-use-after-move): the wipe is the point
  PrivateKey third(KeyBytes{8});
  third = std::move(second);
  EXPECT_EQ(third.reveal(), KeyBytes{7});
  EXPECT_EQ(second.reveal(), KeyBytes{});  // NOLINT(bugprone-use-after-move)
}

TEST(SecretKey, IsWipedWhenItGoes) {
  alignas(PrivateKey) std::array<std::uint8_t, sizeof(PrivateKey)> memory{};
  auto* key = new (memory.data()) PrivateKey(KeyBytes{9, 9, 9});
  EXPECT_EQ(memory[2], 9);
  key->~PrivateKey();
  EXPECT_EQ(memory, decltype(memory){});
}

TEST(SecretKey, RefusesAllZero) {
  EXPECT_FALSE(PresharedKey::parse(to_base64(KeyBytes{})));
  const std::string text = to_base64(KeyBytes{1});
  EXPECT_EQ(PresharedKey::parse(text).value().reveal_base64(), text);
}

}  // namespace
}  // namespace sekisho

#include "gateway/keys/keys.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace sekisho {
namespace {

KeyBytes filled(std::uint8_t value) {
  KeyBytes bytes;
  bytes.fill(value);
  return bytes;
}

KeyBytes counting() {
  KeyBytes bytes;
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    bytes[index] = static_cast<std::uint8_t>(index);
  }
  return bytes;
}

struct Vector {
  KeyBytes random;
  std::string private_key;
  std::string public_key;
};

// The public keys are those that `wg pubkey` gives for the private ones.
TEST(Keys, AgreeWithWireGuardsOwnTool) {
  const Vector vectors[] = {
      {counting(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHl8=",
       "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8="},
      {filled(0xff), "+P///////////////////////////////////////38=",
       "hHwNLDdSNPNl5mCVUYejc1oPdhPRYJ06ak2MU66qWiI="},
      {filled(0), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA=",
       "L+V9o0fNYkMVKNqsX7spBzD/9oSvxM/C7ZCZX1jLO3Q="},

  };
  for (const Vector& vector : vectors) {
    const PrivateKey key = make_private_key(vector.random);
    EXPECT_EQ(key.reveal_base64(), vector.private_key);
    EXPECT_EQ(public_key_of(key).to_string(), vector.public_key);
  }
}

TEST(Keys, PublicKeyDoesNotDependOnUnclampedBits) {
  KeyBytes random = counting();
  const PublicKey expected = public_key_of(make_private_key(random));
  random[0] |= 7;
  random[31] ^= 0xc0;
  EXPECT_EQ(public_key_of(make_private_key(random)), expected);
  EXPECT_EQ(public_key_of(PrivateKey(random)), expected);
}

TEST(Keys, PresharedKeyIsTheRandomBytes) {
  EXPECT_EQ(make_preshared_key(counting()).reveal(), counting());
}

TEST(Keys, SecretsDoNotCopy) {
  static_assert(!std::is_copy_constructible_v<PrivateKey>);
  static_assert(!std::is_copy_assignable_v<PresharedKey>);
}

}  // namespace
}  // namespace sekisho

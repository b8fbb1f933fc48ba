#include "gateway/keys/keys.h"

#include <sodium.h>

#include <cassert>

namespace sekisho {

PrivateKey make_private_key(const KeyBytes& random) {
  KeyBytes clamped = random;
  clamped.front() &= 0xf8;
  clamped.back() = static_cast<std::uint8_t>((clamped.back() & 0x7f) | 0x40);
  PrivateKey key(clamped);
  sodium_memzero(clamped.data(), clamped.size());
  return key;
}

PublicKey public_key_of(const PrivateKey& key) {
  KeyBytes bytes;
  // Fails only for a result of zero, which no clamped multiple of the base point is.
  [[maybe_unused]] const int done =
      crypto_scalarmult_curve25519_base(bytes.data(), key.reveal().data());
  assert(done == 0);
  return PublicKey(bytes);
}

PresharedKey make_preshared_key(const KeyBytes& random) {
  return PresharedKey(random);
}

}  // namespace sekisho

#pragma once

#include "policy/base/keys.h"

// Making keys for WireGuard (Curve25519, RFC 7748). Pure: the 32 random bytes are an argument and
// must come from the kernel (getrandom(2)), each used once.
namespace sekisho {

// `random` with the bits set and cleared that RFC 7748 section 5 asks of a private key, as `wg
// genkey` writes it.
PrivateKey make_private_key(const KeyBytes& random);
PublicKey public_key_of(const PrivateKey& key);
PresharedKey make_preshared_key(const KeyBytes& random);

}  // namespace sekisho

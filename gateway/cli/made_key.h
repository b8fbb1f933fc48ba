#pragma once

#include <string>

#include "policy/base/keys.h"

namespace sekisho::cli {

// A key pair made in this process's memory for a device whose owner cannot make one; only the
// public half is sent to the gateway, and nothing of the private half is kept after it was shown.
struct MadeKey {
  PrivateKey private_key;
  PublicKey public_key;
};
MadeKey make_key();

// The profile with the private key in its place, and below it a QR code of the whole for phones.
std::string profile_with_key(std::string profile, const PrivateKey& key);
// Two modules a character cell, dark on light, with the four-module quiet zone (ISO/IEC 18004).
std::string terminal_qr(const std::string& text);

}  // namespace sekisho::cli

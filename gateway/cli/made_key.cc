#include "gateway/cli/made_key.h"

#include <sodium.h>

#include <qrcodegen.hpp>

namespace sekisho::cli {

MadeKey make_key() {
  KeyBytes secret;
  KeyBytes shared;
  randombytes_buf(secret.data(), secret.size());
  // The clamping of RFC 7748 section 5, as wg(8) stores keys.
  secret.front() &= 0xf8;
  secret.back() = static_cast<std::uint8_t>((secret.back() & 0x7f) | 0x40);
  crypto_scalarmult_base(shared.data(), secret.data());
  MadeKey made{PrivateKey(secret), PublicKey(shared)};
  sodium_memzero(secret.data(), secret.size());
  return made;
}

std::string profile_with_key(std::string profile, const PrivateKey& key) {
  const std::string section = "[Interface]\n";
  const auto begin = profile.find(section);
  if (begin == std::string::npos) return profile;
  auto end = begin + section.size();
  while (profile.compare(end, 1, "#") == 0) end = profile.find('\n', end) + 1;
  profile.replace(begin, end - begin, section + "PrivateKey = " + key.reveal_base64() + "\n");
  return profile;
}

std::string terminal_qr(const std::string& text) {
  const auto code = qrcodegen::QrCode::encodeText(text.c_str(), qrcodegen::QrCode::Ecc::LOW);
  constexpr int kQuiet = 4;
  std::string drawn;
  for (int y = -kQuiet; y < code.getSize() + kQuiet; y += 2) {
    // Black on white whatever the terminal's colours are: readers want dark modules on light.
    drawn += "\033[30;107m";
    for (int x = -kQuiet; x < code.getSize() + kQuiet; ++x) {
      const bool upper = code.getModule(x, y);
      const bool lower = code.getModule(x, y + 1);
      drawn += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
    }
    drawn += "\033[0m\n";
  }
  return drawn;
}

}  // namespace sekisho::cli

#include "gateway/cli/made_key.h"

#include <sodium.h>

#include <qrcodegen.hpp>
#include <utility>

#include "gateway/keys/keys.h"

namespace sekisho::cli {

MadeKey make_key() {
  KeyBytes random;
  randombytes_buf(random.data(), random.size());
  PrivateKey key = make_private_key(random);
  sodium_memzero(random.data(), random.size());
  const PublicKey shared = public_key_of(key);
  return {std::move(key), shared};
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

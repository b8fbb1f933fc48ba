#include "gateway/store/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace sekisho::store {

Digest sha256(std::string_view bytes) {
  Digest digest{};
  // Fails only where OpenSSL has no SHA-256 or no memory; a digest that is not one must not get
  // out.
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    std::abort();
  }
  return digest;
}

std::string to_hex(const Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace sekisho::store

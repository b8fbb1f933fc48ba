#include "gateway/store/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace sekisho::store {

Digest sha256(std::string_view bytes) {
  return sha256({bytes});
}

Digest sha256(std::initializer_list<std::string_view> parts) {
  Digest digest{};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  bool good = context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  for (const std::string_view part : parts) {
    good = good && EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1;
  }
  // Fails only where OpenSSL has no SHA-256 or no memory; a digest that is not one must not get
  // out.
  if (!good || EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) std::abort();
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

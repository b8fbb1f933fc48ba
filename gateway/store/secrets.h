#pragma once

#include <array>
#include <span>
#include <string>

#include "gateway/store/database.h"
#include "policy/base/keys.h"

namespace sekisho::store {

// A secret key as it is stored: its bytes, then their SHA-256, so that a damaged key is an error
// and never a key that nobody knows. Wiped when it goes.
class SealedKey {
 public:
  explicit SealedKey(const KeyBytes& key);
  ~SealedKey();
  SealedKey(const SealedKey&) = delete;
  SealedKey& operator=(const SealedKey&) = delete;

  std::span<const std::uint8_t> bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, 2 * kKeyBytes> bytes_{};
};

// `whose` names the key in the error.
template <class Key>
Result<Key> unseal(const Database& database, std::span<const std::uint8_t> stored,
                   const std::string& whose);

}  // namespace sekisho::store

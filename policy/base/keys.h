#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "policy/base/result.h"

namespace sekisho {

inline constexpr std::size_t kKeyBytes = 32;
using KeyBytes = std::array<std::uint8_t, kKeyBytes>;

// A Curve25519 public key, written as WireGuard does: 44 characters of base64 (RFC 4648).
class PublicKey {
 public:
  PublicKey() = default;  // all zero: no key
  explicit PublicKey(const KeyBytes& bytes) : bytes_(bytes) {}
  // Refuses anything but canonical base64 of 32 bytes, and the low-order points, which agree with
  // any private key on a shared secret that everybody knows (RFC 7748 section 6.1).
  static Result<PublicKey> parse(std::string_view base64);

  const KeyBytes& bytes() const { return bytes_; }
  std::string to_string() const;
  auto operator<=>(const PublicKey&) const = default;

 private:
  KeyBytes bytes_{};
};

// 32 secret bytes. It moves and never copies, is wiped when it goes, and no stream, formatter or
// comparison takes it: reveal() is the only way out, so a search for it finds every use.
template <class Tag>
class SecretKey {
 public:
  explicit SecretKey(const KeyBytes& bytes) : bytes_(bytes) {}
  static Result<SecretKey> parse(std::string_view base64);
  SecretKey(SecretKey&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  SecretKey& operator=(SecretKey&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey() { wipe(); }

  const KeyBytes& reveal() const { return bytes_; }
  std::string reveal_base64() const;

 private:
  void wipe();
  KeyBytes bytes_;
};

using PrivateKey = SecretKey<struct PrivateKeyTag>;
using PresharedKey = SecretKey<struct PresharedKeyTag>;

// RFC 4648 base64 with padding; decode refuses white space and non-canonical endings.
std::string to_base64(std::span<const std::uint8_t> bytes);
Result<KeyBytes> key_from_base64(std::string_view text);

}  // namespace sekisho

template <>
struct std::hash<sekisho::PublicKey> {
  std::size_t operator()(const sekisho::PublicKey& key) const noexcept {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(key.bytes().data()), key.bytes().size()});
  }
};

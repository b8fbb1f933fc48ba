#include "policy/base/keys.h"

#include <string.h>

#include <algorithm>
#include <optional>

namespace sekisho {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kKeyCharacters = 44;

std::optional<unsigned> sextet(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a' + 26);
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0' + 52);
  if (c == '+') return 62;
  if (c == '/') return 63;
  return std::nullopt;
}

// Says nothing of the text itself: it may be a secret.
std::unexpected<Error> not_a_key() {
  return fail(ErrorCode::invalid, "key", "not a WireGuard key",
              "a key is 32 bytes in base64: 44 characters, the last of them \"=\"");
}

// The encodings of points of order 1, 2, 4 and 8 on the curve and its twist, below 2^255.
constexpr std::array<KeyBytes, 7> kLowOrderPoints = {{
    {},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    // p - 1, p and p + 1, with p = 2^255 - 19
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
}};

bool is_low_order(KeyBytes key) {
  key.back() &= 0x7f;  // X25519 ignores the highest bit (RFC 7748 section 5)
  return std::ranges::find(kLowOrderPoints, key) != kLowOrderPoints.end();
}

}  // namespace

std::string to_base64(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return at < bytes.size() ? unsigned{bytes[at]} : 0U; };
    const unsigned group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

Result<KeyBytes> key_from_base64(std::string_view text) {
  if (text.size() != kKeyCharacters || text.back() != '=') return not_a_key();
  KeyBytes key{};
  std::size_t written = 0;
  unsigned pending = 0;
  int pending_bits = 0;
  for (const char c : text.substr(0, kKeyCharacters - 1)) {
    const auto value = sextet(c);
    if (!value) return not_a_key();
    pending = (pending << 6 | *value) & 0xfff;
    pending_bits += 6;
    if (pending_bits < 8) continue;
    pending_bits -= 8;
    key[written++] = static_cast<std::uint8_t>(pending >> pending_bits);
  }
  // 43 characters hold two bits more than 32 bytes need; a second spelling of one key is refused.
  if ((pending & 3U) != 0) return not_a_key();
  return key;
}

Result<PublicKey> PublicKey::parse(std::string_view base64) {
  const auto bytes = key_from_base64(base64);
  if (!bytes) return std::unexpected(bytes.error());
  if (is_low_order(*bytes)) {
    return fail(ErrorCode::invalid, "key", "a point of low order, which protects nothing",
                "make a new key pair on the device and send its public key");
  }
  return PublicKey(*bytes);
}

std::string PublicKey::to_string() const {
  return to_base64(bytes_);
}

template <class Tag>
Result<SecretKey<Tag>> SecretKey<Tag>::parse(std::string_view base64) {
  auto bytes = key_from_base64(base64);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  SecretKey key(*bytes);
  explicit_bzero(bytes->data(), bytes->size());
  if (key.bytes_ == KeyBytes{}) {
    return fail(ErrorCode::invalid, "key", "all zero, which WireGuard takes for no key");
  }
  return key;
}

template <class Tag>
std::string SecretKey<Tag>::reveal_base64() const {
  return to_base64(bytes_);
}

template <class Tag>
void SecretKey<Tag>::wipe() {
  explicit_bzero(bytes_.data(), bytes_.size());
}

template class SecretKey<PrivateKeyTag>;
template class SecretKey<PresharedKeyTag>;

}  // namespace sekisho

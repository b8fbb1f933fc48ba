#include "gateway/store/secrets.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "gateway/store/sha256.h"
#include "gateway/store/store.h"

namespace sekisho::store {
namespace {

constexpr std::string_view kGatewayKey = "gateway_private_key";

Digest digest_of(std::span<const std::uint8_t> bytes) {
  return sha256({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// A new key would shut out every device whose profile names the old one.
Result<void> nobody_knows_a_key(Database& database) {
  Statement any(database, "SELECT 1 FROM devices LIMIT 1");
  const auto row = any.step();
  if (!row) return std::unexpected(row.error());
  if (*row) return std::unexpected(database.damaged("it has devices but not the gateway's key"));
  return {};
}

}  // namespace

SealedKey::SealedKey(const KeyBytes& key) {
  std::ranges::copy(key, bytes_.begin());
  std::ranges::copy(digest_of(key), bytes_.begin() + kKeyBytes);
}

SealedKey::~SealedKey() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

template <class Key>
Result<Key> unseal(const Database& database, std::span<const std::uint8_t> stored,
                   const std::string& whose) {
  if (stored.size() == 2 * kKeyBytes &&
      std::ranges::equal(digest_of(stored.first(kKeyBytes)), stored.last(kKeyBytes))) {
    KeyBytes bytes;
    std::ranges::copy(stored.first(kKeyBytes), bytes.begin());
    Key key(bytes);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return key;
  }
  return std::unexpected(database.damaged(whose + " does not match its digest"));
}

template Result<PrivateKey> unseal(const Database&, std::span<const std::uint8_t>,
                                   const std::string&);
template Result<PresharedKey> unseal(const Database&, std::span<const std::uint8_t>,
                                     const std::string&);

Result<PrivateKey> Store::gateway_key(const std::function<PrivateKey()>& make) {
  Statement stored(*database_, "SELECT value FROM secrets WHERE name = ?", kGatewayKey);
  const auto row = stored.step();
  if (!row) return std::unexpected(row.error());
  if (*row) return unseal<PrivateKey>(*database_, stored.blob(0), "the gateway's private key");
  if (auto fresh = nobody_knows_a_key(*database_); !fresh) return std::unexpected(fresh.error());

  PrivateKey key = make();
  const SealedKey sealed(key.reveal());
  auto written = database_->transaction([&] {
    return Statement(*database_, "INSERT INTO secrets VALUES (?, ?)", kGatewayKey, sealed.bytes())
        .run();
  });
  if (!written) return std::unexpected(written.error());
  return key;
}

}  // namespace sekisho::store

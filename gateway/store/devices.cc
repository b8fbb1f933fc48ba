#include "gateway/store/devices.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/store/marks.h"
#include "gateway/store/operations.h"
#include "gateway/store/secrets.h"
#include "gateway/store/store.h"

namespace sekisho::store {
namespace {

std::string_view to_text(KeyMade made) {
  switch (made) {
    case KeyMade::device:
      return "device";
    case KeyMade::gateway:
      return "gateway";
  }
  std::unreachable();
}

std::string object_of(const DeviceId& device) {
  return "device " + device.str();
}

Result<void> remove(Database& database, const DeviceId& device, const Operation& entry) {
  auto done = Statement(database,
                        "UPDATE devices SET removed_at = ?, removed_by = ? "
                        "WHERE id = ? AND removed_at IS NULL",
                        to_seconds(entry.time), entry.actor.user, device.str())
                  .run();
  if (done && database.changes() == 0) {
    return fail(ErrorCode::not_found, object_of(device), "is not in the ledger of living devices");
  }
  return done;
}

Result<void> lives_nowhere(Database& database, const NewDevice& device) {
  const std::string key = device.public_key.to_string();
  Statement find(database,
                 "SELECT id FROM devices WHERE removed_at IS NULL AND id = ?1 UNION ALL "
                 "SELECT id FROM devices WHERE removed_at IS NULL AND public_key = ?2",
                 device.id.str(), key);
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return {};
  if (find.text(0) == device.id.str()) {
    return fail(ErrorCode::conflict, object_of(device.id), "exists already");
  }
  return fail(ErrorCode::conflict, object_of(device.id),
              "public key " + key + " belongs to device " + find.text(0),
              "make a key on each device; one key never serves two");
}

Result<void> give_address(Database& database, const NewDevice& device, std::int64_t life,
                          const IpAddress& address) {
  const std::int64_t bits = address.bits();
  Statement find(database,
                 "SELECT id FROM addresses JOIN devices USING (life) "
                 "WHERE bits = ? AND address = ? AND id <> ? LIMIT 1",
                 bits, address.bytes(), device.id.str());
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    return fail(ErrorCode::conflict, object_of(device.id),
                "address " + address.to_string() + " was given to device " + find.text(0) +
                    " and is never given to another",
                "leave the address out: the gateway picks a free one");
  }
  return Statement(database, "INSERT INTO addresses(bits, address, life) VALUES (?, ?, ?)", bits,
                   address.bytes(), life)
      .run();
}

Result<void> add(Database& database, const NewDevice& device, const Operation& entry) {
  if (auto free = lives_nowhere(database, device); !free) return free;
  const std::string key = device.public_key.to_string();
  const SealedKey preshared(device.preshared_key.reveal());
  Statement insert(
      database,
      "INSERT INTO devices(id, public_key, preshared_key, key_made, added_at, added_by)"
      " VALUES (?, ?, ?, ?, ?, ?)",
      device.id.str(), key, preshared.bytes(), to_text(device.key_made), to_seconds(entry.time),
      entry.actor.user);
  if (auto done = insert.run(); !done) return done;
  const std::int64_t life = database.last_row();
  for (const IpAddress& address : device.addresses) {
    if (auto done = give_address(database, device, life, address); !done) return done;
  }
  return {};
}

Result<LedgerDevice> read_device(const Database& database, const Statement& row) {
  const auto key = PublicKey::parse(row.text(2));
  const std::string made = row.text(3);
  if (!key || (made != to_text(KeyMade::device) && made != to_text(KeyMade::gateway))) {
    return std::unexpected(database.damaged("its device " + row.text(1) + " is not one"));
  }
  LedgerDevice device{
      .id = DeviceId(row.text(1)),
      .public_key = *key,
      .addresses = {},
      .key_made = made == to_text(KeyMade::device) ? KeyMade::device : KeyMade::gateway,
      .added_at = to_time(row.integer(4)),
      .added_by = row.text(5),
      .removed_at = std::nullopt,
      .removed_by = row.text(7)};
  if (!row.is_null(6)) device.removed_at = to_time(row.integer(6));
  return device;
}

// Networks as small as these have no address that names the network or all of it (RFC 3021, RFC
// 6164).
bool keeps_its_ends(const Prefix& pool) {
  return pool.length() >= pool.address().bits() - 1;
}

Result<IpAddress> lowest_free(Database& database, const Prefix& pool,
                              std::span<const IpAddress> reserved) {
  const AddressRange range = pool.range();
  // The first address names the network; IPv6 has no broadcast address at the other end.
  std::optional<IpAddress> candidate = keeps_its_ends(pool) ? range.first : range.first.next();
  const IpAddress last = keeps_its_ends(pool) || pool.family() == Family::v6
                             ? range.last
                             : range.last.previous().value_or(range.last);
  const auto skip_reserved = [&] {
    while (candidate && std::ranges::find(reserved, *candidate) != reserved.end()) {
      candidate = candidate->next();
    }
  };

  skip_reserved();
  const std::int64_t bits = pool.address().bits();
  Statement taken(
      database,
      "SELECT DISTINCT address FROM addresses WHERE bits = ? AND address BETWEEN ? AND ? "
      "ORDER BY address",
      bits, range.first.bytes(), range.last.bytes());
  for (;;) {
    const auto row = taken.step();
    if (!row) return std::unexpected(row.error());
    if (!*row || !candidate) break;
    const auto bytes = taken.blob(0);
    if (bytes.size() * 8 != static_cast<std::size_t>(bits)) {
      return std::unexpected(database.damaged("a device's address is not one"));
    }
    const auto used = IpAddress::from_bytes(bytes);
    if (used > *candidate) break;
    if (used == *candidate) candidate = candidate->next();
    skip_reserved();
  }
  if (candidate && *candidate <= last) return *candidate;
  return fail(
      ErrorCode::failed, "pool " + pool.to_string(), "has no address left that no device ever had",
      "give [network] a larger pool; addresses of removed devices stay in the log's records");
}

}  // namespace

Result<void> change_ledger(Database& database, const DeviceChange& change, const Operation& entry) {
  for (const DeviceId& device : change.remove) {
    if (auto done = remove(database, device, entry); !done) return done;
    Statement token(database, "DELETE FROM device_tokens WHERE device = ?", device.str());
    if (auto done = token.run(); !done) return done;
  }
  for (const NewDevice& device : change.add) {
    if (auto done = add(database, device, entry); !done) return done;
  }
  return {};
}

Result<void> Store::change_devices(const DeviceChange& change, const Operation& entry) {
  return database_->transaction([&]() -> Result<void> {
    if (auto done = change_ledger(*database_, change, entry); !done) return done;
    return drop_value(append(*database_, entry));
  });
}

Result<PresharedKey> Store::preshared_key(const DeviceId& device, const PublicKey& key) {
  const std::string public_key = key.to_string();
  Statement find(*database_,
                 "SELECT preshared_key FROM devices WHERE id = ? AND public_key = ? "
                 "ORDER BY life DESC LIMIT 1",
                 device.str(), public_key);
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(ErrorCode::not_found, object_of(device), "never had key " + public_key);
  return unseal<PresharedKey>(*database_, find.blob(0),
                              "the preshared key of " + object_of(device));
}

Result<std::vector<LedgerDevice>> Store::devices() {
  std::vector<LedgerDevice> found;
  std::int64_t life = 0;
  Statement read(
      *database_,
      "SELECT life, id, public_key, key_made, added_at, added_by, removed_at, removed_by,"
      " address FROM devices LEFT JOIN addresses USING (life) ORDER BY life, bits, address");
  auto done = read.each([&]() -> Result<void> {
    if (read.integer(0) != life) {
      auto device = read_device(*database_, read);
      if (!device) return std::unexpected(device.error());
      found.push_back(std::move(*device));
      life = read.integer(0);
    }
    if (const auto address = read.blob(8); !address.empty()) {
      if (address.size() != 4 && address.size() != 16) {
        return std::unexpected(database_->damaged("an address of device " + read.text(1)));
      }
      found.back().addresses.push_back(IpAddress::from_bytes(address));
    }
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<std::vector<IpAddress>> Store::next_free_addresses(std::span<const Prefix> pools,
                                                          std::span<const IpAddress> reserved) {
  std::vector<IpAddress> addresses;
  for (const Prefix& pool : pools) {
    const auto address = lowest_free(*database_, pool, reserved);
    if (!address) return std::unexpected(address.error());
    addresses.push_back(*address);
  }
  std::ranges::sort(addresses);
  return addresses;
}

}  // namespace sekisho::store

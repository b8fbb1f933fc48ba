#include <optional>
#include <string>
#include <utility>

#include "gateway/store/database.h"
#include "gateway/store/marks.h"
#include "gateway/store/operations.h"
#include "gateway/store/store.h"

// Flags, and the tokens with which devices bring them.
namespace sekisho::store {
namespace {

constexpr std::string_view kSelect =
    "SELECT number, time, source, key, severity, detail, device, person, state, outcome, by,"
    " public_key"
    " FROM flags ";

template <class Enum, class All>
std::optional<Enum> word(const std::string& text, const All& all) {
  for (const Enum each : all) {
    if (text == to_string(each)) return each;
  }
  return std::nullopt;
}

Result<Flag> read_flag(const Database& database, const Statement& row) {
  const auto severity = word<Severity>(row.text(4), kSeverities);
  const auto state = word<FlagState>(row.text(8), kFlagStates);
  if (!severity || !state) {
    return std::unexpected(database.damaged("flag " + row.text(0) + " is not one"));
  }
  std::optional<PublicKey> key;
  if (!row.is_null(11)) {
    const auto read = PublicKey::parse(row.text(11));
    if (!read) return std::unexpected(database.damaged("the key of flag " + row.text(0)));
    key = *read;
  }
  return Flag{.number = FlagNumber(static_cast<std::uint64_t>(row.integer(0))),
              .time = to_time(row.integer(1)),
              .source = row.text(2),
              .key = row.text(3),
              .severity = *severity,
              .detail = row.text(5),
              .device = DeviceId(row.text(6)),
              .person = PersonId(row.text(7)),
              .public_key = key,
              .state = *state,
              .outcome = row.text(9),
              .by = row.text(10)};
}

Result<std::optional<Flag>> read_one(Database& database, Statement& read) {
  const auto row = read.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  auto flag = read_flag(database, read);
  if (!flag) return std::unexpected(std::move(flag.error()));
  return *std::move(flag);
}

std::int64_t to_column(FlagNumber number) {
  return static_cast<std::int64_t>(number.value());
}

}  // namespace

Result<FlagNumber> Store::add_flag(const Flag& flag, const Operation& entry) {
  FlagNumber number;
  const std::optional<std::string> key =
      flag.public_key ? std::optional(flag.public_key->to_string()) : std::nullopt;
  auto done = urgently([&]() -> Result<void> {
    Statement add(*database_,
                  "INSERT INTO flags(time, source, key, severity, detail, device, person, state,"
                  " outcome, by, public_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  to_seconds(flag.time), flag.source, flag.key, to_string(flag.severity),
                  flag.detail, flag.device.str(), flag.person.str(), to_string(flag.state),
                  flag.outcome, flag.by, key);
    if (auto added = add.run(); !added) return added;
    number = FlagNumber(static_cast<std::uint64_t>(database_->last_row()));
    return drop_value(append(*database_, entry));
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return number;
}

Result<std::optional<Flag>> Store::find_flag(const DeviceId& device, const PersonId& person,
                                             const std::string& source, const std::string& key) {
  Statement read(*database_,
                 std::string(kSelect) +
                     "WHERE device = ? AND person = ? AND source = ? AND key = ? AND key <> ''"
                     " ORDER BY number DESC LIMIT 1",
                 device.str(), person.str(), source, key);
  return read_one(*database_, read);
}

Result<std::optional<Flag>> Store::flag(FlagNumber number) {
  Statement read(*database_, std::string(kSelect) + "WHERE number = ?", to_column(number));
  return read_one(*database_, read);
}

Result<std::vector<Flag>> Store::flags(std::size_t limit) {
  std::vector<Flag> found;
  Statement read(*database_, std::string(kSelect) + "ORDER BY number DESC LIMIT ?", at_most(limit));
  auto done = read.each([&]() -> Result<void> {
    auto flag = read_flag(*database_, read);
    if (!flag) return std::unexpected(std::move(flag.error()));
    found.push_back(*std::move(flag));
    return {};
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return found;
}

Result<std::size_t> Store::flags_asking() {
  Statement read(*database_, "SELECT count(*) FROM flags WHERE state = 'asking'");
  const auto row = read.step();
  if (!row) return std::unexpected(row.error());
  return static_cast<std::size_t>(read.integer(0));
}

Result<void> Store::set_flag(FlagNumber number, FlagState state, const std::string& outcome,
                             const Operation& entry) {
  return database_->transaction([&]() -> Result<void> {
    Statement set(*database_, "UPDATE flags SET state = ?, outcome = ? WHERE number = ?",
                  to_string(state), outcome, to_column(number));
    if (auto done = set.run(); !done) return done;
    if (database_->changes() == 0) {
      return fail(ErrorCode::not_found, "flag " + std::to_string(number.value()), "does not exist");
    }
    return drop_value(append(*database_, entry));
  });
}

Result<void> Store::set_device_token(const DeviceId& device, const Digest& hash,
                                     const Operation& entry) {
  return database_->transaction([&]() -> Result<void> {
    Statement set(*database_, "INSERT OR REPLACE INTO device_tokens VALUES (?, ?, ?, ?)",
                  device.str(), std::span<const std::uint8_t>(hash), to_seconds(entry.time),
                  entry.actor.user);
    if (auto done = set.run(); !done) return done;
    return drop_value(append(*database_, entry));
  });
}

Result<std::optional<DeviceId>> Store::device_of_token(const Digest& hash) {
  Statement find(*database_, "SELECT device FROM device_tokens WHERE hash = ?",
                 std::span<const std::uint8_t>(hash));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return DeviceId(find.text(0));
}

}  // namespace sekisho::store

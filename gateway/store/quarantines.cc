#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "gateway/store/atom_text.h"
#include "gateway/store/database.h"
#include "gateway/store/marks.h"
#include "gateway/store/operations.h"
#include "gateway/store/store.h"

namespace sekisho::store {
namespace {

constexpr std::string_view kSelect =
    "SELECT target, level, reason, by, since, automatic, devices, keys, asked_by, asked_uid,"
    " asked_at, asked_reason, asked_finding, released_at, released_by, release_reason, finding,"
    " two_people, people, places"
    " FROM quarantines ";
constexpr int kReleased = 13;  // the column of released_at
constexpr int kTwoPeople = 17;

template <class Values, class Write>
std::string as_lines(const Values& values, Write write) {
  std::string lines;
  for (const auto& value : values) lines += write(value) + '\n';
  return lines;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Result<Quarantine> read_quarantine(const Database& database, const Statement& row) {
  const auto target = parse_target(row.text(0));
  const std::string level = row.text(1);
  if (!target || (level != to_string(Hold::isolate) && level != to_string(Hold::cut))) {
    return std::unexpected(database.damaged("the quarantine of " + row.text(0) + " is not one"));
  }
  Quarantine read{.target = *target,
                  .level = level == to_string(Hold::cut) ? Hold::cut : Hold::isolate,
                  .reason = row.text(2),
                  .by = row.text(3),
                  .since = to_time(row.integer(4)),
                  .automatic = row.integer(5) != 0,
                  .two_people = row.integer(kTwoPeople) != 0,
                  .devices = {},
                  .keys = {}};
  for (const std::string& id : lines_of(row.text(6))) read.devices.emplace_back(id);
  for (const std::string& text : lines_of(row.text(7))) {
    const auto key = PublicKey::parse(text);
    if (!key) {
      return std::unexpected(database.damaged("a key of the quarantine of " + row.text(0)));
    }
    read.keys.push_back(*key);
  }
  for (const std::string& id : lines_of(row.text(kTwoPeople + 1))) read.people.emplace_back(id);
  for (const std::string& text : lines_of(row.text(kTwoPeople + 2))) {
    const auto place = read_box(text);
    if (!place) {
      return std::unexpected(database.damaged("a place of the quarantine of " + row.text(0)));
    }
    read.places.push_back(*place);
  }
  if (!row.is_null(8)) {
    read.release = ReleaseAsked{.by = row.text(8),
                                .uid = static_cast<std::uint32_t>(row.integer(9)),
                                .at = to_time(row.integer(10)),
                                .reason = row.text(11),
                                .finding = row.text(12)};
  }
  return read;
}

Result<std::vector<Quarantine>> read_all(Database& database, Statement& read) {
  std::vector<Quarantine> found;
  auto done = read.each([&]() -> Result<void> {
    auto quarantine = read_quarantine(database, read);
    if (!quarantine) return std::unexpected(std::move(quarantine.error()));
    found.push_back(*std::move(quarantine));
    return {};
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return found;
}

Result<void> set_release(Database& database, const std::string& target,
                         const std::optional<ReleaseAsked>& release) {
  if (!release) {
    return Statement(database,
                     "UPDATE quarantines SET asked_by = NULL, asked_uid = NULL, asked_at = NULL,"
                     " asked_reason = NULL, asked_finding = NULL"
                     " WHERE target = ? AND released_at IS NULL",
                     target)
        .run();
  }
  return Statement(database,
                   "UPDATE quarantines SET asked_by = ?, asked_uid = ?, asked_at = ?,"
                   " asked_reason = ?, asked_finding = ? WHERE target = ? AND released_at IS NULL",
                   release->by, std::int64_t{release->uid}, to_seconds(release->at),
                   release->reason, release->finding, target)
      .run();
}

}  // namespace

Result<std::vector<Quarantine>> Store::quarantines() {
  Statement read(*database_, std::string(kSelect) + "WHERE released_at IS NULL ORDER BY number");
  return read_all(*database_, read);
}

Result<std::vector<Quarantine>> Store::automatic_quarantines(Time since) {
  Statement read(*database_,
                 std::string(kSelect) + "WHERE automatic = 1 AND since > ? ORDER BY number",
                 to_seconds(since));
  return read_all(*database_, read);
}

Result<std::vector<PastQuarantine>> Store::past_quarantines(std::size_t limit) {
  std::vector<PastQuarantine> found;
  Statement read(*database_,
                 std::string(kSelect) +
                     "WHERE released_at IS NOT NULL ORDER BY released_at DESC, number DESC LIMIT ?",
                 at_most(limit));
  auto done = read.each([&]() -> Result<void> {
    auto quarantine = read_quarantine(*database_, read);
    if (!quarantine) return std::unexpected(std::move(quarantine.error()));
    found.push_back({.quarantine = *std::move(quarantine),
                     .released_at = to_time(read.integer(kReleased)),
                     .released_by = read.text(kReleased + 1),
                     .release_reason = read.text(kReleased + 2),
                     .finding = read.text(kReleased + 3)});
    return {};
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return found;
}

Result<void> Store::urgently(const std::function<Result<void>()>& body) {
  auto done = database_->transaction(body);
  if (done) reserve_.fill();  // it may have been given up before
  if (done || !database_->was_full() || !reserve_.give_up()) return done;
  return database_->transaction(body);
}

Result<void> Store::put_quarantine(const Quarantine& quarantine, const Operation& entry) {
  return urgently([&]() -> Result<void> {
    const std::string target = to_string(quarantine.target);
    const std::string devices =
        as_lines(quarantine.devices, [](const DeviceId& id) { return id.str(); });
    const std::string keys =
        as_lines(quarantine.keys, [](const PublicKey& key) { return key.to_string(); });
    const std::string people =
        as_lines(quarantine.people, [](const PersonId& id) { return id.str(); });
    const std::string places = as_lines(quarantine.places, write_box);
    Statement put(
        *database_,
        "INSERT INTO quarantines(target, level, reason, by, since, automatic, devices, keys,"
        " two_people, people, places) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (target) WHERE released_at IS NULL DO UPDATE SET level = excluded.level,"
        " reason = excluded.reason, by = excluded.by, since = excluded.since,"
        " automatic = excluded.automatic, devices = excluded.devices, keys = excluded.keys,"
        " two_people = excluded.two_people, people = excluded.people, places = excluded.places",
        target, to_string(quarantine.level), quarantine.reason, quarantine.by,
        to_seconds(quarantine.since), std::int64_t{quarantine.automatic}, devices, keys,
        std::int64_t{quarantine.two_people}, people, places);
    if (auto done = put.run(); !done) return done;
    if (auto done = set_release(*database_, target, quarantine.release); !done) return done;
    return drop_value(append(*database_, entry));
  });
}

Result<void> Store::release_quarantine(const QuarantineTarget& target, const std::string& finding,
                                       const Operation& entry) {
  const std::string name = to_string(target);
  auto released = database_->transaction([&]() -> Result<void> {
    Statement release(*database_,
                      "UPDATE quarantines SET released_at = ?, released_by = ?,"
                      " release_reason = ?, finding = ? WHERE target = ? AND released_at IS NULL",
                      to_seconds(entry.time), entry.actor.user, entry.reason, finding, name);
    if (auto done = release.run(); !done) return done;
    if (database_->changes() == 0) {
      return fail(ErrorCode::not_found, name, "is not quarantined");
    }
    return drop_value(append(*database_, entry));
  });
  if (released) reserve_.fill();
  return released;
}

}  // namespace sekisho::store

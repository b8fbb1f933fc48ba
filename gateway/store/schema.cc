#include "gateway/store/schema.h"

#include <array>
#include <string>

namespace sekisho::store {
namespace {

constexpr std::int64_t kApplicationId = 0x53454b49;  // "SEKI"

// Step n takes schema n to n + 1. A step that was ever released never changes; README.md tells what
// the tables are for.
constexpr std::array kSteps = {
    R"(
CREATE TABLE marks(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES ('next_atom', 4096), ('newest_time', 0);
CREATE TRIGGER marks_only_grow BEFORE UPDATE ON marks WHEN NEW.value < OLD.value
  BEGIN SELECT RAISE(ABORT, 'a mark never goes back'); END;

CREATE TABLE secrets(
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE atom_spaces(
  id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  content TEXT NOT NULL) STRICT;

CREATE TABLE revisions(
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'superseded', 'abandoned')),
  author TEXT NOT NULL,
  reason TEXT NOT NULL,
  time INTEGER NOT NULL,
  base INTEGER NOT NULL,
  digest TEXT NOT NULL,
  space INTEGER NOT NULL REFERENCES atom_spaces,
  edit TEXT NOT NULL,
  document TEXT,
  edits INTEGER NOT NULL CHECK ((edits = 0) = (document IS NOT NULL)),
  room INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX one_pending_one_active ON revisions(state)
  WHERE state IN ('pending', 'active');

CREATE TABLE devices(
  life INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  preshared_key BLOB NOT NULL,
  key_made TEXT NOT NULL CHECK (key_made IN ('device', 'gateway')),
  added_at INTEGER NOT NULL,
  added_by TEXT NOT NULL,
  removed_at INTEGER,
  removed_by TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX lives ON devices(id, life);
CREATE UNIQUE INDEX living_id ON devices(id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX living_key ON devices(public_key) WHERE removed_at IS NULL;

CREATE TABLE addresses(
  address BLOB NOT NULL,
  bits INTEGER NOT NULL CHECK (bits = 8 * length(address)),
  life INTEGER NOT NULL REFERENCES devices,
  PRIMARY KEY (bits, address, life)) STRICT, WITHOUT ROWID;
CREATE INDEX addresses_of_life ON addresses(life);

CREATE TABLE operations(
  sequence INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  user TEXT NOT NULL,
  uid INTEGER NOT NULL,
  via TEXT NOT NULL CHECK (via IN ('socket', 'daemon')),
  name TEXT NOT NULL,
  object TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  reason TEXT NOT NULL,
  result TEXT NOT NULL,
  hash BLOB NOT NULL) STRICT;
CREATE TRIGGER operations_stay_unchanged BEFORE UPDATE ON operations
  BEGIN SELECT RAISE(ABORT, 'the record of operations is append-only'); END;
CREATE TRIGGER operations_stay BEFORE DELETE ON operations
  BEGIN SELECT RAISE(ABORT, 'the record of operations is append-only'); END;
)",
    R"(
CREATE TABLE provisional(
  only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
  back_to INTEGER NOT NULL,
  until INTEGER NOT NULL,
  length INTEGER NOT NULL,
  author TEXT NOT NULL,
  cuts TEXT NOT NULL) STRICT;
)",
    R"(
CREATE TABLE quarantines(
  number INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  level TEXT NOT NULL CHECK (level IN ('isolate', 'cut')),
  reason TEXT NOT NULL,
  by TEXT NOT NULL,
  since INTEGER NOT NULL,
  automatic INTEGER NOT NULL CHECK (automatic IN (0, 1)),
  devices TEXT NOT NULL,
  keys TEXT NOT NULL,
  asked_by TEXT,
  asked_uid INTEGER,
  asked_at INTEGER,
  asked_reason TEXT,
  asked_finding TEXT,
  released_at INTEGER,
  released_by TEXT,
  release_reason TEXT,
  finding TEXT) STRICT;
CREATE UNIQUE INDEX one_quarantine_of_a_target ON quarantines(target) WHERE released_at IS NULL;
CREATE INDEX automatic_quarantines ON quarantines(since) WHERE automatic = 1;
CREATE TRIGGER quarantines_stay BEFORE DELETE ON quarantines
  BEGIN SELECT RAISE(ABORT, 'quarantines are kept'); END;

CREATE TABLE flags(
  number INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  source TEXT NOT NULL,
  key TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
  detail TEXT NOT NULL,
  device TEXT NOT NULL,
  person TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('recorded', 'acted', 'asking', 'dismissed')),
  outcome TEXT NOT NULL,
  by TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX flag_said_once ON flags(device, person, source, key) WHERE key <> '';
CREATE TRIGGER flags_stay BEFORE DELETE ON flags
  BEGIN SELECT RAISE(ABORT, 'flags are kept'); END;

CREATE TABLE device_tokens(
  device TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL) STRICT, WITHOUT ROWID;
)",
    R"(
ALTER TABLE quarantines ADD COLUMN
  two_people INTEGER NOT NULL DEFAULT 0 CHECK (two_people IN (0, 1));
ALTER TABLE quarantines ADD COLUMN people TEXT NOT NULL DEFAULT '';
ALTER TABLE quarantines ADD COLUMN places TEXT NOT NULL DEFAULT '';
ALTER TABLE flags ADD COLUMN public_key TEXT;
DROP INDEX flag_said_once;
CREATE INDEX flags_by_key ON flags(device, person, source, key) WHERE key <> '';
)"};

constexpr std::int64_t kSchema = kSteps.size();

Result<std::int64_t> number(Database& database, std::string_view pragma) {
  Statement read(database, pragma);
  const auto row = read.step();
  if (!row) return std::unexpected(row.error());
  return read.integer(0);
}

Result<void> take_steps(Database& database, std::int64_t from) {
  return database.transaction([&]() -> Result<void> {
    for (std::int64_t step = from; step < kSchema; ++step) {
      if (auto taken = database.execute(kSteps[static_cast<std::size_t>(step)]); !taken) {
        return taken;
      }
    }
    return database.execute("PRAGMA user_version=" + std::to_string(kSchema) +
                            "; PRAGMA application_id=" + std::to_string(kApplicationId));
  });
}

}  // namespace

Result<void> make_schema(Database& database) {
  return take_steps(database, 0);
}

Result<void> migrate(Database& database) {
  const auto application = number(database, "PRAGMA application_id");
  if (!application) return std::unexpected(application.error());
  if (*application != kApplicationId) {
    return std::unexpected(database.damaged("it does not say that it is a Sekisho state"));
  }
  const auto version = number(database, "PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (*version < 1) return std::unexpected(database.damaged("it has no schema"));
  if (*version > kSchema) {
    return fail(ErrorCode::failed, database.file(),
                "its schema is version " + std::to_string(*version) +
                    ", newer than this program's version " + std::to_string(kSchema),
                "run the sekishod that wrote it, or restore the backup made before the upgrade");
  }
  return *version == kSchema ? Result<void>{} : take_steps(database, *version);
}

}  // namespace sekisho::store

#include "gateway/store/revisions.h"

#include <array>
#include <string>
#include <utility>

#include "gateway/store/atom_text.h"
#include "gateway/store/devices.h"
#include "gateway/store/marks.h"
#include "gateway/store/operations.h"
#include "gateway/store/sha256.h"
#include "gateway/store/store.h"

namespace sekisho::store {
namespace {

// In the order of enum RevisionState.
constexpr std::array<std::string_view, 4> kStates = {"pending", "active", "superseded",
                                                     "abandoned"};

std::string_view to_text(RevisionState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string object_of(RevisionNumber number) {
  return "revision " + std::to_string(number.value());
}

std::int64_t to_column(RevisionNumber number) {
  return static_cast<std::int64_t>(number.value());
}

RevisionNumber to_revision(std::int64_t column) {
  return RevisionNumber(static_cast<std::uint64_t>(column));
}

// Equal atoms are stored once: most edits leave them as they are.
Result<std::int64_t> store_atoms(Database& database, const std::vector<Atom>& atoms) {
  const std::string content = write_atoms(atoms);
  const std::string digest = to_hex(sha256(content));
  Statement find(database, "SELECT id FROM atom_spaces WHERE digest = ?", digest);
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (*row) return find.integer(0);
  Statement insert(database, "INSERT INTO atom_spaces(digest, content) VALUES (?, ?)", digest,
                   content);
  if (auto done = insert.run(); !done) return std::unexpected(done.error());
  return database.last_row();
}

Result<AtomSpace> load_space(Database& database, RevisionNumber number) {
  Statement find(database,
                 "SELECT s.digest, s.content FROM atom_spaces s JOIN revisions r ON r.space = s.id "
                 "WHERE r.number = ?",
                 to_column(number));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  const std::string content = *row ? find.text(1) : std::string{};
  auto atoms = read_atoms(content);
  if (!*row || find.text(0) != to_hex(sha256(content)) || !atoms) {
    return std::unexpected(database.damaged("the atoms of " + object_of(number)));
  }
  const auto next = read_mark(database, kNextAtom);
  if (!next) return std::unexpected(next.error());
  return AtomSpace{.atoms = std::move(*atoms), .next = static_cast<std::uint32_t>(*next)};
}

Result<RevisionInfo> read_info(const Database& database, const Statement& row) {
  const auto state = std::ranges::find(kStates, row.text(1));
  const RevisionNumber number = to_revision(row.integer(0));
  if (state == kStates.end()) {
    return std::unexpected(database.damaged("the state of " + object_of(number)));
  }
  return RevisionInfo{.number = number,
                      .state = static_cast<RevisionState>(state - kStates.begin()),
                      .author = row.text(2),
                      .reason = row.text(3),
                      .time = to_time(row.integer(4)),
                      .base = to_revision(row.integer(5)),
                      .digest = row.text(6)};
}

constexpr std::string_view kInfo = "SELECT number, state, author, reason, time, base, digest";

Result<void> may_follow(Database& database, const NewRevision& revision) {
  const auto pending = revision_in(database, RevisionState::pending);
  if (!pending) return std::unexpected(pending.error());
  if (*pending) return fail(ErrorCode::conflict, object_of(**pending), "is not finished yet");

  const auto active = revision_in(database, RevisionState::active);
  if (!active) return std::unexpected(active.error());
  const RevisionNumber base = active->value_or(RevisionNumber());
  if (revision.base != base) {
    return fail(ErrorCode::conflict, "policy",
                "the edit began from " + object_of(revision.base) + ", but now " + object_of(base) +
                    " is active",
                "look at the newer policy and make the edit again");
  }

  const auto next = read_mark(database, kNextAtom);
  if (!next) return std::unexpected(next.error());
  if (revision.space.next < *next) {
    return fail(ErrorCode::conflict, "atoms",
                "numbers from " + std::to_string(revision.space.next) + " to " +
                    std::to_string(*next - 1) + " were given before",
                "cut the destinations beginning from Store::atom_space()");
  }
  return {};
}

Result<void> insert_pending(Database& database, const NewRevision& revision) {
  const auto space = store_atoms(database, revision.space.atoms);
  if (!space) return std::unexpected(space.error());
  const std::string digest = to_hex(sha256(revision.document));
  return Statement(
             database,
             "INSERT INTO revisions(state, author, reason, time, base, digest, space, document)"
             " VALUES ('pending', ?, ?, ?, ?, ?, ?, ?)",
             revision.author, revision.reason, to_seconds(revision.time), to_column(revision.base),
             digest, *space, revision.document)
      .run();
}

Result<void> move(Database& database, RevisionNumber number, RevisionState from, RevisionState to) {
  auto done = Statement(database, "UPDATE revisions SET state = ? WHERE number = ? AND state = ?",
                        to_text(to), to_column(number), to_text(from))
                  .run();
  if (done && database.changes() == 0) {
    return fail(ErrorCode::conflict, object_of(number), "is not " + std::string(to_text(from)));
  }
  return done;
}

}  // namespace

Result<std::optional<RevisionNumber>> revision_in(Database& database, RevisionState state) {
  Statement find(database,
                 "SELECT number FROM revisions "
                 "WHERE state IN ('pending', 'active') AND state = ?",
                 to_text(state));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return to_revision(find.integer(0));
}

Result<void> give_up(Database& database, RevisionNumber number, const Operation& entry) {
  auto done = move(database, number, RevisionState::pending, RevisionState::abandoned);
  return done ? drop_value(append(database, entry)) : done;
}

Result<RevisionNumber> Store::add_pending(const NewRevision& revision) {
  RevisionNumber number;
  auto done = database_->transaction([&]() -> Result<void> {
    if (auto may = may_follow(*database_, revision); !may) return may;
    if (auto inserted = insert_pending(*database_, revision); !inserted) return inserted;
    number = to_revision(database_->last_row());
    if (auto raised = raise_mark(*database_, kNextAtom, revision.space.next); !raised) {
      return raised;
    }
    return raise_mark(*database_, kNewestTime, to_seconds(revision.time));
  });
  if (!done) return std::unexpected(done.error());
  return number;
}

Result<void> Store::activate(RevisionNumber number, const DeviceChange& devices,
                             const Operation& entry) {
  return database_->transaction([&]() -> Result<void> {
    const auto former = revision_in(*database_, RevisionState::active);
    if (!former) return std::unexpected(former.error());
    if (*former) {
      auto moved = move(*database_, **former, RevisionState::active, RevisionState::superseded);
      if (!moved) return moved;
    }
    if (auto moved = move(*database_, number, RevisionState::pending, RevisionState::active);
        !moved) {
      return moved;
    }
    if (auto changed = change_ledger(*database_, devices, entry); !changed) return changed;
    return drop_value(append(*database_, entry));
  });
}

Result<void> Store::abandon(RevisionNumber number, const Operation& entry) {
  return database_->transaction([&] { return give_up(*database_, number, entry); });
}

Result<std::optional<Revision>> Store::active() {
  const auto number = revision_in(*database_, RevisionState::active);
  if (!number) return std::unexpected(number.error());
  if (!*number) return std::nullopt;
  auto found = revision(**number);
  if (!found) return std::unexpected(found.error());
  return std::move(*found);
}

Result<AtomSpace> Store::atom_space() {
  const auto number = revision_in(*database_, RevisionState::active);
  if (!number) return std::unexpected(number.error());
  if (*number) return load_space(*database_, **number);
  const auto next = read_mark(*database_, kNextAtom);
  if (!next) return std::unexpected(next.error());
  return AtomSpace{.atoms = {}, .next = static_cast<std::uint32_t>(*next)};
}

Result<Revision> Store::revision(RevisionNumber number) {
  Statement find(*database_, std::string(kInfo) + ", document FROM revisions WHERE number = ?",
                 to_column(number));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(ErrorCode::not_found, object_of(number), "does not exist");
  auto info = read_info(*database_, find);
  if (!info) return std::unexpected(info.error());
  std::string document = find.text(7);
  if (info->digest != to_hex(sha256(document))) {
    return std::unexpected(
        database_->damaged("the document of " + object_of(number) + " does not match its digest"));
  }
  auto space = load_space(*database_, number);
  if (!space) return std::unexpected(space.error());
  return Revision{
      .info = std::move(*info), .document = std::move(document), .space = std::move(*space)};
}

Result<std::vector<RevisionInfo>> Store::history(std::size_t limit, RevisionNumber before) {
  std::vector<RevisionInfo> found;
  Statement read(
      *database_,
      std::string(kInfo) + " FROM revisions WHERE number < ? ORDER BY number DESC LIMIT ?",
      below(before), at_most(limit));
  auto done = read.each([&]() -> Result<void> {
    auto info = read_info(*database_, read);
    if (!info) return std::unexpected(info.error());
    found.push_back(std::move(*info));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

}  // namespace sekisho::store

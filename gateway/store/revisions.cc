#include "gateway/store/revisions.h"

#include <array>
#include <sstream>
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

  if (!revision.space) {
    if (base) return {};
    return fail(ErrorCode::invalid, "atoms", "the first revision has none to keep");
  }
  const auto next = read_mark(database, kNextAtom);
  if (!next) return std::unexpected(next.error());
  if (revision.space->next < *next) {
    return fail(ErrorCode::conflict, "atoms",
                "numbers from " + std::to_string(revision.space->next) + " to " +
                    std::to_string(*next - 1) + " were given before",
                "cut the destinations beginning from Store::atom_space()");
  }
  return {};
}

// A revision is kept as its edit. It is kept whole as well where that costs little beside the edits
// since the last one that is, and so that reading one never reads more edits than these.
constexpr std::int64_t kMostEdits = 1000;

// What a revision is made from.
struct Base {
  std::string digest;
  std::int64_t space = 0;
  std::int64_t edits = kMostEdits;  // since the last that is whole
  std::int64_t room = 0;            // bytes of edits until the next that is
};

Result<Base> load_base(Database& database, RevisionNumber number) {
  if (!number) return Base{};
  Statement find(database, "SELECT digest, space, edits, room FROM revisions WHERE number = ?",
                 to_column(number));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::unexpected(database.damaged(object_of(number) + " is missing"));
  return Base{.digest = find.text(0),
              .space = find.integer(1),
              .edits = find.integer(2),
              .room = find.integer(3)};
}

std::string digest_of(std::string_view base, std::string_view edit, std::string_view document) {
  const auto length = [](std::string_view part) {
    return '\n' + std::to_string(part.size()) + '\n';
  };
  return to_hex(sha256({base, length(edit), edit, length(document), document}));
}

Result<void> insert_pending(Database& database, const NewRevision& revision) {
  auto base = load_base(database, revision.base);
  if (!base) return std::unexpected(base.error());
  if (revision.space) {
    const auto space = store_atoms(database, revision.space->atoms);
    if (!space) return std::unexpected(space.error());
    base->space = *space;
  }
  base->room -= static_cast<std::int64_t>(revision.edit.size());
  base->edits += 1;
  std::optional<std::string> document;
  if (base->room < 0 || base->edits > kMostEdits) {
    document = revision.document();
    base->room = static_cast<std::int64_t>(document->size());
    base->edits = 0;
  }
  return Statement(database,
                   "INSERT INTO revisions(state, author, reason, time, base, digest, space, edit,"
                   " document, edits, room) VALUES ('pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   revision.author, revision.reason, to_seconds(revision.time),
                   to_column(revision.base),
                   digest_of(base->digest, revision.edit,
                             document ? std::string_view(*document) : std::string_view()),
                   base->space, revision.edit, document, base->edits, base->room)
      .run();
}

// From the last revision that is kept whole to this one.
Result<std::vector<RevisionNumber>> way_to(Database& database, RevisionNumber number) {
  std::vector<RevisionNumber> way;
  Statement read(database,
                 "WITH RECURSIVE back(number, base, edits) AS ("
                 " SELECT number, base, edits FROM revisions WHERE number = ?"
                 " UNION ALL SELECT r.number, r.base, r.edits"
                 " FROM back JOIN revisions r ON r.number = back.base WHERE back.edits > 0) "
                 "SELECT number FROM back ORDER BY number",
                 to_column(number));
  auto done = read.each([&]() -> Result<void> {
    way.push_back(to_revision(read.integer(0)));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return way;
}

// The last document that is whole and the edits from there, each held against its digest. One row
// at a time: SQLite would hold all of their texts, several times, to sort or join them.
Result<void> load_text(Database& database, RevisionNumber number, Revision& revision) {
  const auto way = way_to(database, number);
  if (!way) return std::unexpected(way.error());
  for (const RevisionNumber each : *way) {
    Statement read(database,
                   "SELECT r.edit, r.document, r.digest, b.digest, r.edits FROM revisions r"
                   " LEFT JOIN revisions b ON b.number = r.base WHERE r.number = ?",
                   to_column(each));
    const auto row = read.step();
    if (!row) return std::unexpected(row.error());
    std::string edit = read.text(0);
    std::string document = read.text(1);
    const bool whole = read.integer(4) == 0;
    if (!*row || read.text(2) != digest_of(read.text(3), edit, document) ||
        whole != (each == way->front())) {
      return std::unexpected(
          database.damaged("the text of " + object_of(each) + " does not match its digest"));
    }
    if (whole) {
      revision.document = std::move(document);
    } else {
      revision.edits.push_back(std::move(edit));
    }
  }
  return {};
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

Result<void> set_provisional(Database& database, const std::optional<Provisional>& provisional) {
  auto done = database.execute("DELETE FROM provisional");
  if (!done || !provisional) return done;
  std::string cuts;
  for (const std::string& cut : provisional->cuts) cuts += cut + '\n';
  return Statement(database, "INSERT INTO provisional VALUES (1, ?, ?, ?, ?, ?)",
                   to_column(provisional->back_to), to_seconds(provisional->until),
                   static_cast<std::int64_t>(provisional->length.count()), provisional->author,
                   cuts)
      .run();
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
    if (revision.space) {
      auto raised = raise_mark(*database_, kNextAtom, revision.space->next);
      if (!raised) return raised;
    }
    return raise_mark(*database_, kNewestTime, to_seconds(revision.time));
  });
  if (!done) return std::unexpected(done.error());
  return number;
}

Result<void> Store::activate(RevisionNumber number, const DeviceChange& devices,
                             const Operation& entry,
                             const std::optional<Provisional>& provisional) {
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
    if (auto set = set_provisional(*database_, provisional); !set) return set;
    return drop_value(append(*database_, entry));
  });
}

Result<void> Store::confirm(const Operation& entry) {
  return database_->transaction([&]() -> Result<void> {
    if (auto set = set_provisional(*database_, {}); !set) return set;
    return drop_value(append(*database_, entry));
  });
}

Result<std::optional<Provisional>> Store::provisional() {
  Statement find(*database_, "SELECT back_to, until, length, author, cuts FROM provisional");
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  Provisional provisional{.back_to = to_revision(find.integer(0)),
                          .until = to_time(find.integer(1)),
                          .length = std::chrono::seconds(find.integer(2)),
                          .author = find.text(3),
                          .cuts = {}};
  std::istringstream cuts(find.text(4));
  for (std::string cut; std::getline(cuts, cut);) provisional.cuts.push_back(cut);
  return provisional;
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
  Statement find(*database_, std::string(kInfo) + " FROM revisions WHERE number = ?",
                 to_column(number));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (!*row)
    return fail(ErrorCode::not_found, object_of(number), "does not exist",
                "list what there is: policy history");
  auto info = read_info(*database_, find);
  if (!info) return std::unexpected(info.error());
  Revision revision{.info = std::move(*info), .document = {}, .edits = {}, .space = {}};
  if (auto loaded = load_text(*database_, number, revision); !loaded) {
    return std::unexpected(loaded.error());
  }
  auto space = load_space(*database_, number);
  if (!space) return std::unexpected(space.error());
  revision.space = std::move(*space);
  return revision;
}

Result<Revision> Store::revision_at(Time at) {
  Statement find(*database_,
                 "SELECT number FROM revisions WHERE state IN ('active', 'superseded')"
                 " AND time <= ? ORDER BY number DESC LIMIT 1",
                 to_seconds(at));
  const auto row = find.step();
  if (!row) return std::unexpected(row.error());
  if (*row) return revision(to_revision(find.integer(0)));
  return fail(ErrorCode::not_found, "policy", "there was none in force at " + to_string(at),
              "list what there is: policy history");
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

#include "gateway/store/operations.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "gateway/store/marks.h"
#include "gateway/store/sha256.h"
#include "gateway/store/store.h"

namespace sekisho::store {
namespace {

constexpr std::string_view kSelect =
    "SELECT sequence, time, user, uid, via, name, object, before, after, reason, result, hash "
    "FROM operations ";

std::string_view to_text(Via via) {
  switch (via) {
    case Via::socket:
      return "socket";
    case Via::daemon:
      return "daemon";
  }
  std::unreachable();
}

void add_number(std::string& bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
}

// With its length before it, so that no two records have one encoding.
void add_text(std::string& bytes, std::string_view text) {
  add_number(bytes, text.size());
  bytes += text;
}

Digest chain(const Digest& before, Sequence sequence, const Operation& operation) {
  std::string bytes(before.begin(), before.end());
  add_number(bytes, sequence.value());
  add_number(bytes, static_cast<std::uint64_t>(to_seconds(operation.time)));
  add_text(bytes, operation.actor.user);
  add_number(bytes, operation.actor.uid);
  add_text(bytes, to_text(operation.via));
  for (const std::string* text : {&operation.name, &operation.object, &operation.before,
                                  &operation.after, &operation.reason, &operation.result}) {
    add_text(bytes, *text);
  }
  return sha256(bytes);
}

// What the encoding could not tell from what was written is an error here, so that the chain sees
// it.
Result<RecordedOperation> read_operation(const Database& database, const Statement& row) {
  RecordedOperation read{.sequence = Sequence(static_cast<std::uint64_t>(row.integer(0))),
                         .operation = {.time = to_time(row.integer(1)),
                                       .actor = {.user = row.text(2),
                                                 .uid = static_cast<std::uint32_t>(row.integer(3))},
                                       .via = row.text(4) == "socket" ? Via::socket : Via::daemon,
                                       .name = row.text(5),
                                       .object = row.text(6),
                                       .before = row.text(7),
                                       .after = row.text(8),
                                       .reason = row.text(9),
                                       .result = row.text(10)}};
  const auto hash = row.blob(11);
  if (row.text(4) != to_text(read.operation.via) || row.integer(3) != read.operation.actor.uid ||
      hash.size() != read.hash.size()) {
    return std::unexpected(database.damaged("operation " + row.text(0) + " is not one"));
  }
  std::ranges::copy(hash, read.hash.begin());
  return read;
}

}  // namespace

Result<Sequence> append(Database& database, const Operation& entry) {
  Digest before{};
  std::uint64_t last = 0;
  Statement newest(database,
                   "SELECT sequence, hash FROM operations ORDER BY sequence DESC LIMIT 1");
  const auto row = newest.step();
  if (!row) return std::unexpected(row.error());
  if (*row) {
    last = static_cast<std::uint64_t>(newest.integer(0));
    const auto hash = newest.blob(1);
    if (hash.size() != before.size()) return std::unexpected(database.damaged("a hash is short"));
    std::ranges::copy(hash, before.begin());
  }

  const Sequence sequence(last + 1);
  const Digest hash = chain(before, sequence, entry);
  Statement insert(database, "INSERT INTO operations VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                   static_cast<std::int64_t>(sequence.value()), to_seconds(entry.time),
                   entry.actor.user, std::int64_t{entry.actor.uid}, to_text(entry.via), entry.name,
                   entry.object, entry.before, entry.after, entry.reason, entry.result,
                   std::span<const std::uint8_t>(hash));
  if (auto done = insert.run(); !done) return std::unexpected(done.error());
  if (auto done = raise_mark(database, kNewestTime, to_seconds(entry.time)); !done) {
    return std::unexpected(done.error());
  }
  return sequence;
}

Result<Sequence> Store::record(const Operation& entry) {
  Sequence sequence;
  auto done = database_->transaction([&]() -> Result<void> {
    const auto appended = append(*database_, entry);
    if (!appended) return std::unexpected(appended.error());
    sequence = *appended;
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return sequence;
}

Result<std::vector<RecordedOperation>> Store::operations(std::size_t limit, Sequence before) {
  std::vector<RecordedOperation> found;
  Statement read(*database_,
                 std::string(kSelect) + "WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
                 below(before), at_most(limit));
  auto done = read.each([&]() -> Result<void> {
    auto operation = read_operation(*database_, read);
    if (!operation) return std::unexpected(operation.error());
    found.push_back(std::move(*operation));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<std::optional<Sequence>> Store::verify_operations() {
  std::optional<Sequence> broken;
  Sequence expected(1);
  Digest before{};
  Statement read(*database_, std::string(kSelect) + "ORDER BY sequence");
  auto done = read.each([&]() -> Result<void> {
    if (broken) return {};
    const auto found = read_operation(*database_, read);
    if (!found || found->sequence != expected ||
        found->hash != chain(before, expected, found->operation)) {
      broken = expected;
      return {};
    }
    expected = Sequence(expected.value() + 1);
    before = found->hash;
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return broken;
}

}  // namespace sekisho::store

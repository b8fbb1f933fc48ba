#include "gateway/kernel/nftables/nftables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "gateway/kernel/nftables/comparison.h"
#include "gateway/kernel/nftables/repair.h"
#include "gateway/kernel/nftables/table_state.h"

namespace sekisho::kernel {

namespace {

constexpr int kRounds = 8;
// Up to here elements are read back one by one (some 10 us each), beyond by whole sets.
constexpr std::size_t kFewElements = 512;

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - start);
}

const Element* find(const std::vector<Element>& elements, const Element& place) {
  const auto key = [](const Element& e) { return std::tie(e.first, e.last); };
  const auto found = std::ranges::lower_bound(elements, key(place), {}, key);
  return found != elements.end() && found->same_place(place) ? &*found : nullptr;
}

// Asks for the elements that are said to be missing, and puts those that are there after all into
// `state`; whether there were any. Where one is missing indeed, its set is written to anyway.
Result<bool> find_passed_over(Socket& socket, const std::string& table, const Comparison& found,
                              TableState& state) {
  bool any = false;
  for (const auto& [set, elements] : found.to_add) {
    const auto read = state.contents.find(set);
    if (read == state.contents.end() || found.sets_to_make.contains(set)) continue;
    std::vector<Element> there;
    for (const Element& element : elements) {
      if (find(read->second, element) != nullptr) continue;
      auto one = read_one(socket, table, set, element);
      if (!one) return std::unexpected(one.error());
      if (!*one) break;
      there.push_back(**std::move(one));
    }
    any = any || !there.empty();
    read->second.insert(read->second.end(), there.begin(), there.end());
    std::ranges::sort(read->second, {}, [](const Element& e) { return std::tie(e.first, e.last); });
  }
  return any;
}

// Compares the kernel's table, as it is read now, with what was wanted at `now`, `start` ago.
Result<Comparison> look(Socket& socket, const Ruleset& ruleset, const Tables& tables, Instant now,
                        Clock::time_point start, TableState& state) {
  const auto begun = Clock::now();
  auto there = read_table(socket, ruleset.table, policy_sets(ruleset));
  if (!there) return std::unexpected(there.error());
  state = std::move(*there);
  const auto compared = [&] {
    return compare(state, ruleset, contents_of(tables, now + since(start)),
                   kEndTolerance + since(begun));
  };
  Comparison found = compared();
  const auto passed_over = find_passed_over(socket, ruleset.table, found, state);
  if (!passed_over) return std::unexpected(passed_over.error());
  if (*passed_over) found = compared();
  return found;
}

std::size_t size_of(const Contents& contents) {
  std::size_t size = 0;
  for (const auto& [set, elements] : contents) size += elements.size();
  return size;
}

std::unexpected<Error> not_as_sent(const std::string& what) {
  return fail(ErrorCode::failed, "nftables table " + std::string(kTableName),
              "read back after the change: " + what,
              "another program changes the table; install it again");
}

// `there` is what the kernel has at the place of `element`, which was sent at most `ago`.
Result<void> check_one(const std::string& set, const Element& element, bool wanted,
                       const Element* there, std::chrono::milliseconds ago) {
  const auto tolerance = kEndTolerance + ago;
  if (wanted == (there != nullptr) &&
      (!wanted || (there->mark == element.mark && there->ends_with(element, tolerance)))) {
    return {};
  }
  // It may have ended while it was looked for.
  if (wanted && there == nullptr && element.left && *element.left <= tolerance) return {};
  const char* state = !wanted ? "is still in" : there == nullptr ? "is not in" : "is another in";
  return not_as_sent(fmt::format("element {} {} {}", describe(set, element), state, set));
}

}  // namespace

Result<Nftables> Nftables::open(Ownership ownership) {
  auto socket = Socket::open(NETLINK_NETFILTER);
  if (!socket) return std::unexpected(socket.error());
  auto watcher = Watcher::open(socket->port());
  if (!watcher) return std::unexpected(watcher.error());
  return Nftables(ownership, std::move(*socket), std::move(*watcher));
}

Result<Installed> Nftables::install(const Ruleset& ruleset, const Tables& tables, Instant now) {
  const auto start = Clock::now();
  const bool want_owned = ownership_ == Ownership::owned;
  Installed installed;
  // The last round finds nothing to do. A large load takes a second round where its ends came late.
  for (int round = 1;; ++round) {
    const auto generation = read_generation(socket_);
    if (!generation) return std::unexpected(generation.error());
    TableState state;
    const auto found = look(socket_, ruleset, tables, now, start, state);
    if (!found) return std::unexpected(found.error());
    if (round == 1) installed.changes = found->lines;
    const std::uint32_t flags = flags_to_set(state, want_owned && !no_owners_);
    installed.owned = (flags & kTableOwner) != 0;
    // What was read must still be so when it is written.
    Transaction transaction(ruleset.table, *generation);
    write_repair(transaction, ruleset, state, *found, flags);
    if (transaction.empty()) return installed;
    if (round == kRounds) return not_as_sent(found->lines.front());
    if (auto done = transaction.commit(socket_); !done) {
      const int reason = done.error().error_number;
      // A kernel before 6.9 knows no tables that persist.
      no_owners_ = no_owners_ || (installed.owned && !state.present && reason == EOPNOTSUPP);
      const bool again = reason == ERESTART || (no_owners_ && reason == EOPNOTSUPP);
      if (!again || round + 1 == kRounds) return std::unexpected(done.error().error);
    }
    if (auto settled = watcher_.settle(); !settled) return std::unexpected(settled.error());
  }
}

Result<std::size_t> Nftables::apply(const TablesDiff& diff, Instant now) {
  if (diff.empty()) return 0;
  const auto start = Clock::now();
  const ContentsChange change = change_of(diff, now);
  Transaction transaction(kTableName, std::nullopt);
  if (diff.empties_cohorts) {
    for (const Family family : {Family::v4, Family::v6}) {
      transaction.remove_all_elements(cohort_map(family));
    }
  }
  for (const auto& [set, elements] : change.gone) {
    // Atoms never end by themselves, so one that is not there is a mistake worth hearing of.
    if (set == atom_map(Family::v4) || set == atom_map(Family::v6)) {
      transaction.remove_present_elements(set, elements);
    } else {
      transaction.remove_elements(set, elements);
    }
  }
  for (const auto& [set, elements] : change.come) transaction.put_elements(set, elements);
  if (transaction.empty()) return 0;
  if (const auto done = transaction.commit(socket_); !done) {
    return std::unexpected(done.error().error);
  }
  if (diff.empties_cohorts) {
    for (const Family family : {Family::v4, Family::v6}) {
      if (auto empty = read_back_only(cohort_map(family), change); !empty)
        return std::unexpected(std::move(empty.error()));
    }
  }
  return read_back(change, start);
}

Result<std::size_t> Nftables::confirm(const TablesDiff& diff, Instant now) {
  return read_back(change_of(diff, now), Clock::now());
}

// That the set holds as many as were put in, so none of those before.
Result<void> Nftables::read_back_only(const std::string& set, const ContentsChange& change) {
  const auto there = read_elements(socket_, kTableName, set, false);
  if (!there) return std::unexpected(there.error());
  if (there->size() <= change.come.at(set).size()) return {};
  return not_as_sent(fmt::format("{} still holds {} elements", set, there->size()));
}

Result<std::size_t> Nftables::read_back(const ContentsChange& change, Clock::time_point start) {
  std::size_t count = 0;
  const bool few = size_of(change.gone) + size_of(change.come) <= kFewElements;
  for (const auto& entry : change.gone) {
    const std::string& set = entry.first;
    const std::vector<Element>& gone = entry.second;
    const std::vector<Element>& come = change.come.at(set);
    if (gone.empty() && come.empty()) continue;
    std::vector<Element> all;
    if (!few) {
      const bool interval = (come.empty() ? gone : come).front().last.size != 0;
      auto elements = read_elements(socket_, kTableName, set, interval);
      if (!elements) return std::unexpected(elements.error());
      all = std::move(*elements);
    }
    const auto check = [&](const Element& element, bool wanted) -> Result<void> {
      if (!few && check_one(set, element, wanted, find(all, element), since(start))) return {};
      const auto there = read_one(socket_, kTableName, set, element);
      if (!there) return std::unexpected(there.error());
      return check_one(set, element, wanted, *there ? &**there : nullptr, since(start));
    };
    for (const Element& element : come) {
      if (auto right = check(element, true); !right) return std::unexpected(right.error());
      ++count;
    }
    for (const Element& element : gone) {
      if (find(come, element) != nullptr) continue;
      if (auto right = check(element, false); !right) return std::unexpected(right.error());
      ++count;
    }
  }
  return count;
}

Result<std::vector<std::string>> Nftables::observe(const Ruleset& ruleset, const Tables& tables,
                                                   Instant now) {
  TableState state;
  auto found = look(socket_, ruleset, tables, now, Clock::now(), state);
  if (!found) return std::unexpected(found.error());
  return std::move(found->lines);
}

Result<std::vector<ForeignRisk>> Nftables::foreign_risks(const TunnelTraffic& tunnel) {
  return read_foreign_risks(socket_, tunnel);
}

Result<std::uint32_t> Nftables::generation() {
  return read_generation(socket_);
}

}  // namespace sekisho::kernel

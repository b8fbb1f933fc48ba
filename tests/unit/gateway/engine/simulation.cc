#include "simulation.h"

#include <algorithm>

#include "policy/model/document.h"
#include "tests/support/zoneinfo.h"

namespace sekisho::engine {

Simulation::Simulation(const World& base, std::uint64_t seed) : world(base), random_(seed) {
  rules_ = {rules_in(world)};
  clocks_ = {world.ahead};
  watched_.assign(world.live.size(), {{}, false});
  choose_flows(rules_.front().policy, rules_.front().policy);
  watch();
  settle();
}

void Simulation::watch() {
  world.after_each = [this] { look(); };
  world.fate = [this] {
    const Fate its = fate(*this);
    ++steps;
    failed_ |= its != Fate::done;
    shaken_ |= its != Fate::done;
    if (its != Fate::done) {
      static constexpr const char* kFates[] = {"", "fails", "is not heard of",
                                               "never comes: the process ends", "is the last"};
      story_ += "\n  step " + std::to_string(steps) + " of " +
                (world.trace.empty() ? "nothing" : world.trace.back()) + " " +
                kFates[static_cast<std::size_t>(its)];
    }
    seen.failures += its == Fate::fails || its == Fate::answer_is_lost;
    seen.ends += its == Fate::ends_before || its == Fate::ends_after;
    return its;
  };
}

Simulation::Rules Simulation::rules_in(const Disk& disk) const {
  const auto found = disk.revisions.find(disk.active);
  const std::string document =
      found == disk.revisions.end() ? std::string() : found->second.document;
  return {.policy =
              read_valid_policy(document, Syntax::toml, "revision", world.engine.network(), zones())
                  .value(),
          .held = quarantined_by(disk.quarantines)};
}

void Simulation::command(const std::function<void()>& act) {
  steps = 0;
  failed_ = false;
  try {
    act();
  } catch (const Ended&) {
    restart();
    return;
  }
  settle();
}

bool Simulation::change(const Request& request) {
  hear_of_the_clock();
  // What the same comes to where nothing fails.
  World sound = world;
  sound.fate = [] { return Fate::done; };
  sound.after_each = [] {};
  const bool is_sound = sound.ask(request.operation, request.parameters).has_value();
  const Rules before = rules_.back();
  // The disk may refuse what the kernel already has.
  if (sound.revisions.size() > world.revisions.size())
    sound.active = sound.revisions.rbegin()->first;
  const Rules after = rules_in(sound);
  story_ += "\n" + request.operation + ": " +
            write_edit(difference(before.policy.policy(), after.policy.policy()));
  // Who is held although the disk has not taken it yet, is held under the policy to come as well.
  if (before.held != after.held) rules_.push_back({.policy = after.policy, .held = before.held});
  rules_.push_back(after);
  choose_flows(before.policy, after.policy);

  // For a moment everyone loses everything, and then gets back what isolation leaves.
  if (after.held.everyone != before.held.everyone) {
    for (Watched& each : watched_) each.keeps_right = false;
  }

  ++seen.changes;
  bool acknowledged = false;
  const RevisionNumber active = world.active;
  command([&] {
    acknowledged = world.ask(request.operation, request.parameters).has_value();
    const Rules stored = rules_in(world);
    const bool in_force =
        stored.policy.policy() == after.policy.policy() && stored.held == after.held;
    if (acknowledged && !in_force) note("what was acknowledged is not stored", {});
    if (!failed_ && acknowledged != is_sound) note("refused though nothing failed", {});
    if (!acknowledged && world.active != active && !world.engine.degraded())
      note("in force, and yet refused", {});
  });
  seen.acknowledged += acknowledged;
  seen.taken_back += !acknowledged && is_sound;
  return acknowledged;
}

void Simulation::let_pass(Time::duration by) {
  world.now += by;
  forget_where_due();
}

// What begins late, for its flows there may have been a time between.
void Simulation::forget_where_due() {
  if (const auto due = world.engine.next_deadline(); !due || world.now < *due) return;
  for (Watched& each : watched_) each.keeps_right = false;
}

void Simulation::set_clock(Time::duration by) {
  story_ += "\nclock set by " + std::to_string(by.count());
  world.set_clock(by);
  clocks_.push_back(world.ahead);
  clock_set_ = true;
  forget_where_due();
}

void Simulation::disturb(bool permissive) {
  story_ += permissive ? "\nsomebody adds" : "\nsomebody removes";
  disturbed_ = shaken_ = true;
  permissive_ |= permissive;
  Tables& tables = world.tables;
  if (permissive && !tables.grants.empty()) {
    for (const auto& [address, entry] : Tables(tables).cohorts)
      tables.cohorts[address] = {random_.pick_from(tables.grants)->first.cohort};
    return;
  }
  const auto lose_some = [&](auto& all) {
    std::erase_if(all, [&](const auto&) { return random_.percent(30); });
  };
  lose_some(tables.cohorts);
  lose_some(tables.grants);
  lose_some(tables.atoms);
  lose_some(world.peers);
}

// The daemon does before it takes a request.
void Simulation::hear_of_the_clock() {
  if (!std::exchange(clock_set_, false)) return;
  if (clock_is_told) command([&] { world.tell(ClockStepped{}); });
}

void Simulation::wake() {
  hear_of_the_clock();
  if (disturbed_) {
    command([&] {
      disturbed_ = false;
      world.tell(Drifted{{"something is missing"}, "nft (pid 7)"});
    });
  }
  if (const auto due = world.engine.next_deadline(); due && *due <= world.now)
    command([&] { world.tell(Woke{}); });
}

void Simulation::restart() {
  story_ += "\nrestart";
  ++seen.restarts;
  if (world.in_doubt) rules_.push_back(rules_in(*world.in_doubt));
  clock_set_ = false;
  disturbed_ = false;
  command([&] { world.restart(); });
}

void Simulation::calm_down() {
  fate = [](Simulation&) { return Fate::done; };
  for (int tries = 0; tries < 20; ++tries) {
    wake();
    if (!world.engine.degraded() && !clock_set_ && !disturbed_) return look_exactly();
    if (const auto due = world.engine.next_deadline(); due && world.now < *due)
      let_pass(*due - world.now);
  }
  note("it does not recover", {});
}

// The engine says that the kernel is right: then that is what it is held to.
void Simulation::settle() {
  seen.degraded += world.engine.degraded();
  if (world.engine.degraded() || disturbed_) return;
  rules_ = {rules_in(world)};
  if (!clock_set_) clocks_ = {world.ahead};
  permissive_ = shaken_ = false;
  look_exactly();
  open_flows();
}

}  // namespace sekisho::engine

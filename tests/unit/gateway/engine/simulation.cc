#include "simulation.h"

#include <algorithm>

#include "policy/model/document.h"
#include "tests/model/interpreter.h"
#include "tests/model/random_flow.h"
#include "tests/support/zoneinfo.h"

namespace sekisho::engine {

using model::LiveFlow;

namespace {

constexpr std::size_t kFlows = 24, kLive = 12, kEntries = 40;

bool holds(const ValidPolicy& policy, const PublicKey& key, const IpAddress& source) {
  return std::ranges::any_of(policy.policy().devices, [&](const auto& device) {
    return device.second.public_key == key &&
           std::ranges::count(device.second.addresses, source) > 0;
  });
}

// What has not ended.
Tables standing(Tables tables, Time now) {
  std::erase_if(tables.cohorts, [&](const auto& entry) {
    return entry.second.until && *entry.second.until <= now;
  });
  std::erase_if(tables.grants,
                [&](const auto& entry) { return entry.second && *entry.second <= now; });
  return tables;
}

}  // namespace

Simulation::Simulation(const World& base, std::uint64_t seed) : world(base), random_(seed) {
  policies_ = {policy_in(world)};
  clocks_ = {world.ahead};
  watched_.assign(world.live.size(), {{}, false});
  choose_flows(policies_.front(), policies_.front());
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

ValidPolicy Simulation::policy_in(const Disk& disk) const {
  const auto found = disk.revisions.find(disk.active);
  const std::string document =
      found == disk.revisions.end() ? std::string() : found->second.document;
  return read_valid_policy(document, Syntax::toml, "revision", world.engine.network(), zones())
      .value();
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
  const ValidPolicy before = policies_.back();
  // The disk may refuse what the kernel already has.
  if (sound.revisions.size() > world.revisions.size())
    sound.active = sound.revisions.rbegin()->first;
  const ValidPolicy after = policy_in(sound);
  story_ +=
      "\n" + request.operation + ": " + write_edit(difference(before.policy(), after.policy()));
  policies_.push_back(after);
  choose_flows(before, after);

  ++seen.changes;
  bool acknowledged = false;
  const RevisionNumber active = world.active;
  command([&] {
    acknowledged = world.ask(request.operation, request.parameters).has_value();
    const bool in_force = policy_in(world).policy() == after.policy();
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
  if (world.in_doubt) policies_.push_back(policy_in(*world.in_doubt));
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
  policies_ = {policy_in(world)};
  if (!clock_set_) clocks_ = {world.ahead};
  permissive_ = shaken_ = false;
  look_exactly();
  open_flows();
}

const PublicKey* Simulation::sender(const IpAddress& source) const {
  for (const Peer& peer : world.peers) {
    if (std::ranges::count(peer.addresses, source) > 0) return &peer.public_key;
  }
  return nullptr;
}

bool Simulation::allowed(const PublicKey& key, const Flow& flow, const LiveFlow* live) const {
  for (const ValidPolicy& policy : policies_) {
    if (!holds(policy, key, flow.source)) continue;
    for (const Time::duration ahead : clocks_) {
      const Time at = world.kernel_now() + ahead;
      if (live != nullptr ? may_go_on(policy, *live, at)
                          : evaluate(policy, flow, at).verdict == Verdict::permit)
        return true;
    }
  }
  return false;
}

// No moment permits more than the policies at work.
void Simulation::look() {
  ++seen.looks;
  if (permissive_ || !wrong.empty()) return;
  for (const Flow& flow : flows_) {
    const PublicKey* key = sender(flow.source);
    const bool passes =
        key != nullptr &&
        model::interpret(world.tables, flow, world.kernel_now()).verdict == Verdict::permit;
    (passes ? seen.passed : seen.refused) += 1;
    if (passes && !allowed(*key, flow, nullptr)) note("passes, and no policy lets it", flow);
  }
  const bool steady = !shaken_ && clocks_.size() == 1;
  for (std::size_t i = 0; i < world.live.size(); ++i) {
    const LiveFlow& live = world.live[i];
    const PublicKey* key = sender(live.flow.source);
    const bool passes = model::interpret_living(world.tables, live.flow.source, live.ct_mark,
                                                world.kernel_now()) == Verdict::permit;
    if (key != nullptr && passes && !allowed(*key, live.flow, &live)) {
      std::string d;
      for (auto& p : policies_)
        for (auto a : clocks_)
          d += " " + to_string(world.kernel_now() + a) +
               explain(p, live.flow, evaluate(p, live.flow, world.kernel_now() + a)) +
               (holds(p, *key, live.flow.source) ? "" : " NOKEY");
      note("lives on, and no policy lets it: mark " + std::to_string(live.ct_mark) + " proven " +
               std::to_string(static_cast<int>(live.proven)) + d,
           live.flow);
    }
    // With the check that it has passed: what went without one for a while has to prove it anew.
    const bool always = std::ranges::all_of(policies_, [&](const ValidPolicy& policy) {
      return holds(policy, watched_[i].key, live.flow.source) &&
             std::ranges::all_of(clocks_, [&](Time::duration ahead) {
               const Decision decision = evaluate(policy, live.flow, world.kernel_now() + ahead);
               return decision.verdict == Verdict::permit && decision.check == live.proven;
             });
    });
    watched_[i].keeps_right &= always;
    if (watched_[i].keeps_right && !passes && steady)
      note("is interrupted, and every policy lets it", live.flow);
  }
}

// What the policy in force says, no less either, unless something is about to begin.
void Simulation::look_exactly() {
  look();
  if (!wrong.empty() || clock_set_) return;
  const auto due = world.engine.next_deadline();
  if (due && *due <= world.now) return;
  for (const Flow& flow : flows_) {
    const PublicKey* key = sender(flow.source);
    const bool passes =
        key != nullptr &&
        model::interpret(world.tables, flow, world.kernel_now()).verdict == Verdict::permit;
    const bool granted = evaluate(policies_.back(), flow, world.now).verdict == Verdict::permit;
    if (passes != granted) note("the kernel is not what the policy says", flow);
  }
  for (std::size_t i = 0; i < world.live.size(); ++i) {
    const LiveFlow& live = world.live[i];
    const bool passes = model::interpret_living(world.tables, live.flow.source, live.ct_mark,
                                                world.kernel_now()) == Verdict::permit;
    if (watched_[i].keeps_right && !passes) note("never comes back", live.flow);
  }
  if (standing(world.tables, world.kernel_now()) != standing(wanted(), world.kernel_now()))
    note("other tables than the engine believes", {});
  if (world.peers != peers_of(policies_.back().policy(), world.now)) note("other peers", {});
}

// On the kernel's clock.
Tables Simulation::wanted() const {
  Kernel other;
  other.ahead = world.ahead;
  other.install(world.engine.desired(), [](const auto& act) { act(); });
  return other.tables;
}

void Simulation::choose_flows(const ValidPolicy& one, const ValidPolicy& other) {
  flows_.clear();
  for (std::size_t i = 0; i < kFlows; ++i) {
    Flow flow = model::random_flow(random_, i % 2 == 0 ? one : other);
    flow.opening = Opening::nothing;
    flows_.push_back(flow);
  }
}

void Simulation::open_flows() {
  std::size_t living =
      static_cast<std::size_t>(std::ranges::count(watched_, true, &Watched::keeps_right));
  for (int tries = 0; tries < 60 && living < kLive; ++tries) {
    Flow flow = model::random_flow(random_, policies_.back());
    flow.opening = Opening::nothing;
    const model::Answer answer = model::interpret(world.tables, flow, world.kernel_now());
    if (answer.verdict != Verdict::permit || flow.source.family() != flow.destination.family() ||
        sender(flow.source) == nullptr)
      continue;
    world.live.push_back({flow, answer.atom.verified(), answer.atom.check()});
    watched_.push_back({*sender(flow.source), true});
    ++living;
  }
  while (world.live.size() > kEntries) {
    world.live.erase(world.live.begin());
    watched_.erase(watched_.begin());
  }
}

void Simulation::note(const std::string& what, const Flow& flow) {
  if (!wrong.empty()) return;
  wrong = story_ + "\neffects:";
  for (const std::string& effect : world.trace) wrong += " " + effect;
  wrong += "\n" + model::to_string(flow) + ": " + what + ", step " + std::to_string(steps);
  for (const ValidPolicy& policy : policies_) {
    for (const Time::duration ahead : clocks_) {
      const Time at = world.kernel_now() + ahead;
      wrong += "\n  at " + to_string(at) + ": " + explain(policy, flow, evaluate(policy, flow, at));
    }
  }
}

}  // namespace sekisho::engine

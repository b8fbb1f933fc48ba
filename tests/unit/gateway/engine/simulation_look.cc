#include <algorithm>

#include "simulation.h"
#include "tests/model/interpreter.h"
#include "tests/model/random_flow.h"

// What a simulation looks at, and what it holds it against.
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

const PublicKey* Simulation::sender(const IpAddress& source) const {
  for (const Peer& peer : world.peers) {
    if (std::ranges::count(peer.addresses, source) > 0) return &peer.public_key;
  }
  return nullptr;
}

bool Simulation::allowed(const PublicKey& key, const Flow& flow, const LiveFlow* live) const {
  for (const auto& [policy, held] : rules_) {
    if (!holds(policy, key, flow.source)) continue;
    for (const Time::duration ahead : clocks_) {
      const Time at = world.kernel_now() + ahead;
      if (live != nullptr ? may_go_on(policy, *live, at, held)
                          : evaluate(policy, flow, at, held).verdict == Verdict::permit)
        return true;
    }
  }
  return false;
}

// No moment permits more than the policies at work.
void Simulation::look() {
  ++seen.looks;
  if (!wrong.empty()) return;
  for (const Flow& flow : flows_) {
    if (permissive_) break;  // somebody let in whom no policy lets in
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
    if (key != nullptr && passes && !permissive_ && !allowed(*key, live.flow, &live)) {
      note("lives on, and no policy lets it: mark " + std::to_string(live.ct_mark) + ", proven " +
               std::to_string(static_cast<int>(live.proven)),
           live.flow);
    }
    // With the check that it has passed: what went without one for a while has to prove it anew.
    const bool always = std::ranges::all_of(rules_, [&](const Rules& rules) {
      return holds(rules.policy, watched_[i].key, live.flow.source) &&
             std::ranges::all_of(clocks_, [&](Time::duration ahead) {
               const Decision decision =
                   evaluate(rules.policy, live.flow, world.kernel_now() + ahead, rules.held);
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
  const Rules& rules = rules_.back();
  for (const Flow& flow : flows_) {
    const PublicKey* key = sender(flow.source);
    const bool passes =
        key != nullptr &&
        model::interpret(world.tables, flow, world.kernel_now()).verdict == Verdict::permit;
    const bool granted =
        evaluate(rules.policy, flow, world.now, rules.held).verdict == Verdict::permit;
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
  if (world.peers != peers_of(rules.policy.policy(), rules.held, world.now))
    note("other peers", {});
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
    Flow flow = model::random_flow(random_, rules_.back().policy);
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
  for (const auto& [policy, held] : rules_) {
    for (const Time::duration ahead : clocks_) {
      const Time at = world.kernel_now() + ahead;
      wrong += "\n  at " + to_string(at) + ": " +
               explain(policy, flow, evaluate(policy, flow, at, held));
    }
  }
}

}  // namespace sekisho::engine

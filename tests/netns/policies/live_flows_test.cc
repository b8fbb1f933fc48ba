#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>

#include "gateway/kernel/conntrack/conntrack.h"
#include "gateway/kernel/nftables/nftables.h"
#include "gateway/kernel/route/sysctl.h"
#include "policy/compile/compile.h"
#include "policy/compile/transition.h"
#include "tests/model/live_flow.h"
#include "tests/model/random_edit.h"
#include "tests/model/random_flow.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"
#include "tests/netns/policies/world.h"
#include "tests/support/zoneinfo.h"

// The same as tests/model/live_flows_test.cc in the real kernel: flows of real packets live while
// random edits are loaded by the product's code. An edit that takes no right away interrupts
// nobody; one that does cuts exactly those flows.
namespace sekisho::policies {
namespace {

using Clock = std::chrono::steady_clock;
using model::kNow;
using model::Random;

enum class Weakness { none, deals_numbers_anew, remarks_nobody, skips_transition };

struct Seen {
  int edits = 0, cut_some = 0, recut_cut_none = 0;
  int opened4 = 0, opened6 = 0, cut4 = 0, cut6 = 0, went_on = 0, remarked = 0;
  int leaks = 0, interruptions = 0;
  std::string first;  // of these two
};

// Nothing begins or ends by itself: how long the test takes is to mean nothing.
void forget_time(Policy& policy) {
  for (auto& [id, person] : policy.people) person.valid_until.reset();
  for (auto& [id, grant] : policy.grants) {
    grant.from.reset();
    if (grant.until) grant.until = kNow + std::chrono::hours(24 * 365);
    grant.conditions.hours = std::nullopt;
  }
}

Opening opening_for(Check check) {
  switch (check) {
    case Check::none:
      return Opening::other;
    case Check::tls:
      return Opening::tls;
    case Check::ssh:
      return Opening::ssh;
    case Check::quic:
      return Opening::quic;
  }
  return Opening::other;
}

class Traffic {
 public:
  Traffic(World& world, Random& random, Weakness weakness)
      : world_(&world),
        random_(&random),
        weakness_(weakness),
        network_(model::random_network(random)) {
    Policy policy = model::random_policy(random, network_);
    forget_time(policy);
    policy_.emplace(model::checked(policy, network_));
    compiler_.emplace(Compiler::start(*policy_, kNow).value());
    world.space().in([&] {
      EXPECT_TRUE(kernel::ensure_conntrack_settings());
      netns::run("nft delete table inet sekisho 2>/dev/null");
      nftables_.emplace(kernel::Nftables::open(kernel::Ownership::shared).value());
      conntrack_.emplace(kernel::Conntrack::open().value());
      const auto done =
          nftables_->install(make_ruleset(network_), compiler_->compiled().tables, kNow);
      EXPECT_TRUE(done) << to_string(done.error());
    });
    tables_ = compiler_->compiled().tables;
  }

  void open(std::size_t wanted) {
    for (int tries = 0; tries < 300 && living_.size() < wanted; ++tries) {
      Flow flow = model::random_flow(*random_, *policy_);
      const bool is_wanted = flow.source.family() == flow.destination.family() &&
                             !in_pools(flow.destination) && flow.destination != flow.source;
      if (!is_wanted) continue;
      flow.opening = Opening::nothing;
      const Decision decision = evaluate(*policy_, flow, kNow);
      if (decision.verdict == Verdict::refuse) continue;
      flow.opening = opening_for(decision.check);
      auto live = world_->open(flow, decision.check);
      if (!live) continue;  // what no router forwards
      flow.opening = Opening::nothing;
      living_.push_back({{flow, 0, decision.check}, std::move(*live)});
      (flow.source.family() == Family::v4 ? seen.opened4 : seen.opened6) += 1;
    }
  }

  void edit() {
    Policy next = policy_->policy();
    const model::Edit kind = model::random_edit(*random_, next, network_);
    forget_time(next);
    what_ = "edit " + std::to_string(static_cast<int>(kind));
    std::vector<ValidPolicy> either{*policy_};
    PolicyEdit change = difference(policy_->policy(), next);
    const PolicyEdit undo = amend(*policy_, change, zones()).value();
    either.push_back(*policy_);
    const Compiled before = compiler_->compiled();
    if (weakness_ == Weakness::deals_numbers_anew) {
      compiler_.emplace(Compiler::start(*policy_, kNow).value());
    } else {
      ASSERT_TRUE(compiler_->update(*policy_, undo, kNow));
    }
    const Compiled& after = compiler_->compiled();
    const std::vector<AtomMark> gone = retired(before.space, after.space);
    std::size_t remarked = 0;
    if (!gone.empty() && weakness_ != Weakness::skips_transition) {
      load(transition(before.tables, after.tables, gone));
      look(either);
    }
    if (!gone.empty() && weakness_ == Weakness::skips_transition) {
      load(after.tables);
      look(either);
    }
    if (!gone.empty() && weakness_ != Weakness::remarks_nobody) {
      remarked = remark(after.space);
      look(either);
    }
    load(after.tables);
    look(either);
    settle(remarked);
  }

  Seen seen;

 private:
  struct Conversation {
    model::LiveFlow flow;  // without its mark, which the kernel has
    World::Live live;
  };

  bool in_pools(const IpAddress& address) const {
    return std::ranges::any_of(network_.pools,
                               [&](const Prefix& pool) { return pool.contains(address); });
  }

  void load(const Tables& tables) {
    world_->space().in([&] {
      const auto done = nftables_->apply(diff(tables_, tables), kNow);
      ASSERT_TRUE(done) << to_string(done.error());
    });
    tables_ = tables;
  }

  // As gateway/daemon/box.cc does.
  std::size_t remark(const AtomSpace& space) {
    std::size_t changed = 0;
    world_->space().in([&] {
      const auto done = conntrack_->remark(
          [&](AtomMark old, const kernel::FlowTuple& original) -> std::optional<AtomMark> {
            if (std::ranges::binary_search(space.atoms, old, {}, &Atom::mark)) return std::nullopt;
            const AtomMark found =
                find_atom(space, original.destination, static_cast<Protocol>(original.protocol),
                          original.destination_port);
            return found ? std::optional(found) : std::nullopt;
          });
      ASSERT_TRUE(done) << to_string(done.error());
      changed = *done;
    });
    return changed;
  }

  // Sends on every flow, in both directions.
  void look(const std::vector<ValidPolicy>& either) {
    for (auto* flows : {&living_, &ghosts_}) {
      for (Conversation& each : *flows) {
        const auto lets = [&](const ValidPolicy& policy) {
          return model::may_go_on(policy, each.flow, kNow);
        };
        const World::Passed passed = world_->talk(each.live);
        if ((passed.client || passed.server) && std::ranges::none_of(either, lets))
          note(seen.leaks, "leaks", each);
        if (flows == &living_ && !(passed.client && passed.server) &&
            std::ranges::all_of(either, lets))
          note(seen.interruptions, "is interrupted", each);
      }
    }
  }

  void note(int& counter, const char* what, const Conversation& flow) {
    ++counter;
    if (seen.first.empty())
      seen.first = what_ + ": " + model::to_string(flow.flow.flow) + " " + what;
  }

  // Now the new policy alone counts.
  void settle(std::size_t remarked) {
    const std::size_t lived = living_.size();
    look({*policy_});
    std::vector<Conversation> still;
    for (Conversation& each : living_) {
      const Decision decision = evaluate(*policy_, each.flow.flow, kNow);
      const bool lets = model::may_go_on(*policy_, each.flow, kNow);
      if (lets) each.flow.proven = decision.check;
      if (!lets) (each.live.client.source.family() == Family::v4 ? seen.cut4 : seen.cut6) += 1;
      (lets ? still : ghosts_).push_back(std::move(each));
    }
    living_ = std::move(still);
    if (ghosts_.size() > 20) ghosts_.erase(ghosts_.begin(), ghosts_.end() - 20);
    if (lived == 0) return;
    ++seen.edits;
    seen.went_on += static_cast<int>(living_.size());
    seen.remarked += static_cast<int>(remarked);
    seen.cut_some += living_.size() < lived;
    seen.recut_cut_none += remarked > 0 && living_.size() == lived;
  }

  World* world_;
  Random* random_;
  Weakness weakness_;
  Network network_;
  std::optional<ValidPolicy> policy_;
  std::optional<Compiler> compiler_;
  std::optional<kernel::Nftables> nftables_;
  std::optional<kernel::Conntrack> conntrack_;
  Tables tables_;
  std::vector<Conversation> living_, ghosts_;
  std::string what_;
};

Seen run_traffic(World& world, std::uint64_t seed, Weakness weakness) {
  constexpr int kEdits = 12;
  Random random(seed);
  Traffic traffic(world, random, weakness);
  for (int i = 0; i < kEdits; ++i) {
    traffic.open(30);
    traffic.edit();
  }
  return traffic.seen;
}

void add(Seen& all, const Seen& one) {
  for (const auto member : {&Seen::edits, &Seen::cut_some, &Seen::recut_cut_none, &Seen::opened4,
                            &Seen::opened6, &Seen::cut4, &Seen::cut6, &Seen::went_on,
                            &Seen::remarked, &Seen::leaks, &Seen::interruptions})
    all.*member += one.*member;
}

TEST(LiveFlows, AnEditCutsExactlyTheFlowsThatLostTheirRight) {
  const model::Seeds run = model::seeds(1000);
  const auto end = Clock::now() + std::chrono::seconds(30);
  World world;
  Seen all;
  std::uint64_t seed = run.first;
  for (; seed < run.first + run.count && Clock::now() < end; ++seed) {
    const Seen seen = run_traffic(world, seed, Weakness::none);
    ASSERT_EQ(seen.leaks, 0) << seen.first << "\n" << model::replay(seed);
    ASSERT_EQ(seen.interruptions, 0) << seen.first << "\n" << model::replay(seed);
    ASSERT_EQ(world.strays(), 0) << model::replay(seed);
    add(all, seen);
  }
  std::cout << seed - run.first << " policies, " << all.edits << " edits under " << all.opened4
            << " flows of IPv4 and " << all.opened6 << " of IPv6: " << all.cut_some
            << " edits cut some (" << all.cut4 << " and " << all.cut6 << " flows), "
            << all.recut_cut_none << " re-marked and cut none; " << all.remarked << " re-marked; "
            << all.went_on << " times a flow went on\n";
  if (run.count < 100) return;  // a replay
  EXPECT_GE(all.cut_some * 100, all.edits * 5);
  EXPECT_GE(all.cut4, 10);
  EXPECT_GE(all.cut6, 10);
  EXPECT_GE(all.remarked, 10);
  EXPECT_GE(all.recut_cut_none, 1);
  EXPECT_GE(all.went_on, all.edits);
}

// The controls: with one protection taken away it must be noticed, and as what it is.
int noticed(Weakness weakness, int Seen::* as) {
  World world;
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 30 && found == 0; ++seed)
    found += run_traffic(world, seed, weakness).*as;
  return found;
}

TEST(LiveFlowsControl, NumbersDealtAnewLeak) {
  EXPECT_GT(noticed(Weakness::deals_numbers_anew, &Seen::leaks), 0);
}

TEST(LiveFlowsControl, FlowsThatNobodyRemarksAreInterrupted) {
  EXPECT_GT(noticed(Weakness::remarks_nobody, &Seen::interruptions), 0);
}

TEST(LiveFlowsControl, WithoutATransitionFlowsAreInterrupted) {
  EXPECT_GT(noticed(Weakness::skips_transition, &Seen::interruptions), 0);
}

}  // namespace
}  // namespace sekisho::policies

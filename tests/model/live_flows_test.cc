#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "policy/compile/compile.h"
#include "policy/compile/transition.h"
#include "tests/model/interpreter.h"
#include "tests/model/live_flow.h"
#include "tests/model/random_edit.h"
#include "tests/model/random_flow.h"
#include "tests/model/seeds.h"
#include "tests/support/zoneinfo.h"

// Edits under live flows: one that takes no right away interrupts nobody, one that does cuts
// exactly the flows that lost theirs. A packet is judged by the ct mark that its flow has, and by
// nothing else of it.
namespace sekisho::model {
namespace {

// What the gateway may fail to do.
enum class Weakness {
  none,
  deals_numbers_anew,  // atoms are no identities
  remarks_nobody,      // a flow keeps the number of an atom that is no more
  skips_transition,    // the new tables are loaded before flows are re-marked
  ignores_ends,
};

struct Seen {
  int edits = 0, cut_none = 0, cut_some = 0, cut_all = 0;
  int recut = 0, recut_cut_none = 0;  // gave up numbers that live flows had
  int opened = 0, cut = 0, remarked = 0, ended = 0;
  int leaks = 0, interruptions = 0;
  std::string first;  // of these two
};

class Traffic {
 public:
  Traffic(Random& random, Weakness weakness)
      : random_(&random),
        weakness_(weakness),
        network_(random_network(random)),
        policy_(checked(random_policy(random, network_), network_)),
        compiler_(Compiler::start(policy_, kNow).value()),
        tables_(compiler_.compiled().tables) {}

  // Opens flows until so many live, or until chance finds no more that are granted.
  void open(std::size_t wanted) {
    for (int tries = 0; tries < 600 && living_.size() < wanted; ++tries) {
      Flow flow = random_flow(*random_, policy_);
      flow.opening = Opening::nothing;
      const Answer answer = interpret(tables_, flow, now_);
      if (answer.verdict != Verdict::permit) continue;
      living_.push_back({flow, answer.atom.verified(), answer.atom.check()});
      ++seen.opened;
    }
  }

  void edit() {
    Policy next = policy_.policy();
    const Edit kind = random_edit(*random_, next, network_);
    std::vector<ValidPolicy> either{policy_};
    PolicyEdit change = difference(policy_.policy(), next);
    const PolicyEdit undo = amend(policy_, change, zones()).value();
    either.push_back(policy_);
    what_ = "edit " + std::to_string(static_cast<int>(kind));

    const Compiled before = compiler_.compiled();
    compile_anew(undo);
    const Compiled& after = compiler_.compiled();
    const std::vector<AtomMark> gone = retired(before.space, after.space);
    const int changed = carried(gone);
    if (!gone.empty() && weakness_ != Weakness::skips_transition) {
      load(transition(before.tables, after.tables, gone), either);
      change_marks(after.space, either);
      load(after.tables, either);
    } else {
      load(after.tables, either);
      if (!gone.empty()) change_marks(after.space, either);
    }

    const std::size_t lived = living_.size();
    const std::size_t cut = settle();
    seen.cut += static_cast<int>(cut);
    if (lived == 0) return;
    ++seen.edits;
    seen.cut_none += cut == 0;
    seen.cut_some += cut > 0 && cut < lived;
    seen.cut_all += cut == lived;
    seen.recut += changed > 0;
    seen.recut_cut_none += changed > 0 && cut == 0;
  }

  // What ends, ends by itself; the daemon wakes for what begins.
  void go_on(Time::duration by) {
    const Time end = now_ + by;
    what_ = "time";
    while (now_ < end) {
      const auto opening = compiler_.compiled().next_opening;
      const bool due = opening && *opening <= end;
      now_ = due ? *opening : end;
      if (due) compile_anew({});
      load(compiler_.compiled().tables, {policy_});
      seen.ended += static_cast<int>(settle());
    }
  }

  Seen seen;

 private:
  void compile_anew(const PolicyEdit& undo) {
    if (weakness_ == Weakness::deals_numbers_anew) {
      compiler_ = Compiler::start(policy_, now_).value();
    } else {
      ASSERT_TRUE(compiler_.update(policy_, undo, now_));
    }
  }

  int carried(const std::vector<AtomMark>& gone) const {
    return static_cast<int>(std::ranges::count_if(living_, [&](const LiveFlow& live) {
      return std::ranges::count(gone, AtomMark::from_mark(live.ct_mark)) > 0;
    }));
  }

  void load(const Tables& tables, const std::vector<ValidPolicy>& either) {
    tables_ = tables;
    look(either);
  }

  void change_marks(const AtomSpace& space, const std::vector<ValidPolicy>& either) {
    if (weakness_ == Weakness::remarks_nobody) return;
    std::vector<std::uint32_t> before;
    for (const LiveFlow& live : living_) before.push_back(live.ct_mark);
    for (LiveFlow& live : living_) remark(space, live);
    for (LiveFlow& ghost : ghosts_) remark(space, ghost);
    for (std::size_t i = 0; i < living_.size(); ++i) {
      seen.remarked += living_[i].ct_mark != before[i] && may_go_on(policy_, living_[i], now_);
    }
    look(either);
  }

  bool passes(const LiveFlow& live) const {
    const Flaw flaw = weakness_ == Weakness::ignores_ends ? Flaw::ignores_grant_end : Flaw::none;
    return interpret_living(tables_, live.flow.source, live.ct_mark, now_, flaw) == Verdict::permit;
  }

  // Between the two policies: what both let go on passes, and what neither does is refused.
  void look(const std::vector<ValidPolicy>& either) {
    for (const auto* flows : {&living_, &ghosts_}) {
      for (const LiveFlow& live : *flows) {
        const auto lets = [&](const ValidPolicy& policy) { return may_go_on(policy, live, now_); };
        const bool passed = passes(live);
        if (passed && std::ranges::none_of(either, lets)) note(seen.leaks, "leaks", live);
        // A flow that was cut may stay so.
        if (flows == &living_ && !passed && std::ranges::all_of(either, lets)) {
          note(seen.interruptions, "is interrupted", live);
        }
      }
    }
  }

  void note(int& counter, const char* what, const LiveFlow& live) {
    ++counter;
    if (seen.first.empty()) seen.first = what_ + ": " + to_string(live.flow) + " " + what;
  }

  // Takes those that were cut out of the living and keeps their entries, since a client that was
  // cut may go on sending. Their number.
  std::size_t settle() {
    std::vector<LiveFlow> still;
    std::size_t cut = 0;
    for (LiveFlow& live : living_) {
      const bool lets = may_go_on(policy_, live, now_);
      if (lets) live.proven = AtomMark::from_mark(live.ct_mark).check();
      cut += !lets;
      (lets ? still : ghosts_).push_back(live);
    }
    living_ = std::move(still);
    return cut;
  }

  Random* random_;
  Weakness weakness_;
  Network network_;
  ValidPolicy policy_;
  Compiler compiler_;
  Tables tables_;
  std::vector<LiveFlow> living_, ghosts_;
  Time now_ = kNow;
  std::string what_;
};

void add(Seen& all, const Seen& one) {
  for (const auto member : {&Seen::edits, &Seen::cut_none, &Seen::cut_some, &Seen::cut_all,
                            &Seen::recut, &Seen::recut_cut_none, &Seen::opened, &Seen::cut,
                            &Seen::remarked, &Seen::ended, &Seen::leaks, &Seen::interruptions}) {
    all.*member += one.*member;
  }
}

Seen run_traffic(std::uint64_t seed, Weakness weakness) {
  constexpr int kSteps = 16;
  Random random(seed);
  Traffic traffic(random, weakness);
  for (int i = 0; i < kSteps; ++i) {
    traffic.open(20);
    if (random.percent(15)) {
      traffic.go_on(std::chrono::seconds(static_cast<int>(random.below(8))));
    } else if (random.percent(5)) {
      traffic.go_on(std::chrono::minutes(static_cast<int>(random.below(30 * 60))));
    } else {
      traffic.edit();
    }
  }
  return traffic.seen;
}

TEST(LiveFlows, AnEditCutsExactlyTheFlowsThatLostTheirRight) {
  const Seeds run = seeds(500);
  Seen all;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    const Seen seen = run_traffic(seed, Weakness::none);
    ASSERT_EQ(seen.leaks, 0) << seen.first << "\n" << replay(seed);
    ASSERT_EQ(seen.interruptions, 0) << seen.first << "\n" << replay(seed);
    add(all, seen);
  }
  std::cout << all.edits << " edits under " << all.opened << " flows: " << all.cut_none
            << " cut nobody, " << all.cut_some << " some, " << all.cut_all << " all; " << all.recut
            << " gave up atoms in use, " << all.recut_cut_none << " of them cut nobody; "
            << all.remarked << " flows re-marked, " << all.cut << " cut, " << all.ended
            << " ended by time\n";
  if (run.count < 100) return;  // a replay
  EXPECT_GE(all.cut_none * 100, all.edits * 30);
  EXPECT_GE(all.cut_some * 100, all.edits * 10);
  EXPECT_GE(all.recut_cut_none * 100, all.edits * 2);
  EXPECT_GE(all.remarked, all.edits / 20);
  EXPECT_GE(all.ended, all.edits / 20);
}

// The controls: with one protection taken away the run must notice, and notice what it is for.
Seen weakened(Weakness weakness) {
  Seen all;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) add(all, run_traffic(seed, weakness));
  return all;
}

TEST(LiveFlowsControl, AnUnbrokenGatewayIsRight) {
  const Seen seen = weakened(Weakness::none);
  EXPECT_EQ(seen.leaks, 0);
  EXPECT_EQ(seen.interruptions, 0);
}

TEST(LiveFlowsControl, NumbersDealtAnewLeakAndInterrupt) {
  const Seen seen = weakened(Weakness::deals_numbers_anew);
  EXPECT_GT(seen.leaks, 0);
  EXPECT_GT(seen.interruptions, 0);
}

TEST(LiveFlowsControl, FlowsThatNobodyRemarksAreInterrupted) {
  const Seen seen = weakened(Weakness::remarks_nobody);
  EXPECT_EQ(seen.leaks, 0);
  EXPECT_GT(seen.interruptions, 0);
}

TEST(LiveFlowsControl, WithoutATransitionFlowsAreInterrupted) {
  const Seen seen = weakened(Weakness::skips_transition);
  EXPECT_EQ(seen.leaks, 0);
  EXPECT_GT(seen.interruptions, 0);
}

TEST(LiveFlowsControl, EndsThatAreIgnoredLeak) {
  EXPECT_GT(weakened(Weakness::ignores_ends).leaks, 0);
}

}  // namespace
}  // namespace sekisho::model

#include "simulation.h"

#include <gtest/gtest.h>

#include <iostream>

#include "policy/model/document.h"
#include "random_request.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"
#include "tests/support/zoneinfo.h"

// Whatever fails, wherever it does, whatever the clocks do: no moment permits more than the old or
// the new policy, and once nothing fails any more the kernel is what the policy says.
namespace sekisho::engine {
namespace {

using model::Random;
using std::chrono::seconds;

World random_world(Random& random) {
  const Network network = model::random_network(random);
  World world(network, zones());
  world.now = model::kNow;
  world.tell(Started{});
  const Policy policy = model::random_policy(random, network);
  const auto applied = world.ask(
      "policy.apply",
      {{"document", {write_policy(model::checked(policy, network).policy(), Syntax::toml)}}});
  EXPECT_TRUE(applied) << to_string(applied.error().front());
  world.trace.clear();
  return world;
}

constexpr Fate kFates[] = {Fate::fails, Fate::answer_is_lost, Fate::ends_before, Fate::ends_after};

// Of as many policies as other tests of models take: each of these is worth `policies` of them.
model::Seeds seeds(std::uint64_t policies) {
  model::Seeds run = model::seeds(10'000);
  run.count = (run.count + policies - 1) / policies;
  return run;
}

struct Total {
  Simulation::Seen all;
  std::uint64_t runs = 0;
  void add(const Simulation::Seen& one) {
    ++runs;
    using Seen = Simulation::Seen;
    for (const auto member :
         {&Seen::looks, &Seen::passed, &Seen::refused, &Seen::changes, &Seen::acknowledged,
          &Seen::taken_back, &Seen::failures, &Seen::ends, &Seen::degraded, &Seen::restarts})
      all.*member += one.*member;
  }
  void print() const {
    std::cout << runs << " runs, " << all.changes << " changes (" << all.acknowledged
              << " acknowledged, " << all.taken_back << " taken back), " << all.failures
              << " failures, " << all.ends << " ends of the process, " << all.looks
              << " moments looked at: " << all.passed << " flows passed, " << all.refused
              << " refused\n";
  }
};

// Each kind of change, with its n-th step failing in each way, and in its wake the m-th step after.
TEST(Simulation, EveryStepOfEveryChangeFails) {
  const model::Seeds run = seeds(5000);
  Total total;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const World base = random_world(random);
    for (int k = 0; k <= static_cast<int>(kLastKind); ++k) {
      const auto request = request_of(random, static_cast<Kind>(k), base);
      for (const Fate first : kFates) {
        bool reached = true;
        for (std::size_t n = 0; reached; ++n) {
          for (std::size_t m = 0; m < 6; ++m) {
            Simulation simulation(base, seed);
            reached = false;
            bool second = false;
            simulation.fate = [&](Simulation& it) {
              if (!reached && it.steps == n) {
                reached = true;
                return first;
              }
              const bool again = reached && !second && it.steps == n + m && m > 0;
              second |= again;
              return again ? Fate::fails : Fate::done;
            };
            simulation.change(request);
            simulation.calm_down();
            // It goes on as if nothing had been.
            simulation.change(request_of(random, Kind::person_state, simulation.world));
            ASSERT_TRUE(simulation.wrong.empty())
                << simulation.wrong << "\nkind " << k << ", step " << n << " fate "
                << static_cast<int>(first) << ", then step " << m << "\n"
                << model::replay(seed);
            total.add(simulation.seen);
            if (!reached || (m > 0 && !second)) break;
          }
        }
      }
    }
  }
  total.print();
  EXPECT_GT(total.all.failures, 100U);
}

// Whole days: changes, failures, restarts, drift, time that passes and clocks that are set.
Simulation::Seen live_through(std::uint64_t seed, std::string& wrong,
                              const std::function<void(Simulation&)>& weaken = {}) {
  constexpr int kEvents = 25;
  Random random(seed);
  Simulation simulation(random_world(random), seed);
  if (weaken) weaken(simulation);
  const unsigned failing = random.percent(25) ? 0 : static_cast<unsigned>(random.between(1, 12));
  const auto fate = [&random, failing](Simulation& it) {
    if (random.percent(4)) it.let_pass(seconds(random.between(1, 5)));
    return random.percent(failing) ? kFates[random.below(4)] : Fate::done;
  };
  for (int i = 0; i < kEvents && simulation.wrong.empty(); ++i) {
    simulation.fate = fate;
    const auto event = random.below(100);
    if (event < 60) {
      simulation.change(request_of(
          random, static_cast<Kind>(random.below(static_cast<std::uint64_t>(kLastKind) + 1)),
          simulation.world));
    } else if (event < 70) {
      simulation.let_pass(seconds(random.below(random.percent(20) ? 90'000 : 15)));
    } else if (event < 78) {
      simulation.set_clock(seconds(static_cast<int>(random.below(80)) - 40));
    } else if (event < 84) {
      simulation.disturb(random.percent(30));
    } else if (event < 90) {
      simulation.restart();
    } else {
      simulation.calm_down();
    }
    if (random.percent(70)) simulation.wake();
  }
  simulation.calm_down();
  wrong = simulation.wrong;
  return simulation.seen;
}

TEST(Simulation, RandomDays) {
  const model::Seeds run = seeds(50);
  Total total;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    std::string wrong;
    total.add(live_through(seed, wrong));
    ASSERT_TRUE(wrong.empty()) << wrong << "\n" << model::replay(seed);
  }
  total.print();
  if (run.count < 100) return;  // a replay
  EXPECT_GT(total.all.passed, total.all.looks);
  EXPECT_GT(total.all.taken_back, run.count / 4);
  EXPECT_GT(total.all.degraded, run.count / 4);
  EXPECT_GT(total.all.restarts, run.count / 4);
}

// The controls: with one protection taken away it must be noticed.
int noticed(const std::function<void(Simulation&)>& weaken) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::string wrong;
    live_through(seed, wrong, weaken);
    found += !wrong.empty();
  }
  return found;
}

TEST(SimulationControl, AnUnbrokenGatewayIsRight) {
  EXPECT_EQ(noticed([](Simulation&) {}), 0);
}

TEST(SimulationControl, ARepairThatDoesNothingIsNoticed) {
  EXPECT_GE(noticed([](Simulation& it) {
              it.world.skips = [](const Effect& e) { return std::holds_alternative<Install>(e); };
            }),
            1);
}

TEST(SimulationControl, ATunnelThatIsNotRepairedIsNoticed) {
  EXPECT_GE(noticed([](Simulation& it) {
              it.world.skips = [](const Effect& e) {
                return std::holds_alternative<OpenTunnel>(e);
              };
            }),
            1);
}

TEST(SimulationControl, FlowsThatNobodyRemarksAreNoticed) {
  EXPECT_GE(noticed([](Simulation& it) {
              it.world.skips = [](const Effect& e) { return std::holds_alternative<Remark>(e); };
            }),
            1);
}

// An address that changes hands is with the old key while it has the new one's rights.
TEST(SimulationControl, PeersThatComeLastWithoutExceptionAreNoticed) {
  EXPECT_GE(noticed([](Simulation& it) {
              it.world.skips = [&it](const Effect& e) {
                return std::holds_alternative<ChangePeers>(e) && it.world.pending;
              };
            }),
            1);
}

TEST(SimulationControl, AClockThatNobodyHearsOfIsNoticed) {
  EXPECT_GE(noticed([](Simulation& it) { it.clock_is_told = false; }), 1);
}

TEST(SimulationControl, ABatchInTwoIsNoticed) {
  EXPECT_GE(noticed([](Simulation& it) { it.world.in_two = true; }), 1);
}

}  // namespace
}  // namespace sekisho::engine

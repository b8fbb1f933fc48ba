#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>

#include "policy/compile/compile.h"
#include "tests/model/random_edit.h"
#include "tests/model/random_flow.h"
#include "tests/model/seeds.h"
#include "tests/model/tables.h"
#include "tests/support/zoneinfo.h"

// A compiler that follows edits and time comes to what compiling at once comes to, and says exactly
// what changed.
namespace sekisho::model {
namespace {

using Time = sekisho::Time;

// What tables mean, whatever numbers the cohorts have.
using Rights = std::map<AtomMark, std::optional<Time>>;
struct Standing {
  std::optional<Time> until;
  Rights rights;
  bool operator==(const Standing&) const = default;
};

std::map<IpAddress, Standing> meaning(const Tables& tables) {
  std::map<Cohort, Rights> of;
  for (const auto& [key, until] : tables.grants) of[key.cohort].emplace(key.atom, until);
  std::map<IpAddress, Standing> all;
  for (const auto& [address, entry] : tables.cohorts) {
    all.emplace(address, Standing{entry.until, of[entry.cohort]});
  }
  return all;
}

// As few cohorts as there are different rights, and no rows of a cohort that nobody is in.
bool is_lean(const Tables& tables) {
  std::map<Cohort, Rights> of;
  std::set<Cohort> inhabited;
  for (const auto& [address, entry] : tables.cohorts) inhabited.insert(entry.cohort);
  for (const auto& [key, until] : tables.grants) of[key.cohort].emplace(key.atom, until);
  std::set<Rights> different;
  of.erase(kIsolatedCohort);  // whose rows wait for devices
  for (const auto& [cohort, rights] : of) {
    if (!inhabited.contains(cohort)) return false;
    different.insert(rights);
  }
  return different.size() == of.size();
}

// Edits a policy and lets a compiler follow.
class Following {
 public:
  explicit Following(Random& random)
      : network_(random_network(random)),
        valid_(checked(random_policy(random, network_), network_)),
        compiler_(Compiler::start(valid_, kNow).value()) {}

  void edit(Random& random) {
    Policy next = valid_.policy();
    random_edit(random, next, network_);
    PolicyEdit edit = difference(valid_.policy(), next);
    const auto undo = amend(valid_, edit, zones());
    ASSERT_TRUE(undo);
    ASSERT_EQ(valid_.policy(), checked(next, network_).policy());
    undo_ = *undo;
    redo_ = edit;
    follow(undo_, now_);
  }
  void take_back() {
    PolicyEdit edit = undo_;
    ASSERT_TRUE(amend(valid_, edit, zones()));
    follow(redo_, now_);
  }
  void go_on(Time::duration by) { follow({}, now_ += by); }

 private:
  void follow(const PolicyEdit& undo, Time now) {
    const Compiled before = compiler_.compiled();
    const auto changes = compiler_.update(valid_, undo, now);
    ASSERT_TRUE(changes);
    const Compiled& after = compiler_.compiled();
    ASSERT_EQ(applied(before.tables, *changes), after.tables);
    const TablesDiff seen = diff(before.tables, after.tables);
    ASSERT_EQ(changes->size(), seen.size());
    ASSERT_EQ(changes->only_loosens(), seen.only_loosens());
    ASSERT_EQ(changes->only_tightens(), seen.only_tightens());

    const Compiled anew = compile(valid_, now, &before).value();
    ASSERT_EQ(after.space, anew.space);
    ASSERT_EQ(after.tables.atoms, anew.tables.atoms);
    ASSERT_EQ(meaning(after.tables), meaning(anew.tables));
    ASSERT_EQ(after.next_opening, anew.next_opening);
    ASSERT_TRUE(is_lean(after.tables));
  }

  Network network_;
  ValidPolicy valid_;
  Compiler compiler_;
  PolicyEdit undo_, redo_;
  Time now_ = kNow;
};

TEST(Compiler, FollowsWhatCompilingAtOnceComesTo) {
  const Seeds run = seeds(300);
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    Following following(random);
    for (int i = 0; i < 20; ++i) {
      switch (random.below(7)) {
        case 0:
          following.go_on(std::chrono::seconds(static_cast<int>(random.below(12))));
          break;
        case 1:  // the clock was set
          following.go_on(-std::chrono::seconds(static_cast<int>(random.below(12))));
          break;
        case 2:
          following.edit(random);
          following.take_back();
          break;
        case 3:  // hours close and open
          following.go_on(std::chrono::minutes(static_cast<int>(random.below(30 * 60))));
          break;
        default:
          following.edit(random);
      }
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

}  // namespace
}  // namespace sekisho::model

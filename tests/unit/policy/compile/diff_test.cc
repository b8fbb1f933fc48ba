#include "policy/compile/diff.h"

#include <gtest/gtest.h>

#include "policy/compile/compile.h"
#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

using model::kNow;
using model::PolicyBuilder;

Time after(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

PolicyBuilder office() {
  PolicyBuilder policy;
  policy.device("laptop", "tanaka", {"10.66.0.2"})
      .device("phone", "sato", {"10.66.0.3"})
      .resource("wiki", Classification::internal, {"10.1.0.0/24"}, {"https"})
      .resource("shell", Classification::internal, {"10.2.0.0/24"}, {"ssh"})
      .grant("a", "tanaka", "wiki", {}, after(100))
      .grant("b", "sato", "wiki");
  return policy;
}

enum class Way { nothing, loosens, tightens, both };

Way way(const TablesDiff& changes) {
  if (changes.only_loosens()) return changes.only_tightens() ? Way::nothing : Way::loosens;
  return changes.only_tightens() ? Way::tightens : Way::both;
}

struct Ways {
  Way there;
  Way back;
  bool operator==(const Ways&) const = default;
};

// The way of an edit of the office, and of taking it back; both with numbers kept and dealt anew.
template <class Edit>
Ways ways(Edit edit) {
  PolicyBuilder changed = office();
  edit(changed);
  const Compiled from = compile(office().valid(), kNow, nullptr).value();
  const Compiled to = compile(changed.valid(), kNow, &from).value();
  const Tables anew = compile(changed.valid(), kNow, nullptr).value().tables;
  if (to.tables.atoms == anew.atoms) {
    EXPECT_EQ(way(diff(from.tables, anew)), way(diff(from.tables, to.tables)));
  }
  return {way(diff(from.tables, to.tables)), way(diff(to.tables, from.tables))};
}

constexpr Ways kLoosens{Way::loosens, Way::tightens};
constexpr Ways kTightens{Way::tightens, Way::loosens};

TEST(Diff, NothingIsBoth) {
  EXPECT_EQ(ways([](PolicyBuilder&) {}), (Ways{Way::nothing, Way::nothing}));
  const Tables tables = compile(office().valid(), kNow, nullptr).value().tables;
  EXPECT_TRUE(diff(tables, tables).empty());
  EXPECT_EQ(diff({}, tables).size(),
            tables.cohorts.size() + tables.atoms.size() + tables.grants.size());
}

TEST(Diff, Grants) {
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.grant("c", "tanaka", "shell"); }), kLoosens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.policy.grants.erase(GrantId("a")); }), kTightens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.grant("a", "tanaka", "wiki", {}, after(101)); }),
            kLoosens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.grant("a", "tanaka", "wiki", {}, after(99)); }),
            kTightens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.grant("a", "tanaka", "wiki"); }), kLoosens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.grant("a", "tanaka", "shell"); }),
            (Ways{Way::both, Way::both}));
}

TEST(Diff, PeopleAndDevices) {
  EXPECT_EQ(ways([](PolicyBuilder& p) {
              p.policy.people.at(PersonId("sato")).state = PersonState::suspended;
            }),
            kTightens);
  EXPECT_EQ(ways([](PolicyBuilder& p) {
              p.policy.devices.at(DeviceId("phone")).state = DeviceState::blocked;
            }),
            kTightens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.person("sato", {}, after(50)); }), kTightens);
  EXPECT_EQ(ways([](PolicyBuilder& p) { p.device("desk", "abe", {"10.66.0.9"}); }), kLoosens);
}

// The end that comes first counts, the person's or the grant's: moving the other changes no right
// to the wiki, but the gateway's DNS goes with the person.
TEST(Diff, AnEndBehindAnotherEnd) {
  PolicyBuilder before = office();
  before.person("tanaka", {}, after(50));
  const Tables from = compile(before.valid(), kNow, nullptr).value().tables;
  PolicyBuilder longer = before;
  longer.grant("a", "tanaka", "wiki", {}, after(200));
  const TablesDiff unseen = diff(from, compile(longer.valid(), kNow, nullptr).value().tables);
  EXPECT_FALSE(unseen.empty());
  EXPECT_EQ(way(unseen), Way::nothing);
}

TEST(Diff, ADeviceThatMovesBetweenCohorts) {
  EXPECT_EQ(ways([](PolicyBuilder& p) {
              p.policy.people.at(PersonId("tanaka")).state = PersonState::suspended;
              p.grant("c", "sato", "shell");
            }),
            (Ways{Way::both, Way::both}));
}

TEST(Diff, AtomsThatComeOrGo) {
  EXPECT_EQ(ways([](PolicyBuilder& p) {
              p.resource("mail", Classification::internal, {"10.3.0.0/24"}, {"https"});
            }),
            kLoosens);
}

}  // namespace
}  // namespace sekisho

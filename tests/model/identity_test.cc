#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "policy/compile/compile.h"
#include "tests/model/interpreter.h"
#include "tests/model/random_edit.h"
#include "tests/model/random_flow.h"
#include "tests/model/seeds.h"

// Over random edits an atom's number stays an identity: live flows carry it.
namespace sekisho::model {
namespace {

constexpr int kEdits = 15;

// One destination in every cell that the boxes of `space` cut `box` into: within a cell all
// destinations are in the same atom.
std::vector<Destinations> cells(const Destinations& box, const AtomSpace& space) {
  std::set<IpAddress> addresses{box.addresses.first};
  std::set<int> ports{box.ports.first.value()};
  for (const Atom& atom : space.atoms) {
    for (const Destinations& other : atom.where) {
      if (!other.addresses.overlaps(box.addresses)) continue;
      addresses.insert(std::max(other.addresses.first, box.addresses.first));
      if (other.addresses.last < box.addresses.last) addresses.insert(*other.addresses.last.next());
      if (!other.ports.overlaps(box.ports)) continue;
      ports.insert(std::max(other.ports.first, box.ports.first).value());
      if (other.ports.last < box.ports.last) ports.insert(other.ports.last.value() + 1);
    }
  }
  std::vector<Destinations> result;
  for (const IpAddress& address : addresses) {
    for (const int port : ports) {
      result.push_back(
          {{address, address}, box.protocol, PortRange::single(static_cast<std::uint16_t>(port))});
    }
  }
  return result;
}

// All that a number of `one` stands for, it stands for in `other`, where that has it.
bool within(const AtomSpace& one, const AtomSpace& other) {
  for (const Atom& atom : one.atoms) {
    if (!std::ranges::binary_search(other.atoms, atom.mark, {}, &Atom::mark)) continue;
    for (const Destinations& box : atom.where) {
      for (const Destinations& cell : cells(box, other)) {
        if (find_atom(other, cell.addresses.first, cell.protocol, cell.ports.first) != atom.mark) {
          return false;
        }
      }
    }
  }
  return true;
}

// A number that survives stands for what it stood for.
bool keeps_identities(const AtomSpace& before, const AtomSpace& after) {
  return within(before, after) && within(after, before);
}

// Sorted, disjoint, no number out of range, no two atoms that neither a grant nor a quarantine of a
// resource could tell apart.
void expect_well_formed(const AtomSpace& space, const std::string& seed) {
  std::set<std::tuple<std::set<ResourceId>, std::set<ResourceId>, Check>> keys;
  std::vector<Destinations> boxes;
  EXPECT_TRUE(std::ranges::is_sorted(space.atoms, {}, &Atom::mark)) << seed;
  for (const Atom& atom : space.atoms) {
    EXPECT_LT(atom.mark.atom(), space.next) << seed;
    EXPECT_GE(atom.mark.atom(), AtomMark::kFirstAtom) << seed;
    EXPECT_TRUE(keys.emplace(atom.opened_by, atom.covered_by, atom.mark.check()).second) << seed;
    EXPECT_TRUE(std::ranges::is_sorted(atom.where)) << seed;
    EXPECT_FALSE(atom.where.empty()) << seed;
    boxes.insert(boxes.end(), atom.where.begin(), atom.where.end());
  }
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    for (std::size_t j = i + 1; j < boxes.size(); ++j) {
      EXPECT_FALSE(boxes[i].protocol == boxes[j].protocol &&
                   boxes[i].addresses.overlaps(boxes[j].addresses) &&
                   boxes[i].ports.overlaps(boxes[j].ports))
          << seed;
    }
  }
}

std::set<AtomMark> marks(const AtomSpace& space) {
  std::set<AtomMark> result;
  for (const Atom& atom : space.atoms) result.insert(atom.mark);
  return result;
}

TEST(Identity, HoldsOverRandomEdits) {
  const Seeds run = seeds(100);
  std::uint64_t kept = 0;
  std::uint64_t given_up = 0;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    SCOPED_TRACE(replay(seed));
    Random random(seed);
    const Network network = random_network(random);
    Policy policy = random_policy(random, network);
    auto before = compile(checked(policy, network), kNow, nullptr).value();
    std::set<AtomMark> dead;
    for (int i = 0; i < kEdits; ++i) {
      random_edit(random, policy, network);
      const ValidPolicy valid = checked(policy, network);
      auto after = compile(valid, kNow, &before).value();
      expect_well_formed(after.space, replay(seed));
      ASSERT_TRUE(keeps_identities(before.space, after.space));
      for (const AtomMark gone : retired(before.space, after.space)) dead.insert(gone);
      for (const AtomMark mark : marks(after.space)) ASSERT_FALSE(dead.contains(mark));
      ASSERT_GE(after.space.next, before.space.next);
      kept += marks(before.space).size() - retired(before.space, after.space).size();
      given_up += retired(before.space, after.space).size();

      for (int j = 0; j < 10; ++j) {
        const Flow flow = random_flow(random, valid);
        ASSERT_EQ(evaluate(valid, flow, kNow).verdict, interpret(after.tables, flow, kNow).verdict)
            << to_string(flow);
      }
      before = std::move(after);
    }
  }
  std::cout << kept << " numbers kept, " << given_up << " given up\n";
  EXPECT_GT(kept, given_up);
  EXPECT_GT(given_up, 0U);
}

// The control: numbers dealt anew at every edit do not keep identities, and the check sees it.
TEST(Identity, NumbersDealtAnewAreNoticed) {
  int broken = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Random random(seed);
    const Network network = random_network(random);
    Policy policy = random_policy(random, network);
    const AtomSpace before = cut(checked(policy, network), {}).value();
    apply(random, Edit::remove_resource, policy, network);
    broken += !keeps_identities(before, cut(checked(policy, network), {}).value());
  }
  EXPECT_GE(broken, 1);
}

}  // namespace
}  // namespace sekisho::model

#include "policy/compile/atoms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/policy_builder.h"

namespace sekisho {
namespace {

using model::address;
using model::PolicyBuilder;
using model::range;
using testing::ElementsAre;

using enum Classification;

using Openers = std::set<ResourceId>;

Openers openers(std::initializer_list<std::string_view> ids) {
  Openers result;
  for (const std::string_view id : ids) result.emplace(std::string(id));
  return result;
}

AtomSpace cut_first(const PolicyBuilder& policy) {
  return cut(policy.valid(), {}).value();
}

// The atom that these open by this check; it must be there.
const Atom& atom_of(const AtomSpace& space, std::initializer_list<std::string_view> ids,
                    Check check = Check::tls) {
  for (const Atom& atom : space.atoms) {
    if (atom.opened_by == openers(ids) && atom.mark.check() == check) return atom;
  }
  throw std::logic_error("no such atom");
}

// Where these, and no others, open by TLS and these lie over it.
std::vector<Destinations> covered(const AtomSpace& space,
                                  std::initializer_list<std::string_view> opened_by,
                                  std::initializer_list<std::string_view> covered_by) {
  for (const Atom& atom : space.atoms) {
    if (atom.opened_by == openers(opened_by) && atom.covered_by == openers(covered_by) &&
        atom.mark.check() == Check::tls) {
      return atom.where;
    }
  }
  return {};
}

Destinations tcp(std::string_view addresses, std::uint16_t first, std::uint16_t last = 0) {
  return {range(addresses), Protocol::tcp, {Port(first), Port(last != 0 ? last : first)}};
}

Openers openers_at(const AtomSpace& space, std::string_view to, std::uint16_t port,
                   Protocol protocol = Protocol::tcp) {
  const AtomMark mark = find_atom(space, address(to), protocol, Port(port));
  for (const Atom& atom : space.atoms) {
    if (atom.mark == mark) return atom.opened_by;
  }
  return {};
}

bool has_atom(const AtomSpace& space, std::string_view to, std::uint16_t port,
              Protocol protocol = Protocol::tcp) {
  return static_cast<bool>(find_atom(space, address(to), protocol, Port(port)));
}

TEST(Atoms, AResourceIsOneAtomForEachCheck) {
  PolicyBuilder policy;
  policy.resource("wiki", internal, {"10.1.0.0/24", "10.1.1.0/24", "fd01::/64"},
                  {"https", "tls:8000-8010", "ssh", "tcp:5432"});
  const AtomSpace space = cut_first(policy);
  EXPECT_THAT(atom_of(space, {"wiki"}).where,
              ElementsAre(tcp("10.1.0.0/23", 443), tcp("10.1.0.0/23", 8000, 8010),
                          tcp("fd01::/64", 443), tcp("fd01::/64", 8000, 8010)));
  EXPECT_THAT(atom_of(space, {"wiki"}, Check::ssh).where,
              ElementsAre(tcp("10.1.0.0/23", 22), tcp("fd01::/64", 22)));
  EXPECT_THAT(atom_of(space, {"wiki"}, Check::none).where,
              ElementsAre(tcp("10.1.0.0/23", 5432), tcp("fd01::/64", 5432)));
}

TEST(Atoms, TheStrictestClassificationDecides) {
  PolicyBuilder policy;
  policy.resource("lan", internal, {"10.1.0.0/16"}, {"https", "ssh"});
  policy.resource("vault", confidential, {"10.1.2.0/24"}, {"https"});
  policy.resource("blog", public_, {"10.1.0.0/16"}, {"https", "tls:8443"});
  const AtomSpace space = cut_first(policy);
  EXPECT_EQ(openers_at(space, "10.1.1.255", 443), openers({"lan"}));
  EXPECT_EQ(openers_at(space, "10.1.2.0", 443), openers({"vault"}));
  EXPECT_EQ(openers_at(space, "10.1.2.255", 443), openers({"vault"}));
  EXPECT_EQ(openers_at(space, "10.1.3.0", 443), openers({"lan"}));
  // What the strictest does not offer is closed, though a weaker one offers it.
  EXPECT_FALSE(has_atom(space, "10.1.2.1", 22));
  EXPECT_FALSE(has_atom(space, "10.1.1.1", 8443));
}

TEST(Atoms, EqualsOpenTogether) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"tls:440-450"});
  policy.resource("b", internal, {"10.1.0.128/25"}, {"https", "ssh"});
  const AtomSpace space = cut_first(policy);
  EXPECT_THAT(atom_of(space, {"a", "b"}).where, ElementsAre(tcp("10.1.0.128/25", 443)));
  // Where b lies over it too, quarantine of b closes what only a opens.
  EXPECT_THAT(covered(space, {"a"}, {"a"}), ElementsAre(tcp("10.1.0.0/25", 440, 450)));
  EXPECT_THAT(covered(space, {"a"}, {"a", "b"}),
              ElementsAre(tcp("10.1.0.128/25", 440, 442), tcp("10.1.0.128/25", 444, 450)));
  EXPECT_THAT(atom_of(space, {"b"}, Check::ssh).where, ElementsAre(tcp("10.1.0.128/25", 22)));
}

TEST(Atoms, EmptyMatchesNothing) {
  PolicyBuilder policy;
  EXPECT_FALSE(has_atom(cut_first(policy), "10.1.0.1", 443));
}

TEST(Atoms, AListedResourceClosesWhatItDoesNotOffer) {
  PolicyBuilder policy;
  policy.resource("site", public_, {"93.184.216.0/24"}, {"ssh"});
  const AtomSpace space = cut_first(policy);
  EXPECT_FALSE(has_atom(space, "93.184.216.34", 443));
  EXPECT_TRUE(has_atom(space, "93.184.217.34", 443));
}

TEST(Atoms, FamiliesAndProtocolsStayApart) {
  PolicyBuilder policy;
  policy.resource("four", internal, {"0.0.0.0/0"}, {"tcp:1-65535"});
  policy.resource("six", internal, {"fd01::/64"}, {"quic"});
  const AtomSpace space = cut_first(policy);
  EXPECT_TRUE(has_atom(space, "10.1.1.1", 65535));
  EXPECT_FALSE(has_atom(space, "10.1.1.1", 443, Protocol::udp));
  EXPECT_FALSE(has_atom(space, "::ffff:10.1.1.1", 443));
  EXPECT_FALSE(has_atom(space, "fd01::1", 443));
  EXPECT_TRUE(has_atom(space, "fd01::1", 443, Protocol::udp));
  EXPECT_TRUE(has_atom(space, "2600::1", 443)) << "v4 everywhere leaves the internet of v6";
  EXPECT_EQ(openers_at(space, "8.8.8.8", 443), openers({"four"}));
}

TEST(Atoms, WeakerResourcesCutTooForTheyMayBeQuarantined) {
  PolicyBuilder policy;
  policy.resource("vault", confidential, {"10.1.0.0/16"}, {"https"});
  policy.resource("host", public_, {"10.1.2.3/32"}, {"ssh"});
  const AtomSpace space = cut_first(policy);
  EXPECT_THAT(covered(space, {"vault"}, {"vault", "host"}), ElementsAre(tcp("10.1.2.3/32", 443)));
  EXPECT_EQ(openers_at(space, "10.1.2.3", 443), openers({"vault"}));
  EXPECT_FALSE(has_atom(space, "10.1.2.3", 22));
}

TEST(Atoms, TheGatewaysServicesAreOpenedByNobody) {
  const PolicyBuilder policy;
  const AtomSpace space = cut_first(policy);
  const Atom& services = atom_of(space, {}, Check::none);
  const auto box = [](std::string_view to, Protocol protocol, std::uint16_t port) {
    return Destinations{range(to), protocol, PortRange::single(port)};
  };
  std::vector<Destinations> expected;
  for (const char* address : {"10.66.0.1", "fd66::1"}) {
    expected.insert(expected.end(),
                    {box(address, Protocol::tcp, 53), box(address, Protocol::tcp, 80),
                     box(address, Protocol::udp, 53)});
  }
  EXPECT_EQ(services.where, expected);
  EXPECT_TRUE(services.covered_by.empty());
}

TEST(Atoms, SomeAddressesAreNeverDestinations) {
  PolicyBuilder policy;
  policy.resource("all", internal, {"0.0.0.0/0", "::/0"}, {"https", "udp:53"});
  const AtomSpace space = cut_first(policy);
  for (const std::string_view closed :
       {"127.0.0.1", "127.255.255.255", "169.254.169.254", "224.0.0.1", "239.255.255.255",
        "10.66.0.1", "10.66.0.2", "10.66.0.255", "::1", "fe80::1", "ff02::1", "fd66::1",
        "fd66::2"}) {
    EXPECT_FALSE(has_atom(space, closed, 443)) << closed;
  }
  for (const std::string_view open : {"126.0.0.1", "128.0.0.1", "10.66.1.0", "10.65.255.255",
                                      "fd66:0:0:1::1", "fec0::1", "::2"}) {
    EXPECT_TRUE(has_atom(space, open, 443)) << open;
  }
  EXPECT_EQ(openers_at(space, "10.66.0.1", 53, Protocol::udp), Openers{})
      << "DNS is not the resource's";
}

TEST(Atoms, APrefixInsideAPoolIsMeant) {
  PolicyBuilder policy;
  policy.resource("staff", internal, {"10.66.0.0/28"}, {"ssh"});
  policy.resource("wide", confidential, {"10.0.0.0/8"}, {"https"});
  const AtomSpace space = cut_first(policy);
  EXPECT_EQ(openers_at(space, "10.66.0.2", 22), openers({"staff"}));
  EXPECT_FALSE(has_atom(space, "10.66.0.1", 22));
  EXPECT_FALSE(has_atom(space, "10.66.0.16", 22));
  EXPECT_FALSE(has_atom(space, "10.66.0.2", 443));
}

TEST(AtomNumbers, StartAtTheFirstAndStay) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const AtomSpace before = cut_first(policy);
  EXPECT_EQ(before.atoms.front().mark.atom(), AtomMark::kFirstAtom);
  EXPECT_EQ(cut(policy.valid(), before).value(), before);

  policy.resource("b", internal, {"10.2.0.0/24"}, {"https"});
  const AtomSpace after = cut(policy.valid(), before).value();
  EXPECT_EQ(atom_of(after, {"a"}).mark, atom_of(before, {"a"}).mark);
  EXPECT_EQ(atom_of(after, {"b"}).mark.atom(), before.next);
  EXPECT_TRUE(retired(before, after).empty());
}

TEST(AtomNumbers, AShrunkAtomGetsANewOne) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24", "10.2.0.0/24"}, {"https", "ssh"});
  const AtomSpace before = cut_first(policy);
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https", "ssh"});
  const AtomSpace after = cut(policy.valid(), before).value();
  EXPECT_GE(atom_of(after, {"a"}).mark.atom(), before.next);
  EXPECT_THAT(retired(before, after),
              testing::UnorderedElementsAre(atom_of(before, {"a"}).mark,
                                            atom_of(before, {"a"}, Check::ssh).mark));
}

// Were it kept, the old policy that a failed change goes back to would meet flows that carry it
// from where it had grown to.
TEST(AtomNumbers, AGrownAtomGetsANewOne) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const AtomSpace before = cut_first(policy);
  policy.resource("a", internal, {"10.0.0.0/14"}, {"tls:440-450"});
  const AtomSpace after = cut(policy.valid(), before).value();
  EXPECT_GE(atom_of(after, {"a"}).mark.atom(), before.next);
}

// Where a neighbour cuts the sweep does not matter, only what comes of it.
TEST(AtomNumbers, TheSameDestinationsKeepTheirsHoweverTheyAreReached) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"tls:440-450"});
  policy.resource("b", internal, {"10.1.0.0/25"}, {"ssh"});
  const AtomSpace before = cut_first(policy);
  policy.resource("a", internal, {"10.1.0.0/25", "10.1.0.128/25"}, {"tls:440-445", "tls:446-450"});
  policy.resource("b", internal, {"10.1.0.0/26", "10.1.0.64/26"}, {"ssh", "tls:8443"});
  const AtomSpace after = cut(policy.valid(), before).value();
  EXPECT_EQ(atom_of(after, {"a"}).mark, atom_of(before, {"a"}).mark);
  EXPECT_EQ(atom_of(after, {"b"}, Check::ssh).mark, atom_of(before, {"b"}, Check::ssh).mark);
}

TEST(AtomNumbers, AnAtomCutInTwoGivesItsUp) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const AtomSpace before = cut_first(policy);
  policy.resource("b", internal, {"10.1.0.128/25"}, {"https"});
  const AtomSpace after = cut(policy.valid(), before).value();
  EXPECT_THAT(retired(before, after), ElementsAre(atom_of(before, {"a"}).mark));
  EXPECT_NE(atom_of(after, {"a"}).mark, atom_of(after, {"a", "b"}).mark);
}

TEST(AtomNumbers, AnotherCheckIsAnotherAtom) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"tls:22"});
  const AtomSpace before = cut_first(policy);
  policy.resource("a", internal, {"10.1.0.0/24"}, {"ssh"});
  const AtomSpace after = cut(policy.valid(), before).value();
  EXPECT_GE(atom_of(after, {"a"}, Check::ssh).mark.atom(), before.next);
}

TEST(AtomNumbers, AreNeverGivenAgain) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const AtomSpace first = cut_first(policy);
  const AtomMark given = atom_of(first, {"a"}).mark;
  policy.policy.resources.clear();
  const AtomSpace without = cut(policy.valid(), first).value();
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const AtomSpace again = cut(policy.valid(), without).value();
  EXPECT_NE(atom_of(again, {"a"}).mark, given);
  EXPECT_GE(atom_of(again, {"a"}).mark.atom(), first.next);
}

TEST(AtomNumbers, WhatAKernelHoldsIsEnoughToKeepThem) {
  PolicyBuilder policy;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const AtomSpace before = cut_first(policy);
  AtomSpace read_back = before;
  read_back.next = AtomMark::kFirstAtom;
  for (Atom& atom : read_back.atoms) atom.opened_by.clear();
  EXPECT_EQ(cut(policy.valid(), read_back).value(), before);
}

TEST(AtomNumbers, EndAtTheLast) {
  PolicyBuilder policy;
  AtomSpace before = cut_first(policy);
  before.next = AtomMark::kLastAtom;
  policy.resource("a", internal, {"10.1.0.0/24"}, {"https"});
  const auto last = cut(policy.valid(), before);
  ASSERT_TRUE(last);
  EXPECT_EQ(atom_of(*last, {"a"}).mark.atom(), AtomMark::kLastAtom);
  policy.resource("b", internal, {"10.2.0.0/24"}, {"https"});
  const auto none = cut(policy.valid(), *last);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace sekisho

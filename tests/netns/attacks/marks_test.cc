// Marks that somebody else left: on packets, on conntrack entries.
#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class Marks : public Attack {};
SEKISHO_BOTH_FAMILIES(Marks);

// Plain HTTP to the server's port 443, an answer included.
bool http_passes(const Scene& scene, Peer& listener, const netns::Namespace& from,
                 std::uint16_t source_port = 0) {
  Peer client = Peer::connect(from, scene.server(), 443, source_port);
  if (!client.good()) return false;
  Peer served = listener.accept();
  client.send(kHttp);
  if (served.receive() != kHttp) return false;
  served.send("HTTP/1.1 200 OK\r\n\r\n");
  return !client.receive().empty();
}

// The phone has no cohort; another table gives its packets the mark that is the laptop's cohort.
bool passes_with_a_left_over_mark(Scene scene) {
  scene.edit_tables([&](Tables& tables) { tables.cohorts.erase(scene.phone()); });
  const auto cohort = scene.tables().cohorts.at(scene.laptop()).cohort.value();
  scene.at_gateway(
      "nft 'add table inet other; add chain inet other early"
      " { type filter hook forward priority -10; };"
      " add rule inet other early meta mark set " +
      std::to_string(cohort) + "'");
  Peer listener = scene.listen(443);
  return Peer::connect(scene.lab.phone_space, scene.server(), 443).good();
}

TEST_P(Marks, ALeftOverMarkIsNoCohort) {
  EXPECT_FALSE(passes_with_a_left_over_mark(Scene(GetParam())));
  EXPECT_TRUE(passes_with_a_left_over_mark(
      Scene(GetParam(), {without("from_tunnel", "no cohort until one is found"),
                         without("to_tunnel", "no cohort until one is found")})));
}

// The server lost its connections (it was started again), conntrack did not hear of it: the entry
// still says established and proven when the same ports are used again.
bool inherits_the_proof(Scene scene) {
  constexpr std::uint16_t kSourcePort = 4711;
  const std::string mute =
      "nft 'add table inet mute; add chain inet mute out { type filter hook output priority 0; };"
      " add rule inet mute out tcp flags & (fin | rst) != 0 drop'";
  for (const auto* space : {&scene.lab.laptop_space, &scene.lab.server_space}) {
    space->in([&] { must(mute); });
  }
  Talk talk(scene, kSourcePort);
  talk.client.vanish();
  talk.served.vanish();
  for (const auto* space : {&scene.lab.laptop_space, &scene.lab.server_space}) {
    space->in([] { must("nft delete table inet mute"); });
  }
  return http_passes(scene, talk.listener, scene.lab.laptop_space, kSourcePort);
}

TEST_P(Marks, PortsUsedAgainInheritNoProof) {
  EXPECT_FALSE(inherits_the_proof(Scene(GetParam())));
  EXPECT_TRUE(
      inherits_the_proof(Scene(GetParam(), {without("from_tunnel", "a SYN finds its atom anew")})));
}

// Another table saves the packet's mark in its conntrack entry, as many do for policy routing. All
// marks of ours are 0x10000 and more, all cohorts less.
bool a_saved_mark_proves(Scene scene, bool small_atoms) {
  constexpr std::uint16_t kCohort = 7;
  const AtomMark small = AtomMark::from_mark(0x4);
  scene.edit_tables([&](Tables& tables) {
    tables.cohorts[scene.laptop()] = {Cohort(kCohort)};
    for (auto& [where, atom] : tables.atoms) {
      if (!where.addresses.contains(scene.server()) || atom.check() != Check::tls) continue;
      if (small_atoms) atom = small;
      tables.grants[{Cohort(kCohort), atom}] = {};
    }
  });
  scene.at_gateway(
      "nft 'add table inet other; add chain inet other late"
      " { type filter hook postrouting priority 0; };"
      " add rule inet other late meta mark < 0x10000 ct mark set meta mark'");
  Peer listener = scene.listen(443);
  return http_passes(scene, listener, scene.lab.laptop_space);
}

TEST_P(Marks, ASavedMarkIsNoProof) {
  EXPECT_FALSE(a_saved_mark_proves(Scene(GetParam()), false));
  EXPECT_TRUE(a_saved_mark_proves(Scene(GetParam()), true));
}

}  // namespace
}  // namespace sekisho::attacks

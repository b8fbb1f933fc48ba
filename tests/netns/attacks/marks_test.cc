// Marks that somebody else left: on packets, on conntrack entries.
#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class Marks : public Attack {};
SEKISHO_BOTH_FAMILIES(Marks);

// Another table gives packets a mark before our forward chain sees them.
void leave_a_mark(const Scene& scene, std::uint32_t mark) {
  scene.rules.at_gateway(
      "nft 'add table inet other; add chain inet other early"
      " { type filter hook forward priority -10; };"
      " add rule inet other early meta mark set " +
      std::to_string(mark) + "'");
}

const std::vector<Weakening> kNeverCleared{without("from_tunnel", "no cohort until one is found"),
                                           without("to_tunnel", "no cohort until one is found")};

// The phone has no cohort, but its packets carry the laptop's.
bool passes_with_a_left_over_mark(Scene scene) {
  scene.rules.edit_tables([&](Tables& tables) { tables.cohorts.erase(scene.phone()); });
  leave_a_mark(scene, scene.rules.tables().cohorts.at(scene.laptop()).cohort.value());
  return scene.leaves(scene.syn(scene.phone(), scene.server(), 443));
}

TEST_P(Marks, ALeftOverMarkIsNoCohort) {
  EXPECT_FALSE(passes_with_a_left_over_mark(Scene(GetParam())));
  EXPECT_TRUE(passes_with_a_left_over_mark(Scene(GetParam(), kNeverCleared)));
}

// "Our rules saw this packet" (0x5e0000) is the mark that every packet comes with. No cohort is
// that large, but should a grant to it ever be in the kernel, nobody has it.
bool seen_is_a_cohort(Scene scene) {
  scene.rules.edit_tables([&](Tables& tables) { tables.cohorts.erase(scene.phone()); });
  const AtomMark port =
      find_atom(scene.rules.compiled().space, scene.server(), Protocol::udp, Port(7000));
  scene.rules.at_gateway("nft 'add element inet sekisho grants { " + std::to_string(kSeenMark) +
                         " . " + std::to_string(port.verified()) + " }'");
  return scene.leaves(scene.datagram(scene.phone(), scene.server(), 7000));
}

TEST_P(Marks, TheMarkOfSeenPacketsIsNoCohort) {
  EXPECT_FALSE(seen_is_a_cohort(Scene(GetParam())));
  std::vector<Weakening> open = kNeverCleared;
  open.push_back(without("postrouting", "neither forward nor input judged it"));
  EXPECT_TRUE(seen_is_a_cohort(Scene(GetParam(), open)));
}

// Plain HTTP to the server's port 443, an answer included.
bool http_passes(Scene& scene, std::uint16_t source_port = 0) {
  auto talk = Talk::try_open(scene, 443, source_port);
  return talk && talk->client(kHttp) && talk->server(kHttpAnswer);
}

// The server lost its connections (it was started again), conntrack did not hear of it: the entry
// still says established and proven when the same ports are used again.
bool inherits_the_proof(Scene scene) {
  constexpr std::uint16_t kSourcePort = 4711;
  Talk(scene, 443, kSourcePort).prove();
  return http_passes(scene, kSourcePort);
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
  scene.rules.edit_tables([&](Tables& tables) {
    tables.cohorts[scene.laptop()] = {Cohort(kCohort)};
    for (auto& [where, atom] : tables.atoms) {
      if (!where.addresses.contains(scene.server()) || atom.check() != Check::tls) continue;
      if (small_atoms) atom = small;
      tables.grants[{Cohort(kCohort), atom}] = {};
    }
  });
  scene.rules.at_gateway(
      "nft 'add table inet other; add chain inet other late"
      " { type filter hook postrouting priority 0; };"
      " add rule inet other late meta mark < 0x10000 ct mark set meta mark'");
  return http_passes(scene);
}

TEST_P(Marks, ASavedMarkIsNoProof) {
  EXPECT_FALSE(a_saved_mark_proves(Scene(GetParam()), false));
  EXPECT_TRUE(a_saved_mark_proves(Scene(GetParam()), true));
}

// Another table has conntrack help with FTP, which is granted as an exception: the data connection
// that the server names is expected, and its entry begins with the mark of its parent.
Scene with_ftp(Family family, const std::vector<Weakening>& weakenings) {
  Scene scene(family, weakenings);
  scene.rules.edit([](model::PolicyBuilder& staff) {
    staff.resource("files", Classification::internal, {"203.0.113.10/32", "2001:db8:2::10/128"},
                   {"tcp:21"});
    staff.grant("tanaka-files", "tanaka", "files");
  });
  scene.rules.help_with("ftp", "tcp", 21);
  return scene;
}

constexpr std::uint16_t kDataPort = 8000;

void name_the_data_port(Scene& scene, Talk& control) {
  EXPECT_TRUE(control.server("220 ready\r\n"));
  EXPECT_TRUE(control.client(scene.v4() ? "PASV\r\n" : "EPSV\r\n"));
  EXPECT_TRUE(control.server(scene.v4() ? "227 Entering Passive Mode (203,0,113,10,31,64)\r\n"
                                        : "229 Entering Extended Passive Mode (|||8000|)\r\n"));
}

bool an_expected_connection_passes(Scene scene) {
  Talk control(scene, 21);
  name_the_data_port(scene, control);
  EXPECT_NE(scene.rules.output_of("cat /proc/net/nf_conntrack_expect"), "")
      << "nothing is expected";
  return scene.leaves(scene.syn(scene.laptop(), scene.server(), kDataPort));
}

TEST_P(Marks, AnExpectedConnectionInheritsNoGrant) {
  EXPECT_FALSE(an_expected_connection_passes(with_ftp(GetParam(), {})));
  EXPECT_TRUE(an_expected_connection_passes(
      with_ftp(GetParam(), {without("from_tunnel", "a SYN finds its atom anew"),
                            without("from_tunnel", "an expected flow finds its own atom")})));
}

// The same over UDP, where no SYN tells a flow from the next. The expectation is put in by hand, as
// a helper would.
bool an_expected_datagram_passes(Scene scene) {
  scene.rules.help_with("tftp", "udp", 7000);
  const Packet parent = scene.datagram(scene.laptop(), scene.server(), 7000);
  EXPECT_TRUE(scene.leaves(parent));
  const std::string from = scene.laptop().to_string(), to = scene.server().to_string();
  const std::string whole =
      scene.pick("255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").to_string();
  scene.rules.at_gateway("conntrack -I expect -p udp --orig-src " + from + " --orig-dst " + to +
                         " --orig-port-src " + std::to_string(parent.source_port) +
                         " --orig-port-dst 7000 --tuple-src " + from + " --tuple-dst " + to +
                         " --tuple-port-src 0 --tuple-port-dst 8000 --mask-src " + whole +
                         " --mask-dst " + whole + " --mask-port-src 0 --mask-port-dst 65535 -t 60");
  return scene.leaves(scene.datagram(scene.laptop(), scene.server(), kDataPort));
}

TEST_P(Marks, AnExpectedDatagramInheritsNoGrant) {
  EXPECT_FALSE(an_expected_datagram_passes(Scene(GetParam())));
  EXPECT_TRUE(an_expected_datagram_passes(
      Scene(GetParam(), {without("from_tunnel", "an expected flow finds its own atom")})));
}

}  // namespace
}  // namespace sekisho::attacks

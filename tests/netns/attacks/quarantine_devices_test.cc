// A quarantined device and the other devices; what an isolated one keeps.
#include "tests/netns/attacks/quarantine.h"
#include "tests/netns/attacks/visits.h"

namespace sekisho::attacks {
namespace {

constexpr std::uint16_t kPeers = 8080, kMirror = 8081;

// Device to device: `from` has opened a connection to `to`.
struct Neighbours {
  Neighbours(Ward& ward, const IpAddress& from, const IpAddress& to, std::uint16_t port = kPeers)
      : talk(ward.scene, ward.scene.syn(from, to, port), Wire::wg0) {}
  Talk talk;
};

Neighbours phone_to_laptop(Ward& ward) {
  return {ward, ward.scene.phone(), ward.scene.laptop()};
}
Neighbours laptop_to_phone(Ward& ward) {
  return {ward, ward.scene.laptop(), ward.scene.phone()};
}

bool phone_asks_on(Ward& ward) {
  Neighbours live = phone_to_laptop(ward);
  ward.quarantine();
  return live.talk.client("from the phone");
}

bool laptop_answers_on(Ward& ward) {
  Neighbours live = phone_to_laptop(ward);
  ward.quarantine();
  return live.talk.server("from the laptop");
}

bool laptop_asks_on(Ward& ward) {
  Neighbours live = laptop_to_phone(ward);
  ward.quarantine();
  return live.talk.client("from the laptop");
}

bool phone_answers_on(Ward& ward) {
  Neighbours live = laptop_to_phone(ward);
  ward.quarantine();
  return live.talk.server("from the phone");
}

bool phone_opens(Ward& ward) {
  ward.quarantine();
  return ward.scene.passes(Wire::wg0,
                           ward.scene.syn(ward.scene.phone(), ward.scene.laptop(), kPeers));
}

bool laptop_opens(Ward& ward) {
  ward.quarantine();
  return ward.scene.passes(Wire::wg0,
                           ward.scene.syn(ward.scene.laptop(), ward.scene.phone(), kPeers));
}

// What opens a connection to the phone answers one to the laptop as well (simultaneous open).
bool laptop_answers_anew(Ward& ward) {
  const Packet syn = ward.scene.syn(ward.scene.phone(), ward.scene.laptop(), kPeers);
  EXPECT_TRUE(ward.scene.passes(Wire::wg0, syn));
  ward.quarantine();
  Packet answer = syn.back();
  answer.tcp_flags = kSyn | kAck;
  answer.acknowledged = syn.sequence + 1;
  return ward.scene.passes(Wire::wg0, answer);
}

std::vector<Attempt> attempts() {
  const std::vector<Weakening> kept{established_first("forward")};
  const std::vector<Weakening> ungranted{ungranted_passes(), without("hairpin", "no cohort")};
  const std::vector<Weakening> unguarded{without("hairpin", "no cohort"),
                                         without("hairpin", "an isolated device")};
  const auto one = [](const char* name, bool (*succeeds)(Ward&),
                      const std::vector<Weakening>& open) {
    return Attempt{.name = name, .succeeds = succeeds, .open = open, .in_good_standing = true};
  };
  return {
      one("another device asks on", phone_asks_on, unguarded),
      one("it answers another device on", laptop_answers_on, unguarded),
      one("it asks another device on", laptop_asks_on, kept),
      one("another device answers on", phone_answers_on, kept),
      one("another device opens", phone_opens, unguarded),
      one("it opens to another device", laptop_opens, ungranted),
      one("it answers another device anew", laptop_answers_anew, unguarded),
  };
}

SEKISHO_QUARANTINE(QuarantinedDevices, attempts());

// What an isolated device keeps, on flows that live and on new ones; a cut one has none of it.
class Isolated : public Attack {};
SEKISHO_BOTH_FAMILIES(Isolated);

using Kept = std::vector<std::pair<const char*, bool>>;

Kept kept_by(Ward ward) {
  Talk updates(ward.scene, ward.scene.syn(ward.scene.laptop(), ward.updates(), 443));
  updates.prove();
  Neighbours mirror(ward, ward.scene.laptop(), ward.scene.phone(), kMirror);
  Visit tcp(ward.scene, 53);
  Visit portal(ward.scene, 80);
  Questions udp(ward.scene);
  EXPECT_TRUE(udp.asks());
  ward.quarantine();
  return {
      {"an answer of DNS over UDP", udp.is_answered()},
      {"the next question", udp.asks()},
      {"DNS over TCP", tcp.says("question")},
      {"its answer", tcp.hears("answer")},
      {"the notice page", portal.says("GET") && portal.hears("page")},
      {"the live flow to updates", updates.client("more") && updates.server("more")},
      {"a new one", ward.scene.leaves(ward.scene.syn(ward.scene.laptop(), ward.updates(), 443))},
      {"the live flow to the mirror", mirror.talk.client("more") && mirror.talk.server("more")},
      {"a new one to it",
       ward.scene.passes(Wire::wg0,
                         ward.scene.syn(ward.scene.laptop(), ward.scene.phone(), kMirror))},
  };
}

TEST_P(Isolated, KeepsNameServiceAndRemediation) {
  for (const auto& [what, kept] : kept_by(Ward(GetParam(), {}, Hold::isolate))) {
    EXPECT_TRUE(kept) << what;
  }
  for (const auto& [what, kept] : kept_by(Ward(GetParam(), {}, Hold::cut))) {
    EXPECT_FALSE(kept) << what << ", which a cut device has not";
  }
}

}  // namespace
}  // namespace sekisho::attacks

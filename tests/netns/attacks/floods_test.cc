// Very many packets: of one device, and while the policy changes.
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

using Clock = std::chrono::steady_clock;
using Make = std::function<Packet(Scene&)>;

class Floods : public Attack {};
SEKISHO_BOTH_FAMILIES(Floods);

constexpr int kFlows = 8000;

Packet granted_flow(Scene& scene) {
  return scene.datagram(scene.laptop(), scene.server(), 7000);
}
Packet question_to_the_gateway(Scene& scene) {
  return scene.datagram(scene.laptop(), scene.gateway(), 53);
}

// How many flows of one device are let.
int flows_let(Scene& scene, const Make& make) {
  const auto before = scene.rules.counter("refused") + scene.rules.counter("refused_unlogged");
  for (int i = 0; i < kFlows; ++i) scene.send(Wire::wg0, make(scene));
  const auto after = scene.rules.counter("refused") + scene.rules.counter("refused_unlogged");
  return kFlows - static_cast<int>(after - before);
}

// One flow in 16 is counted, at 256 counted the device is held: about 4096, give or take 250.
TEST_P(Floods, AnyOneDeviceHasAboutFourThousandFlows) {
  for (const Make& make : {Make(granted_flow), Make(question_to_the_gateway)}) {
    Scene kept(GetParam());
    const auto kept_dns = kept.listen(53, SOCK_DGRAM);
    const int let = flows_let(kept, make);
    EXPECT_GT(let, 2500) << "an honest device has many, too";
    EXPECT_LT(let, 6000);
    // Another device is not held for it.
    const Packet phone = kept.datagram(kept.phone(), kept.gateway(), 53);
    const auto refusals = kept.rules.counter("refused");
    kept.send(Wire::wg0, phone);
    EXPECT_EQ(kept.rules.counter("refused"), refusals);

    Scene open(GetParam(), {without("first_packet", "sampled")});
    const auto open_dns = open.listen(53, SOCK_DGRAM);
    EXPECT_EQ(flows_let(open, make), kFlows);
  }
}

// Counting a device's flows takes long, so it is done for few: else it would be an attack itself.
int counted_of(Scene scene, int flows) {
  for (int i = 0; i < flows; ++i) scene.send(Wire::wg0, granted_flow(scene));
  return static_cast<int>(scene.rules.counter("opened"));
}

TEST_P(Floods, FewFlowsAreCounted) {
  constexpr int kSome = 2000;  // 125 on average
  const Weakening tell = first_of_all("count_flow", {nft::Count{"opened"}});
  const Weakening untold = [](Ruleset& ruleset) {
    change_rules(ruleset, "check_none", "recorded",
                 [](nft::Rule& rule) { rule.statements = {nft::Return{}}; });
  };
  const int counted = counted_of(Scene(GetParam(), {tell, untold}), kSome);
  EXPECT_GT(counted, 50);
  EXPECT_LT(counted, 250);
  EXPECT_EQ(
      counted_of(Scene(GetParam(), {tell, untold, lacking<nft::OneIn>("first_packet", "sampled"),
                                    without("first_packet", "over the limit")}),
                 kSome),
      kSome);
}

// Refusals are logged, but not without end: the rest is counted, and nothing is lost.
struct Recorded {
  std::uint64_t logged = 0, counted = 0;
  double seconds = 0;
};

constexpr int kRefusals = 3000;

Recorded recorded(Scene scene) {
  const auto begin = Clock::now();
  for (int i = 0; i < kRefusals; ++i) {
    scene.send(Wire::wg0, scene.syn(scene.phone(), scene.server(), 443));
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  return {.logged = scene.rules.counter("refused"),
          .counted = scene.rules.counter("refused_unlogged"),
          .seconds = took.count()};
}

TEST_P(Floods, RefusalsDoNotDrownTheRecord) {
  const Recorded kept = recorded(Scene(GetParam()));
  EXPECT_LE(static_cast<double>(kept.logged), 51 + 20 * kept.seconds);
  EXPECT_GE(kept.logged, 50U);
  EXPECT_EQ(kept.logged + kept.counted, static_cast<std::uint64_t>(kRefusals));
  const Recorded open = recorded(Scene(GetParam(), {without("log_refusal", "more than 20")}));
  EXPECT_EQ(open.logged, static_cast<std::uint64_t>(kRefusals));
}

// A flood of datagrams that nobody granted, while `change` goes on; how many came through. Nobody
// but the rules is to hold them back: not the policy routing, not the nat chain.
constexpr int kBatch = 64;

struct Flood {
  std::uint64_t sent = 0, leaked = 0;
};

Flood flood_while(Scene& scene, const std::function<void(int)>& change,
                  const std::function<bool(const Flood&, int)>& enough) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> sent = 0, leaked = 0;
  std::thread sender([&] {
    const std::string bytes = to_bytes(scene.datagram(scene.phone(), scene.server(), 7000));
    while (!stop) {
      leaked += scene.flood(bytes, kBatch);
      sent += kBatch;
    }
  });
  const auto end = Clock::now() + std::chrono::minutes(2);
  int round = 0;
  for (; Clock::now() < end && !enough({sent, leaked}, round); ++round) change(round);
  stop = true;
  sender.join();
  return {sent, leaked};
}

TEST_P(Floods, ChangesUnderAFloodLetNothingThrough) {
  const Weakening alone = without("postrouting", "neither forward nor input judged it");
  Scene kept(GetParam(), {alone});
  const auto all_changes = [&](int round) {
    kept.rules.edit([&](model::PolicyBuilder& staff) {
      staff.policy.resources.at(ResourceId("web")).prefixes = {
          model::prefix(round % 2 == 0 ? "203.0.113.10/32" : "203.0.113.0/24"),
          model::prefix("2001:db8:2::10/128")};
    });
    kept.rules.edit_tables([&](Tables& tables) {
      tables.cohorts[kept.phone()] = {Cohort(static_cast<std::uint16_t>(1000 + round % 7))};
    });
    // A rule that somebody added: its chain is filled anew, and stays.
    kept.rules.at_gateway("nft insert rule inet sekisho from_tunnel counter");
    kept.rules.repair();
  };
  const Flood held = flood_while(kept, all_changes, [](const Flood& flood, int round) {
    return round >= 40 && flood.sent >= 20'000;
  });
  EXPECT_GE(held.sent, 20'000U);
  EXPECT_EQ(held.leaked, 0U) << "of " << held.sent;

  // The control: a base chain that goes and comes back.
  Scene open(GetParam(), {alone});
  const auto chain_is_made_anew = [&](int) {
    open.rules.at_gateway(
        "nft 'flush chain inet sekisho forward; delete chain inet sekisho forward'");
    open.rules.repair();
  };
  const Flood leaky = flood_while(open, chain_is_made_anew,
                                  [](const Flood& flood, int) { return flood.leaked > 0; });
  EXPECT_GT(leaky.leaked, 0U) << "of " << leaky.sent;
}

}  // namespace
}  // namespace sekisho::attacks

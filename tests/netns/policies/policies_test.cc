#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <optional>
#include <thread>

#include "gateway/kernel/nftables/nftables.h"
#include "gateway/kernel/route/sysctl.h"
#include "policy/compile/compile.h"
#include "policy/explain/evaluate.h"
#include "policy/model/document.h"
#include "tests/model/random_flow.h"
#include "tests/model/random_policy.h"
#include "tests/model/seeds.h"
#include "tests/model/shares.h"
#include "tests/netns/policies/world.h"

// Random policies in the real kernel, random flows as real packets: what comes out must be what the
// policy's document says (evaluate).
namespace sekisho::policies {
namespace {

using namespace std::chrono_literals;
using kernel::Instant;
using model::kNow;
using model::Random;
using Clock = std::chrono::steady_clock;

constexpr int kFlows = 50;

// A world with the product's rules in it.
class Gateway {
 public:
  Gateway() {
    world_.space().in([&] {
      EXPECT_TRUE(kernel::ensure_conntrack_settings());
      auto opened = kernel::Nftables::open(kernel::Ownership::shared);
      ASSERT_TRUE(opened) << to_string(opened.error());
      nftables_.emplace(std::move(*opened));
    });
  }

  // Into an empty kernel. There `now` is a moment between those that are returned: from then on
  // time passes for what ends by itself.
  struct Began {
    Clock::time_point earliest, latest;
  };
  Began install(const Ruleset& ruleset, const Tables& tables, Instant now) {
    Began began;
    world_.space().in([&] {
      netns::run("nft delete table inet sekisho 2>/dev/null");
      const auto installed = nftables_->install(ruleset, {}, now);
      ASSERT_TRUE(installed) << to_string(installed.error());
      began.earliest = Clock::now();
      const auto applied = nftables_->apply(diff({}, tables), now);
      began.latest = Clock::now();
      ASSERT_TRUE(applied) << to_string(applied.error());
    });
    return began;
  }
  World& world() { return world_; }

 private:
  World world_;
  std::optional<kernel::Nftables> nftables_;
};

// Whether in the kernel it is still the second that evaluate is asked about.
bool in_its_second(const Gateway::Began& began) {
  return Clock::now() < began.earliest + 1s;
}

bool in_good_standing(const ValidPolicy& policy, const IpAddress& device, Time now) {
  const auto gateway = policy.network().gateway_addresses();
  for (const IpAddress& address : gateway) {
    if (address.family() != device.family()) continue;
    const Flow dns{device, address, Protocol::udp, Port(53)};
    return evaluate(policy, dns, now).verdict == Verdict::permit;
  }
  return false;
}

bool in_pool(const ValidPolicy& policy, const IpAddress& address) {
  for (const Prefix& pool : policy.network().pools) {
    if (pool.contains(address)) return true;
  }
  return false;
}

bool to_gateway(const ValidPolicy& policy, const Flow& flow) {
  for (const IpAddress& address : policy.network().gateway_addresses()) {
    if (flow.destination == address) return true;
  }
  return false;
}

// A packet has one family, and a device that sends to itself never asks the gateway. The gateway
// answers pings of its own devices, of which policy says nothing.
bool is_for_the_kernel(const ValidPolicy& policy, const Flow& flow) {
  const bool echo = flow.protocol == Protocol::icmp || flow.protocol == Protocol::icmpv6;
  return flow.source.family() == flow.destination.family() && flow.source != flow.destination &&
         !(echo && to_gateway(policy, flow));
}

Flow packet_flow(Random& random, const ValidPolicy& policy) {
  Flow flow;
  do {
    flow = model::random_flow(random, policy);
  } while (!is_for_the_kernel(policy, flow));
  return flow;
}

// No router forwards these, whatever policy says.
bool goes_nowhere(const IpAddress& destination) {
  static const auto nowhere = [] {
    std::vector<Prefix> list;
    for (const char* text : {"0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32",
                             "::/127", "fe80::/10", "ff00::/8", "::ffff:0:0/96"}) {
      list.push_back(Prefix::parse(text).value());
    }
    return list;
  }();
  return std::ranges::any_of(nowhere, [&](const Prefix& p) { return p.contains(destination); });
}

// What must become of the flow. Between two devices the other one must be in good standing too.
Verdict expected(const ValidPolicy& policy, const Flow& flow, const Decision& decision, Time now) {
  if (goes_nowhere(flow.destination)) return Verdict::refuse;
  if (decision.verdict == Verdict::permit && in_pool(policy, flow.destination) &&
      !to_gateway(policy, flow) && !in_good_standing(policy, flow.destination, now)) {
    return Verdict::refuse;
  }
  return decision.verdict;
}

std::string story(const ValidPolicy& policy, const Flow& flow, const Decision& decision,
                  std::uint64_t seed) {
  return model::to_string(flow) + ": evaluate says " + std::string(to_string(decision.reason)) +
         " (" + explain(policy, flow, decision) + ")\n" + model::replay(seed) + "\n" +
         write_policy(policy.policy(), Syntax::json);
}

TEST(Policies, TheKernelDoesWhatTheDocumentSays) {
  const model::Seeds run = model::seeds(400);
  Gateway gateway;
  model::Shares shares;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const ValidPolicy policy = model::random_valid_policy(random);
    const auto compiled = compile(policy, kNow, nullptr);
    ASSERT_TRUE(compiled) << to_string(compiled.error()) << model::replay(seed);
    shares.count_policy(policy);
    const auto began = gateway.install(make_ruleset(policy.network()), compiled->tables, kNow);
    for (int i = 0; i < kFlows; ++i) {
      const Flow flow = packet_flow(random, policy);
      const Decision decision = evaluate(policy, flow, kNow);
      const Verdict got = gateway.world().send(flow, decision.check);
      if (!in_its_second(began)) break;
      shares.count_flow(decision);
      ASSERT_EQ(got, expected(policy, flow, decision, kNow)) << story(policy, flow, decision, seed);
      ASSERT_EQ(gateway.world().strays(), 0) << story(policy, flow, decision, seed);
    }
  }
  shares.print();
  if (shares.policies < 100) return;  // a replay: shares mean nothing
  shares.expect_enough();
}

// The first second at which something in the tables has ended by itself.
std::optional<Time> first_end(const Compiled& compiled) {
  std::optional<Time> end;
  const auto consider = [&](const std::optional<Time>& until) {
    if (until && (!end || *until < *end)) end = until;
  };
  for (const auto& [address, entry] : compiled.tables.cohorts) consider(entry.until);
  for (const auto& [key, until] : compiled.tables.grants) consider(until);
  if (end && compiled.next_opening && *compiled.next_opening <= *end) return std::nullopt;
  return end;
}

// Nobody writes to the kernel between the two: what ends, ends by itself.
TEST(Policies, WhatEndsEndsByItselfAndNothingElseDoes) {
  const model::Seeds run = model::seeds(60);
  Gateway gateway;
  int ended = 0, went_on = 0;
  for (std::uint64_t seed = run.first; seed < run.first + run.count; ++seed) {
    Random random(seed);
    const ValidPolicy policy = model::random_valid_policy(random);
    const auto compiled = compile(policy, kNow, nullptr);
    ASSERT_TRUE(compiled) << to_string(compiled.error());
    const auto end = first_end(*compiled);
    if (!end) continue;
    const Time before = *end - 1s;
    constexpr auto kBefore = 400ms;
    const auto began =
        gateway.install(make_ruleset(policy.network()), compiled->tables, Instant(*end) - kBefore);
    std::vector<Flow> flows;
    for (int i = 0; i < 300; ++i) {
      const Flow flow = packet_flow(random, policy);
      const Decision decision = evaluate(policy, flow, before);
      if (expected(policy, flow, decision, before) == Verdict::refuse) continue;
      const Verdict got = gateway.world().send(flow, decision.check);
      if (Clock::now() >= began.earliest + kBefore) break;
      ASSERT_EQ(got, Verdict::permit) << story(policy, flow, decision, seed);
      flows.push_back(flow);
    }
    std::this_thread::sleep_until(began.latest + kBefore + 50ms);
    for (const Flow& flow : flows) {
      const Decision decision = evaluate(policy, flow, *end);
      const Verdict after = expected(policy, flow, decision, *end);
      (after == Verdict::permit ? went_on : ended) += 1;
      ASSERT_EQ(gateway.world().send(flow, decision.check), after)
          << story(policy, flow, decision, seed);
    }
  }
  std::cout << ended << " kinds of flow ended by themselves, " << went_on << " went on\n";
  if (run.count < 60) return;
  EXPECT_GE(ended, 20);
  EXPECT_GE(went_on, 20);
}

// The controls: with something broken on the kernel's side, the comparison must notice.

using Break = std::function<void(Policy&, Ruleset&)>;

int disagreements(const Break& broken) {
  Gateway gateway;
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const ValidPolicy policy = model::random_valid_policy(random);
    Policy changed = policy.policy();
    Ruleset ruleset = make_ruleset(policy.network());
    broken(changed, ruleset);
    const auto valid = validate(std::move(changed), policy.network());
    if (!valid) continue;
    const auto began = gateway.install(ruleset, compile(*valid, kNow, nullptr)->tables, kNow);
    for (int i = 0; i < kFlows; ++i) {
      const Flow flow = packet_flow(random, policy);
      const Decision decision = evaluate(policy, flow, kNow);
      const Verdict got = gateway.world().send(flow, decision.check);
      if (!in_its_second(began)) break;
      found += got != expected(policy, flow, decision, kNow);
    }
  }
  return found;
}

TEST(PoliciesControl, AnUnbrokenGatewayAgrees) {
  EXPECT_EQ(disagreements([](Policy&, Ruleset&) {}), 0);
}

TEST(PoliciesControl, IgnoringClassificationIsNoticed) {
  EXPECT_GE(disagreements([](Policy& policy, Ruleset&) {
              for (auto& [id, resource] : policy.resources) {
                resource.classification = Classification::public_;
              }
            }),
            1);
}

TEST(PoliciesControl, IgnoringTheEndOfGrantsIsNoticed) {
  EXPECT_GE(disagreements([](Policy& policy, Ruleset&) {
              for (auto& [id, grant] : policy.grants) grant.until.reset();
            }),
            1);
}

TEST(PoliciesControl, IgnoringBlockedDevicesIsNoticed) {
  EXPECT_GE(disagreements([](Policy& policy, Ruleset&) {
              for (auto& [id, device] : policy.devices) device.state = DeviceState::active;
            }),
            1);
}

// A rule, instead of data: what is from the tunnel may pass.
TEST(PoliciesControl, AChainThatAcceptsIsNoticed) {
  for (const std::string name : {"check_tls", "check_ssh", "check_quic", "unproven", "hairpin",
                                 "to_gateway", "first_packet"}) {
    const Break broken = [&](Policy&, Ruleset& ruleset) {
      for (nft::Chain& chain : ruleset.chains) {
        if (chain.name != name) continue;
        chain.rules.insert(chain.rules.begin(), {{nft::Accept{}}, "everything"});
      }
    };
    EXPECT_GE(disagreements(broken), 1) << name;
  }
}

}  // namespace
}  // namespace sekisho::policies

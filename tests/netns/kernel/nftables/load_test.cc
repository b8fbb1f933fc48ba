// Size: a big company, in one batch.
#include <sys/resource.h>
#include <sys/time.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "policy/compile/render_nft.h"
#include "tests/netns/gateway/nftables.h"

namespace sekisho::kernel {
namespace {

using netns::output_of;
using testing::IsEmpty;
using Clock = std::chrono::steady_clock;

constexpr int kCohorts = 10'000, kAtoms = 2'000, kGrantsEach = 10;

// 10 000 devices in 10 000 cohorts, 2 000 atoms, 100 000 grants, one in four with an end.
Tables big_tables() {
  Tables tables;
  const auto address = [](std::uint32_t host) {
    const std::array bytes{std::uint8_t{10}, std::uint8_t{66}, static_cast<std::uint8_t>(host >> 8),
                           static_cast<std::uint8_t>(host)};
    return IpAddress::from_bytes(bytes);
  };
  for (std::uint32_t i = 1; i <= kCohorts; ++i) {
    tables.cohorts[address(i)] = {Cohort(static_cast<std::uint16_t>(i))};
    for (std::uint32_t grant = 0; grant < kGrantsEach; ++grant) {
      const AtomMark atom(AtomMark::kFirstAtom + (i * 7 + grant * 131) % kAtoms, Check::tls);
      std::optional<Time> until;
      if (grant % 4 == 0) until = in_seconds(3600);
      tables.grants[{Cohort(static_cast<std::uint16_t>(i)), atom}] = until;
    }
  }
  for (std::uint32_t i = 0; i < kAtoms; ++i) {
    const std::array first{std::uint8_t{172}, static_cast<std::uint8_t>(16 + (i >> 8)),
                           static_cast<std::uint8_t>(i), std::uint8_t{0}};
    auto last = first;
    last[3] = 255;
    tables.atoms[{{IpAddress::from_bytes(first), IpAddress::from_bytes(last)},
                  Protocol::tcp,
                  PortRange::single(443)}] = AtomMark(AtomMark::kFirstAtom + i, Check::tls);
  }
  return tables;
}

// Seconds on the clock, and of a processor's time in this process and its children: only the second
// can be compared on a busy machine.
struct Took {
  double wall = 0, processor = 0;
};

double processor_seconds() {
  double seconds = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
      seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    }
  }
  return seconds;
}

template <class Work>
Took seconds(Work work) {
  const auto start = Clock::now();
  const double before = processor_seconds();
  work();
  return {std::chrono::duration<double>(Clock::now() - start).count(),
          processor_seconds() - before};
}

void tell(const char* what, const Took& took) {
  std::printf("%-32s %7.4f s, %7.4f s of a processor\n", what, took.wall, took.processor);
}

TEST(Load, ABigCompanyInOneBatch) {
  const Tables tables = big_tables();
  ASSERT_EQ(tables.grants.size(), std::size_t{kCohorts} * kGrantsEach);
  const Ruleset ruleset = make_ruleset(network());
  const netns::Namespace space;
  space.in([&] {
    auto nftables = open_nftables();
    install(nftables, ruleset, {});
    const auto before = nftables.generation().value();
    const auto all = diff(Tables{}, tables);
    const auto load = seconds([&] {
      const auto applied = nftables.apply(all, now());
      ASSERT_TRUE(applied.has_value()) << to_string(applied.error());
    });
    tell("loaded and read back", load);
    EXPECT_EQ(nftables.generation().value(), before + 1) << "one batch";

    Tables less = tables;
    less.grants.erase(less.grants.begin());
    const auto one = diff(tables, less);
    const auto change = seconds([&] { ASSERT_TRUE(nftables.apply(one, now()).has_value()); });
    tell("one grant removed", change);
    install(nftables, ruleset, less);
    std::vector<std::string> differences{"not read"};
    const auto look = seconds([&] { differences = observe(nftables, ruleset, less); });
    tell("everything read", look);
    EXPECT_THAT(differences, IsEmpty());
  });
}

// After a load the kernel goes on making the sets larger, and a dump meanwhile passes elements over
// or gives them twice. Neither may be taken for a difference.
TEST(Load, WhatIsReadWhileTheSetsStillGrowIsRight) {
  const Tables tables = big_tables();
  const Ruleset ruleset = make_ruleset(network());
  const auto all = diff(Tables{}, tables);
  for (int round = 0; round < 10; ++round) {
    const netns::Namespace space;
    space.in([&] {
      auto nftables = open_nftables();
      install(nftables, ruleset, {});
      const auto applied = nftables.apply(all, now());
      ASSERT_TRUE(applied.has_value()) << to_string(applied.error());
      EXPECT_THAT(observe(nftables, ruleset, tables), IsEmpty());
    });
  }
}

// The same contents by nft itself: they are the same. How long both take is told, not held:
// machines are shared.
TEST(Load, AsNftLoadsIt) {
  const Tables tables = big_tables();
  const Ruleset ruleset = make_ruleset(network());
  const auto path = std::filesystem::temp_directory_path() / "sekisho-load.nft";
  std::ofstream(path) << render_nft(ruleset, tables, in_seconds(0));
  Took by_nft, by_us;
  const netns::Namespace theirs;
  theirs.in([&] {
    by_nft = seconds([&] { netns::must("nft -f " + path.string()); });
    auto nftables = open_nftables();
    // Ends are relative in nft's text, so they come as late as the loading took.
    Tables lasting = tables;
    for (auto& [grant, until] : lasting.grants) until.reset();
    for (const auto& line : observe(nftables, ruleset, lasting)) {
      EXPECT_THAT(line, testing::AnyOf(testing::HasSubstr("where it never ends"),
                                       testing::HasSubstr("more differences")));
    }
  });
  std::filesystem::remove(path);
  const netns::Namespace ours;
  ours.in([&] {
    auto nftables = open_nftables();
    install(nftables, ruleset, {});
    const auto all = diff(Tables{}, tables);
    by_us = seconds([&] { ASSERT_TRUE(nftables.apply(all, now()).has_value()); });
  });
  tell("nft -f", by_nft);
  tell("we, with reading back", by_us);
}

TEST(Load, InstallsABigCompany) {
  const Tables tables = big_tables();
  const netns::Namespace space;
  space.in([&] {
    auto nftables = open_nftables();
    tell("installed and read back",
         seconds([&] { install(nftables, make_ruleset(network()), tables); }));
    EXPECT_THAT(observe(nftables, make_ruleset(network()), tables), IsEmpty());
  });
}

// A refused message in the middle of a big batch: all of it is undone.
TEST(Load, ABigBatchThatFailsChangesNothing) {
  const Tables tables = big_tables();
  const netns::Namespace space;
  space.in([&] {
    auto nftables = open_nftables();
    install(nftables, make_ruleset(network()), {});
    auto all = diff(Tables{}, tables);
    all.remove_atoms = {{destination("192.0.2.1", "192.0.2.1", Protocol::tcp, 443), kTls}};
    const auto applied = nftables.apply(all, now());
    ASSERT_FALSE(applied.has_value());
    EXPECT_THAT(to_string(applied.error()),
                testing::HasSubstr("192.0.2.1 . 6 . 443 removed from atoms4"));
    EXPECT_THAT(observe(nftables, make_ruleset(network()), {}), IsEmpty());
  });
}

}  // namespace
}  // namespace sekisho::kernel

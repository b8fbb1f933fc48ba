#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "gateway/kernel/nftables/nftables.h"
#include "policy/compile/ruleset.h"
#include "tests/netns/support/namespace.h"

namespace sekisho::kernel {

inline Instant now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

inline Time in_seconds(int seconds) {
  return std::chrono::time_point_cast<std::chrono::seconds>(now()) + std::chrono::seconds(seconds);
}

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

inline Network network(const std::vector<std::string>& pools = {"10.66.0.0/16", "fd66::/64"}) {
  Network network;
  for (const auto& pool : pools) network.pools.push_back(Prefix::parse(pool).value());
  return network;
}

inline Destinations destination(const std::string& first, const std::string& last,
                                Protocol protocol, std::uint16_t port) {
  return {{ip(first), ip(last)}, protocol, PortRange::single(port)};
}

inline const AtomMark kTls(0x1001, Check::tls), kSsh(0x1002, Check::ssh),
    kFree(0x1003, Check::none), kQuic(0x1004, Check::quic);

// A little of everything, of both families.
inline Tables some_tables() {
  Tables tables;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(1)};
  tables.cohorts[ip("10.66.0.3")] = {Cohort(2)};
  tables.cohorts[ip("fd66::2")] = {Cohort(1)};
  tables.atoms[destination("203.0.113.0", "203.0.113.255", Protocol::tcp, 443)] = kTls;
  tables.atoms[destination("203.0.113.0", "203.0.113.255", Protocol::tcp, 22)] = kSsh;
  tables.atoms[destination("2001:db8::1", "2001:db8::ffff", Protocol::tcp, 443)] = kTls;
  tables.atoms[{{ip("10.66.0.1"), ip("10.66.0.1")}, Protocol::udp, {Port(53), Port(54)}}] = kFree;
  tables.grants[{Cohort(1), kTls}] = {};
  tables.grants[{Cohort(1), kSsh}] = {};
  tables.grants[{Cohort(2), kSsh}] = {};
  tables.grants[{Cohort(1), kFree}] = {};
  return tables;
}

// Opens, or fails the test.
inline Nftables open_nftables(Ownership ownership = Ownership::shared) {
  auto opened = Nftables::open(ownership);
  if (!opened) ADD_FAILURE() << to_string(opened.error());
  return std::move(*opened);
}

inline std::vector<std::string> install(Nftables& nftables, const Ruleset& ruleset,
                                        const Tables& tables) {
  const auto installed = nftables.install(ruleset, tables, now());
  EXPECT_TRUE(installed.has_value()) << (installed ? "" : to_string(installed.error()));
  return installed ? installed->changes : std::vector<std::string>{"failed"};
}

inline std::vector<std::string> observe(Nftables& nftables, const Ruleset& ruleset,
                                        const Tables& tables) {
  const auto observed = nftables.observe(ruleset, tables, now());
  EXPECT_TRUE(observed.has_value()) << (observed ? "" : to_string(observed.error()));
  return observed ? *observed : std::vector<std::string>{"failed"};
}

inline void apply(Nftables& nftables, const Tables& from, const Tables& to) {
  const auto applied = nftables.apply(diff(from, to), now());
  EXPECT_TRUE(applied.has_value()) << (applied ? "" : to_string(applied.error()));
}

}  // namespace sekisho::kernel

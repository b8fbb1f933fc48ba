#include "gateway/kernel/nftables/elements.h"

#include <gmock/gmock.h>

#include "policy/compile/ruleset.h"

namespace sekisho::kernel {
namespace {

using std::chrono::milliseconds;

const Time kNow = parse_time("2026-11-22T09:00:00Z").value();

IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

std::vector<std::uint8_t> bytes(const ElementKey& key) {
  return {key.span().begin(), key.span().end()};
}

TEST(Elements, CohortsAreKeyedByTheBareAddress) {
  Tables tables;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(7)};
  const auto contents = contents_of(tables, kNow);
  ASSERT_EQ(contents.at("cohort4").size(), 1u);
  const auto& element = contents.at("cohort4").front();
  EXPECT_EQ(bytes(element.first), (std::vector<std::uint8_t>{10, 66, 0, 2}));
  EXPECT_EQ(element.last.size, 0);
  EXPECT_EQ(element.mark, 7u);
  EXPECT_FALSE(element.left);
  EXPECT_TRUE(contents.at("cohort6").empty());
}

TEST(Elements, AtomsAreKeyedByPaddedFieldsInNetworkOrder) {
  Tables tables;
  tables
      .atoms[{{ip("203.0.113.0"), ip("203.0.113.255")}, Protocol::tcp, {Port(443), Port(0x1234)}}] =
      AtomMark(0x1001, Check::tls);
  const auto contents = contents_of(tables, kNow);
  const auto& element = contents.at("atoms4").front();
  EXPECT_EQ(bytes(element.first),
            (std::vector<std::uint8_t>{203, 0, 113, 0, 6, 0, 0, 0, 0x01, 0xbb, 0, 0}));
  EXPECT_EQ(bytes(element.last),
            (std::vector<std::uint8_t>{203, 0, 113, 255, 6, 0, 0, 0, 0x12, 0x34, 0, 0}));
  EXPECT_EQ(element.mark, 0x10014u);
}

TEST(Elements, GrantsHoldTheProvenMark) {
  Tables tables;
  tables.grants[{Cohort(1), AtomMark(0x1001, Check::tls)}] = kNow + std::chrono::seconds(5);
  const auto contents = contents_of(tables, kNow + milliseconds(250));
  const auto& element = contents.at("grants").front();
  EXPECT_EQ(describe("grants", element), "0x1 . 0x10017");
  EXPECT_EQ(element.left, milliseconds(4750));
}

TEST(Elements, WhatHasEndedIsNoElement) {
  Tables tables;
  tables.grants[{Cohort(1), AtomMark(0x1001, Check::tls)}] = kNow;
  tables.cohorts[ip("10.66.0.2")] = {Cohort(1), kNow - std::chrono::seconds(1)};
  tables.cohorts[ip("10.66.0.3")] = {Cohort(1), kNow + std::chrono::seconds(1)};
  const auto contents = contents_of(tables, kNow + milliseconds(999));
  EXPECT_TRUE(contents.at("grants").empty());
  ASSERT_EQ(contents.at("cohort4").size(), 1u);
  EXPECT_EQ(contents.at("cohort4").front().left, milliseconds(1));
}

TEST(Elements, EverySetIsThereAndSorted) {
  Tables tables;
  for (int i = 255; i > 0; --i) {
    tables.grants[{Cohort(static_cast<std::uint16_t>(i)), AtomMark(0x1001, Check::tls)}] = {};
  }
  const auto contents = contents_of(tables, kNow);
  EXPECT_EQ(contents.size(), 5u);
  const auto& grants = contents.at("grants");
  EXPECT_TRUE(std::ranges::is_sorted(grants, {}, [](const Element& e) { return e.first; }));
}

TEST(Elements, AChangeRemovesByPlaceAndAddsWithItsEnd) {
  TablesDiff diff;
  diff.remove_grants = {{{Cohort(1), AtomMark(0x1001, Check::tls)}, kNow}};
  diff.add_grants = {{{Cohort(1), AtomMark(0x1001, Check::tls)}, kNow + std::chrono::hours(1)}};
  diff.add_cohorts = {{ip("fd66::2"), {Cohort(3), kNow}}};
  const auto change = change_of(diff, kNow);
  ASSERT_EQ(change.gone.at("grants").size(), 1u);
  EXPECT_FALSE(change.gone.at("grants").front().left);
  EXPECT_EQ(change.come.at("grants").front().left, milliseconds(3'600'000));
  EXPECT_TRUE(change.come.at("cohort6").empty()) << "it ended before it came";
}

TEST(Elements, AreDescribedAsAnAdministratorWouldWriteThem) {
  Tables tables;
  tables.cohorts[ip("fd66::2")] = {Cohort(7)};
  tables.atoms[{{ip("2001:db8::"), ip("2001:db8::ff")}, Protocol::udp, {Port(53), Port(54)}}] =
      AtomMark(0x1001, Check::none);
  tables.atoms[{{ip("192.0.2.1"), ip("192.0.2.1")}, Protocol::tcp, PortRange::single(443)}] =
      AtomMark(0x1002, Check::tls);
  const auto contents = contents_of(tables, kNow);
  EXPECT_EQ(describe("cohort6", contents.at("cohort6").front()), "fd66::2");
  EXPECT_EQ(describe("atoms6", contents.at("atoms6").front()),
            "2001:db8::-2001:db8::ff . 17 . 53-54");
  EXPECT_EQ(describe("atoms4", contents.at("atoms4").front()), "192.0.2.1 . 6 . 443");
}

TEST(Elements, EndsAreComparedWithTolerance) {
  Element never, soon{.first = {}, .left = milliseconds(5000)}, later = soon;
  later.left = milliseconds(6999);
  EXPECT_TRUE(soon.ends_with(later, milliseconds(2000)));
  EXPECT_FALSE(soon.ends_with(later, milliseconds(1998)));
  EXPECT_FALSE(soon.ends_with(never, milliseconds(1'000'000)));
  EXPECT_TRUE(never.ends_with(never, milliseconds(0)));
}

}  // namespace
}  // namespace sekisho::kernel

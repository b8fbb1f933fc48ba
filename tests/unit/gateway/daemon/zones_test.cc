#include "gateway/daemon/zones.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/zoneinfo.h"

namespace sekisho::daemon {
namespace {

namespace fs = std::filesystem;

TEST(Zones, AreThoseOfTheBox) {
  const TimeZones all = load_time_zones();
  EXPECT_GT(all.size(), 400U);
  for (const char* name : {"Asia/Tokyo", "Europe/Berlin", "America/Argentina/Ushuaia", "UTC"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    EXPECT_EQ(all.at(name), zone(name));
  }
  for (const auto& [name, rules] : all) {
    EXPECT_FALSE(name.starts_with("right/") || name.starts_with("posix")) << name;
  }
}

TEST(Zones, WhatCannotBeReadIsLeftOut) {
  const fs::path folder = fs::path(testing::TempDir()) / "zones";
  fs::remove_all(folder);
  EXPECT_TRUE(load_time_zones(folder).empty()) << "no such folder";
  fs::create_directories(folder / "Asia");
  const std::string tokyo = zone_file("Asia/Tokyo");
  std::ofstream(folder / "Asia" / "Tokyo") << tokyo;
  std::ofstream(folder / "Asia" / "Broken") << tokyo.substr(0, 60);
  std::ofstream(folder / "zone.tab") << "JP Asia/Tokyo";
  const TimeZones read = load_time_zones(folder);
  EXPECT_EQ(read.size(), 1U);
  EXPECT_TRUE(read.contains("Asia/Tokyo"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace sekisho::daemon

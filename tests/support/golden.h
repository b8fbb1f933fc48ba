#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace sekisho {

// SEKISHO_BLESS=1 in the environment rewrites what is expected (scripts/bless-golden): look at the
// difference before committing it.
inline bool blessing() {
  const char* value = std::getenv("SEKISHO_BLESS");
  return value != nullptr && std::string_view(value) == "1";
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void expect_file(const std::filesystem::path& path, const std::string& text) {
  if (blessing()) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(read_file(path), text) << path << " (scripts/bless-golden accepts the new text)";
}

}  // namespace sekisho

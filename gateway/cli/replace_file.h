#pragma once

#include <filesystem>
#include <string_view>

#include "policy/base/result.h"

namespace sekisho::cli {

// Gives the file these contents, at once or not at all: they are written aside, reach the disk, and
// take the file's place with its mode and owner. Where the path is a link, it stays one.
Result<void> replace_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace sekisho::cli

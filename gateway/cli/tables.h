#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/control/message.h"

// Values in rows and columns, for a terminal.
namespace sekisho::cli {

// One value on one line.
std::string cell(const Node& node);

// Columns on a terminal: East Asian wide characters take two, continuation bytes none.
std::size_t width(std::string_view text);
std::string padded(std::string text, std::size_t columns);

// Each column as wide as its widest cell.
std::string aligned(const std::vector<std::vector<std::string>>& lines);
// One line for each row, which is a table, below the names of its members. What has several lines
// ("before", "after") is left to --json.
std::string table_of(const Node::Array& rows);

}  // namespace sekisho::cli

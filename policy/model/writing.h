#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policy/model/node.h"

namespace sekisho {

// What the writers of TOML and JSON share. Inside policy/model only.

// A line that would become longer is broken up, one element of an array on each.
inline constexpr std::size_t kLineWidth = 100;

// The digits of a finite number such that reading them gives the same double, and no integer.
std::string write_number(double number);
// Appends `text` in double quotes, with the escapes that TOML and JSON have in common. UTF-8 stays
// as it is.
void write_string(std::string& out, std::string_view text);
// The columns that `text` takes, counted in characters.
std::size_t width(std::string_view text);

}  // namespace sekisho

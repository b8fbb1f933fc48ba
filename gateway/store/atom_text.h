#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/result.h"
#include "policy/compile/atoms.h"

namespace sekisho::store {

// Atoms as text: a line "NUMBER CHECK RESOURCE,RESOURCE" for each, below it an indented line
// " FIRST LAST PROTOCOL FIRSTPORT LASTPORT" for each of its boxes. Equal atoms give equal texts.
std::string write_atoms(const std::vector<Atom>& atoms);
// As one of these boxes alone: "FIRST LAST PROTOCOL FIRSTPORT LASTPORT".
std::string write_box(const Destinations& box);
std::optional<Destinations> read_box(std::string_view line);
// Exactly what write_atoms() wrote; anything else is an error that names the line.
Result<std::vector<Atom>> read_atoms(std::string_view text);

}  // namespace sekisho::store

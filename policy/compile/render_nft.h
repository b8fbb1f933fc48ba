#pragma once

#include <string>

#include "policy/base/time.h"
#include "policy/compile/ruleset.h"
#include "policy/compile/tables.h"

namespace sekisho {

// A rule as `nft list ruleset` prints it, with its comment; a statement likewise.
std::string to_nft(const nft::Rule& rule);
std::string to_nft(const nft::Statement& statement);

// The table for `nft -f`, empty of policy. Spelled and ordered as nft 1.0.6 lists it.
std::string render_nft(const Ruleset& ruleset);
// The same with its contents at `now`: what ended is left out, what ends carries the seconds that
// remain as its timeout.
std::string render_nft(const Ruleset& ruleset, const Tables& tables, Time now);

}  // namespace sekisho

#pragma once

#include <cstdint>
#include <string>

namespace sekisho::model {

// The seeds of a run: `count` of them from `first` on. SEKISHO_MODEL_SEED sets the first and
// SEKISHO_MODEL_COUNT the count; else the first is drawn anew for each run and printed.
struct Seeds {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};
Seeds seeds(std::uint64_t count);

// What to set to see one seed again.
std::string replay(std::uint64_t seed);

}  // namespace sekisho::model

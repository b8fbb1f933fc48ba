#include "tests/model/seeds.h"

#include <cstdlib>
#include <iostream>
#include <random>

namespace sekisho::model {

Seeds seeds(std::uint64_t count) {
  Seeds result{.first = std::random_device{}(), .count = count};
  if (const char* first = std::getenv("SEKISHO_MODEL_SEED")) result.first = std::stoull(first);
  if (const char* wanted = std::getenv("SEKISHO_MODEL_COUNT")) result.count = std::stoull(wanted);
  std::cout << "seeds from " << result.first << ", " << result.count << " of them\n";
  return result;
}

std::string replay(std::uint64_t seed) {
  return "replay with SEKISHO_MODEL_SEED=" + std::to_string(seed) + " SEKISHO_MODEL_COUNT=1";
}

}  // namespace sekisho::model

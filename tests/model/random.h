#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace sekisho::model {

// Draws that are the same everywhere for one seed (the standard's distributions are not).
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // 0 to `bound` - 1; bound > 0.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  // `low` to `high`, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool percent(unsigned chance) { return below(100) < chance; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  // Any element of a map or set; it must not be empty.
  template <class Container>
  auto pick_from(Container& from) {
    return std::next(from.begin(), static_cast<std::ptrdiff_t>(below(from.size())));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace sekisho::model

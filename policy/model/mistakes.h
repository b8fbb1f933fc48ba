#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/base/result.h"
#include "policy/model/node.h"

namespace sekisho {

// More than a reader can use; what is beyond is counted.
inline constexpr std::size_t kMaxMistakes = 200;

// Collects what is wrong with one document, so that all of it is told at once.
class Mistakes {
 public:
  // `path` names the object, as member_path() writes it. `at` is empty where there is no text.
  void add(std::string path, Position at, std::string cause, std::string advice = {});
  // True once further mistakes are only counted: causes and advice need not be worked out.
  bool full() const { return mistakes_.size() >= kMaxMistakes; }
  bool empty() const { return mistakes_.empty(); }
  // Sorted by position, then in the order they were added.
  Errors take(std::string_view file);

 private:
  std::vector<std::pair<Position, Error>> mistakes_;
  std::size_t untold_ = 0;
};

// "grant" and "sales-wiki" make "grant.sales-wiki"; a key with anything but letters, digits, "-"
// and
// "_" is quoted, as in TOML.
std::string member_path(std::string_view table, std::string_view key);
// "services" and "tcp:5432" make "services[tcp:5432]".
std::string element_path(std::string_view array, std::string_view element);

// "did you mean ...?" where a candidate is near, else nothing.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace sekisho

#include "policy/model/mistakes.h"

#include <algorithm>
#include <iterator>

#include "policy/base/text.h"

namespace sekisho {

void Mistakes::add(std::string path, Position at, std::string cause, std::string advice) {
  if (full()) {
    ++untold_;
    return;
  }
  mistakes_.emplace_back(at, Error{.code = ErrorCode::invalid,
                                   .object = std::move(path),
                                   .cause = std::move(cause),
                                   .advice = std::move(advice)});
}

Errors Mistakes::take(std::string_view file) {
  std::ranges::stable_sort(mistakes_, {}, &std::pair<Position, Error>::first);
  Errors errors;
  for (auto& [position, error] : mistakes_) {
    error.place = to_string(file, position);
    errors.push_back(std::move(error));
  }
  if (untold_ > 0) {
    errors.push_back(Error{.code = ErrorCode::invalid,
                           .object = {},
                           .cause = "and " + std::to_string(untold_) + " more mistakes",
                           .advice = "mend these first"});
  }
  mistakes_.clear();
  untold_ = 0;
  return errors;
}

std::string member_path(std::string_view table, std::string_view key) {
  const bool bare = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  const std::string name = bare ? printable(key) : quote(key);
  return table.empty() ? name : std::string(table) + '.' + name;
}

std::string element_path(std::string_view array, std::string_view element) {
  return std::string(array) + '[' + std::string(element) + ']';
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
  const auto near = nearest(word, candidates);
  return near ? "did you mean " + quote(*near) + "?" : "";
}

}  // namespace sekisho

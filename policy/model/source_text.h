#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policy/model/node.h"

namespace sekisho {

// The text of a document being read, and where in it the reader stands. Inside policy/model only.
class SourceText {
 public:
  // Skips a byte order mark. `text` outlives this.
  SourceText(std::string_view text, std::string_view file);

  std::string_view text() const { return text_; }
  // Refuses what no syntax allows: too many bytes, NUL, broken UTF-8.
  Result<void> check() const;
  // The position of the byte at `offset`, which never lies before the one asked for last time.
  Position at(std::size_t offset);
  std::unexpected<Error> error(Position position, std::string cause, std::string advice = {}) const;
  std::unexpected<Error> too_deep(Position position) const;
  std::unexpected<Error> too_many_values(Position position) const;

 private:
  std::string_view text_;
  std::string_view file_;
  std::size_t offset_ = 0;
  Position position_{1, 1};
};

// Of TOML: the end of the string that begins with the quote at `at`: the offset after its last
// quote, or of the line end where it is cut off.
std::size_t end_of_string(std::string_view text, std::size_t at);

}  // namespace sekisho

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "policy/base/result.h"
#include "policy/base/time.h"

namespace sekisho {

// Where a value begins in its text: 1-based, columns in bytes; line 0 where there is no text.
struct Position {
  int line = 0;
  int column = 0;
  bool operator==(const Position&) const = default;
};

// A value of a document before it means anything: what TOML and JSON have in common, with its place.
// Two syntaxes read into it and write from it; one decoder (document.h) gives it meaning, so the two
// can never come to mean different things.
struct Node {
  using Array = std::vector<Node>;
  using Table = std::vector<std::pair<std::string, Node>>;  // in the order of the text, keys unique
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Time, Array, Table> value;
  Position position = {};

  const Table* table() const { return std::get_if<Table>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const std::string* string() const { return std::get_if<std::string>(&value); }
  // The member of a table; nullptr where there is none or this is no table.
  const Node* find(std::string_view key) const;
};

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{32} << 20;
inline constexpr int kMaxNesting = 32;

// Reading refuses, with the place: more than kMaxDocumentBytes, deeper than kMaxNesting, NUL, text
// that is not UTF-8, repeated keys, syntax errors. `file` only names the input in errors.
Result<Node> read_toml(std::string_view text, std::string_view file);
Result<Node> read_json(std::string_view text, std::string_view file);
// TOML needs a table at the root. JSON is written with two spaces of indent, or on one line.
std::string write_toml(const Node& root);
std::string write_json(const Node& root, bool one_line = false);

}  // namespace sekisho

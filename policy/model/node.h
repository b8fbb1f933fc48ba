#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/base/result.h"
#include "policy/base/time.h"

namespace sekisho {

// Where a value begins in its text: 1-based, columns in characters (Unicode code points); line 0
// where there is no text.
struct Position {
  int line = 0;
  int column = 0;
  auto operator<=>(const Position&) const = default;
};

// "file:line:column"; empty where there is no text.
std::string to_string(std::string_view file, Position position);

// A value of a document before it means anything: what TOML and JSON have in common, with its
// place. Two syntaxes read into it and write from it; one decoder (document.h) gives it meaning, so
// the two can never come to mean different things.
struct Node {
  using Array = std::vector<Node>;
  struct Member;
  using Table = std::vector<Member>;  // in the order of the text, keys unique
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Time, Array, Table> value;
  Position position = {};

  const Table* table() const { return std::get_if<Table>(&value); }
  const Array* array() const { return std::get_if<Array>(&value); }
  const std::string* string() const { return std::get_if<std::string>(&value); }
  // The member of a table; nullptr where there is none or this is no table.
  const Node* find(std::string_view key) const;
};

struct Node::Member {
  std::string first;  // the key
  Node second;
};

inline constexpr std::size_t kMaxDocumentBytes = std::size_t{32} << 20;
inline constexpr std::size_t kMaxDocumentValues = 4'000'000;
inline constexpr int kMaxNesting = 32;

// Reading refuses, with the place: more than kMaxDocumentBytes or kMaxDocumentValues, deeper than
// kMaxNesting, NUL, text that is not UTF-8, repeated keys, numbers that are no int64 or finite
// double, syntax errors. A byte order mark at the beginning is skipped. `file` only names the input
// in errors.
Result<Node> read_toml(std::string_view text, std::string_view file);  // TOML 1.0
Result<Node> read_json(std::string_view text, std::string_view file);  // RFC 8259
// The canonical text: equal nodes give equal texts, and reading a text back gives the node that was
// written, without the positions; in JSON a Time comes back as its RFC 3339 string. TOML writes the
// tables within a table after its other members; it needs a table at the root and knows no null.
// JSON has two spaces of indent, or is one line. A TOML date or time that is no Time is read as the
// string of its text.
std::string write_toml(const Node& root);
std::string write_json(const Node& root, bool one_line = false);
// Goes on with what write_toml() writes, member by member of a root that is never there as a whole:
// the member `key`, or `key` of the root's table `section`. What is no table comes first.
void add_toml(std::string& out, std::string_view key, const Node& node);
void add_toml(std::string& out, std::string_view section, std::string_view key, const Node& node);

}  // namespace sekisho

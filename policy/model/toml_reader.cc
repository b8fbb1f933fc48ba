#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "policy/base/text.h"
#include "policy/model/node.h"
#include "policy/model/source_text.h"
#include "policy/model/tomlplusplus.h"

namespace sekisho {
namespace {

// toml++ recurses for every level of nesting, while reading and while destroying; so depth and
// amount are limited before it sees the text. Brackets and the parts of dotted keys both nest.
// Where this scan and toml++ could come to disagree about what is a string, toml++ has met a syntax
// error before.
Result<void> check_shape(SourceText source) {
  const std::string_view text = source.text();
  int brackets = 0;
  int dots = 0;
  std::size_t values = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
      continue;
    }
    if (c == '[' || c == '{') ++brackets;
    if (c == ']' || c == '}') brackets = std::max(0, brackets - 1);
    if (c == '.') ++dots;
    if (std::string_view("\n=,[]{}").find(c) != std::string_view::npos) dots = 0;
    if (std::string_view("=,[{").find(c) != std::string_view::npos) ++values;
    if (brackets + dots > kMaxNesting) return source.too_deep(source.at(i));
    if (values > kMaxDocumentValues) return source.too_many_values(source.at(i));
    ++i;
  }
  return {};
}

Position position_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

class Converter {
 public:
  explicit Converter(const SourceText& source) : source_(source) {}

  Result<Node> convert(const toml::node& node, int depth) {
    const Position position = position_of(node.source());
    if (depth > kMaxNesting) return source_.too_deep(position);
    Node result{.value = {}, .position = position};
    if (const toml::table* table = node.as_table()) {
      auto members = convert_table(*table, depth);
      if (!members) return std::unexpected(std::move(members.error()));
      result.value = std::move(*members);
    } else if (const toml::array* array = node.as_array()) {
      Node::Array elements;
      elements.reserve(array->size());
      for (const toml::node& element : *array) {
        auto converted = convert(element, depth + 1);
        if (!converted) return converted;
        elements.push_back(std::move(*converted));
      }
      result.value = std::move(elements);
    } else if (const auto* text = node.as_string()) {
      if (text->get().find('\0') != std::string::npos) return nul(position);
      result.value = text->get();
    } else if (const auto* integer = node.as_integer()) {
      result.value = integer->get();
    } else if (const auto* number = node.as_floating_point()) {
      if (!std::isfinite(number->get())) return source_.error(position, "not a finite number");
      result.value = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
      result.value = boolean->get();
    } else {
      result.value = convert_time(node);
    }
    return result;
  }

 private:
  Result<Node::Table> convert_table(const toml::table& table, int depth) {
    Node::Table members;
    members.reserve(table.size());
    std::vector<std::pair<Position, std::size_t>> order;  // toml++ sorts by key
    order.reserve(table.size());
    for (const auto& [key, value] : table) {
      const Position position = position_of(key.source());
      if (key.str().find('\0') != std::string_view::npos) return nul(position);
      auto converted = convert(value, depth + 1);
      if (!converted) return std::unexpected(std::move(converted.error()));
      order.emplace_back(position, members.size());
      members.emplace_back(std::string(key.str()), std::move(*converted));
    }
    std::ranges::sort(order);
    Node::Table sorted;
    sorted.reserve(members.size());
    for (const auto& [position, index] : order) sorted.push_back(std::move(members[index]));
    return sorted;
  }

  static decltype(Node::value) convert_time(const toml::node& node) {
    std::ostringstream text;
    if (const auto* date = node.as_date()) text << date->get();
    if (const auto* time = node.as_time()) text << time->get();
    if (const auto* date_time = node.as_date_time()) text << date_time->get();
    if (const auto time = parse_time(text.str())) return *time;
    return text.str();
  }

  std::unexpected<Error> nul(Position position) const {
    return source_.error(position, "a NUL character", "take it out");
  }

  const SourceText& source_;
};

}  // namespace

Result<Node> read_toml(std::string_view text, std::string_view file) {
  const SourceText source(text, file);
  if (auto checked = source.check(); !checked) return std::unexpected(checked.error());
  if (auto checked = check_shape(source); !checked) return std::unexpected(checked.error());
  const toml::parse_result parsed = toml::parse(source.text());
  if (!parsed) {
    return source.error(position_of(parsed.error().source()),
                        printable(parsed.error().description()));
  }
  return Converter(source).convert(parsed.table(), 0);
}

}  // namespace sekisho

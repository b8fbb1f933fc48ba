#include <algorithm>
#include <cassert>
#include <type_traits>

#include "policy/model/node.h"
#include "policy/model/writing.h"

namespace sekisho {
namespace {

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

void write_key(std::string& out, std::string_view key) {
  if (is_bare_key(key)) {
    out += key;
  } else {
    write_string(out, key);
  }
}

// A value on one line; tables as inline tables.
void write_value(std::string& out, const Node& node);

void write_value(std::string& out, const Node::Array& array) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ", ";
    write_value(out, array[i]);
  }
  out += ']';
}

void write_value(std::string& out, const Node::Table& table) {
  if (table.empty()) {
    out += "{}";
    return;
  }
  out += "{ ";
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i > 0) out += ", ";
    write_key(out, table[i].first);
    out += " = ";
    write_value(out, table[i].second);
  }
  out += " }";
}

void write_value(std::string& out, const Node& node) {
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          assert(false);  // TOML has no null
        } else if constexpr (std::is_same_v<Value, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<Value, std::int64_t>) {
          out += std::to_string(value);
        } else if constexpr (std::is_same_v<Value, double>) {
          out += write_number(value);
        } else if constexpr (std::is_same_v<Value, std::string>) {
          write_string(out, value);
        } else if constexpr (std::is_same_v<Value, Time>) {
          out += to_string(value);
        } else {
          write_value(out, value);
        }
      },
      node.value);
}

void write_member(std::string& out, const std::string& key, const Node& node) {
  const std::size_t line = out.size();
  write_key(out, key);
  out += " = ";
  const std::size_t value = out.size();
  write_value(out, node);
  const Node::Array* array = node.array();
  if (array != nullptr && width(std::string_view(out).substr(line)) > kLineWidth) {
    out.resize(value);
    out += "[\n";
    for (const Node& element : *array) {
      out += "  ";
      write_value(out, element);
      out += ",\n";
    }
    out += ']';
  }
  out += '\n';
}

// `path` is the header that leads to this table, empty for the root.
void write_table(std::string& out, const std::string& path, const Node::Table& table) {
  const bool only_tables = std::ranges::all_of(
      table, [](const auto& member) { return member.second.table() != nullptr; });
  // A header is left out where the headers of the tables below say the same.
  if (!path.empty() && (table.empty() || !only_tables)) {
    if (!out.empty()) out += '\n';
    out += '[' + path + "]\n";
  }
  for (const auto& [key, node] : table) {
    if (node.table() == nullptr) write_member(out, key, node);
  }
  for (const auto& [key, node] : table) {
    if (node.table() == nullptr) continue;
    std::string below = path.empty() ? "" : path + '.';
    write_key(below, key);
    write_table(out, below, *node.table());
  }
}

}  // namespace

std::string write_toml(const Node& root) {
  assert(root.table() != nullptr);
  std::string out;
  write_table(out, {}, *root.table());
  return out;
}

}  // namespace sekisho

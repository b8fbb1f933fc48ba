#include <type_traits>

#include "policy/model/node.h"
#include "policy/model/writing.h"

namespace sekisho {
namespace {

void write_flat(std::string& out, const Node& node);

void write_flat(std::string& out, const Node::Array& array) {
  out += '[';
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out += ", ";
    write_flat(out, array[i]);
  }
  out += ']';
}

void write_flat(std::string& out, const Node::Table& table) {
  out += '{';
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i > 0) out += ", ";
    write_string(out, table[i].first);
    out += ": ";
    write_flat(out, table[i].second);
  }
  out += '}';
}

void write_flat(std::string& out, const Node& node) {
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) {
          out += "null";
        } else if constexpr (std::is_same_v<Value, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<Value, std::int64_t>) {
          out += std::to_string(value);
        } else if constexpr (std::is_same_v<Value, double>) {
          out += write_number(value);
        } else if constexpr (std::is_same_v<Value, std::string>) {
          write_string(out, value);
        } else if constexpr (std::is_same_v<Value, Time>) {
          write_string(out, to_string(value));
        } else {
          write_flat(out, value);
        }
      },
      node.value);
}

void write_broken(std::string& out, const Node& node, std::size_t indent);

// An array stays on the line where it fits there.
void write_member(std::string& out, const Node& node, std::size_t indent) {
  if (node.array() != nullptr) {
    std::string flat;
    write_flat(flat, node);
    const std::size_t line = out.rfind('\n') + 1;
    if (width(std::string_view(out).substr(line)) + width(flat) <= kLineWidth) {
      out += flat;
      return;
    }
  }
  write_broken(out, node, indent);
}

void write_broken(std::string& out, const Node& node, std::size_t indent) {
  const std::string inside(indent + 2, ' ');
  if (const auto* table = node.table(); table != nullptr && !table->empty()) {
    out += "{\n";
    for (std::size_t i = 0; i < table->size(); ++i) {
      out += inside;
      write_string(out, (*table)[i].first);
      out += ": ";
      write_member(out, (*table)[i].second, indent + 2);
      out += i + 1 < table->size() ? ",\n" : "\n";
    }
    out += std::string(indent, ' ') + '}';
  } else if (const auto* array = node.array(); array != nullptr && !array->empty()) {
    out += "[\n";
    for (std::size_t i = 0; i < array->size(); ++i) {
      out += inside;
      write_flat(out, (*array)[i]);
      out += i + 1 < array->size() ? ",\n" : "\n";
    }
    out += std::string(indent, ' ') + ']';
  } else {
    write_flat(out, node);
  }
}

}  // namespace

std::string write_json(const Node& root, bool one_line) {
  std::string out;
  if (one_line) {
    write_flat(out, root);
  } else {
    write_member(out, root, 0);
    out += '\n';
  }
  return out;
}

}  // namespace sekisho

#include <algorithm>
#include <cassert>
#include <type_traits>

#include "policy/model/comments.h"
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

const Comments& no_comments() {
  static const Comments kNone;
  return kNone;
}

// Writes the tables, and by everything that has a line of its own its comments.
class Writer {
 public:
  Writer(std::string& out, const Comments& comments) : out_(out), comments_(comments) {}

  void write(const Node& root) {
    lines("", of(root).before);
    write_table({}, root);
    if (!out_.empty() && !of(root).after.empty()) out_ += '\n';
    lines("", of(root).after);
  }

  void write_member(std::string_view key, const Node& node) {
    lines("", of(node).before);
    std::string line;
    write_key(line, key);
    line += " = ";
    const std::size_t value = line.size();
    write_value(line, node);
    if (!is_broken(node, line)) {
      out_ += line;
      return end_line(node);
    }
    out_ += line.substr(0, value) + '[';
    end_line(node);
    for (const Node& element : *node.array()) {
      lines("  ", of(element).before);
      out_ += "  ";
      write_value(out_, element);
      out_ += ',';
      end_line(element);
    }
    lines("  ", of(node).after);
    out_ += "]\n";
  }

  // `path` is the header that leads to this table, empty for the root.
  void write_table(const std::string& path, const Node& node) {
    const Node::Table& table = *node.table();
    const bool only_tables = std::ranges::all_of(
        table, [](const auto& member) { return member.second.table() != nullptr; });
    // A header is left out where the headers of the tables below say the same.
    const bool has_header = !path.empty() && (table.empty() || !only_tables);
    if (has_header) {
      if (!out_.empty()) out_ += '\n';
      lines("", of(node).before);
      out_ += '[' + path + ']';
      end_line(node);
    }
    for (const auto& [key, value] : table) {
      if (value.table() == nullptr) write_member(key, value);
    }
    if (has_header) lines("", of(node).after);
    for (const auto& [key, value] : table) {
      if (value.table() == nullptr) continue;
      std::string below = path.empty() ? "" : path + '.';
      write_key(below, key);
      write_table(below, value);
    }
  }

 private:
  const Comment& of(const Node& node) const {
    static const Comment kNone;
    if (comments_.empty()) return kNone;
    const auto found = comments_.find(&node);
    return found == comments_.end() ? kNone : found->second;
  }

  void lines(std::string_view indent, const std::vector<std::string>& comments) {
    for (const std::string& line : comments) {
      if (!line.empty()) out_ += indent;
      out_ += line + '\n';
    }
  }

  void end_line(const Node& node) {
    const std::string& beside = of(node).beside;
    if (!beside.empty()) out_ += "  " + beside;
    out_ += '\n';
  }

  // A list is broken up where its line would be too long, or where something stands by its
  // elements.
  bool is_broken(const Node& node, std::string_view line) const {
    const Node::Array* array = node.array();
    return array != nullptr && (width(line) > kLineWidth || !of(node).after.empty() ||
                                std::ranges::any_of(*array, [&](const Node& element) {
                                  return !comments_.empty() && comments_.contains(&element);
                                }));
  }

  std::string& out_;
  const Comments& comments_;
};

}  // namespace

void add_toml(std::string& out, std::string_view key, const Node& node) {
  Writer writer(out, no_comments());
  if (node.table() == nullptr) return writer.write_member(key, node);
  std::string path;
  write_key(path, key);
  writer.write_table(path, node);
}

void add_toml(std::string& out, std::string_view section, std::string_view key, const Node& node) {
  std::string path;
  write_key(path, section);
  path += '.';
  write_key(path, key);
  Writer(out, no_comments()).write_table(path, node);
}

std::string write_toml(const Node& root, const Comments& comments) {
  assert(root.table() != nullptr);
  std::string out;
  Writer(out, comments).write(root);
  return out;
}

std::string write_toml(const Node& root) {
  return write_toml(root, no_comments());
}

}  // namespace sekisho

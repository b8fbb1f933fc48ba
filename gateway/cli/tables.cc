#include "gateway/cli/tables.h"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho::cli {

std::string cell(const Node& node) {
  if (const auto* text = node.string()) return *text;
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag ? "yes" : "no";
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&node.value)) return fmt::format("{:.3g}", *number);
  if (const auto* time = std::get_if<Time>(&node.value)) return to_string(*time);
  if (const auto* items = node.array()) {
    std::string text;
    for (const Node& item : *items) text += (text.empty() ? "" : ", ") + cell(item);
    return text;
  }
  if (const auto* members = node.table()) {
    const Node* service = node.find("service");
    const Node* reason = node.find("reason");
    if (service != nullptr && reason != nullptr) return cell(*service) + " (" + cell(*reason) + ")";
    std::string text;
    for (const auto& [key, value] : *members)
      text += (text.empty() ? "" : ", ") + key + " " + cell(value);
    return text;
  }
  return "-";
}

std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) continue;
    columns += byte >= 0xe3 ? 2 : 1;
  }
  return columns;
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t used = width(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

std::string aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths;
  for (const auto& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      row += i + 1 == line.size() ? line[i] : padded(line[i], widths[i] + 2);
    }
    text += row + "\n";
  }
  return text;
}

std::string table_of(const Node::Array& rows) {
  if (rows.empty()) return "none\n";
  std::vector<std::string> keys;
  for (const Node& row : rows) {
    for (const auto& [key, value] : *row.table()) {
      const bool for_json = key == "before" || key == "after";
      if (!for_json && std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  std::vector<std::vector<std::string>> lines{{}};
  for (const std::string& key : keys) {
    std::string title = key;
    std::ranges::transform(title, title.begin(), [](char c) {
      return c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    lines.front().push_back(std::move(title));
  }
  for (const Node& row : rows) {
    auto& line = lines.emplace_back();
    for (const std::string& key : keys) {
      const Node* value = row.find(key);
      line.push_back(value != nullptr ? cell(*value) : "-");
    }
  }
  return aligned(lines);
}

}  // namespace sekisho::cli

#include "policy/model/node.h"

#include <algorithm>

namespace sekisho {

const Node* Node::find(std::string_view key) const {
  const Table* members = table();
  if (members == nullptr) return nullptr;
  const auto found = std::ranges::find(*members, key, &Table::value_type::first);
  return found == members->end() ? nullptr : &found->second;
}

std::string to_string(std::string_view file, Position position) {
  if (position.line == 0) return {};
  return std::string(file) + ":" + std::to_string(position.line) + ":" +
         std::to_string(position.column);
}

}  // namespace sekisho

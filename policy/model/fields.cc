#include "policy/model/fields.h"

#include <type_traits>

#include "policy/base/text.h"

namespace sekisho {
namespace {

std::string how_to_write(std::string_view kind) {
  if (kind == "a text") return "write it in quotes";
  if (kind == "a list") return "write it in brackets: [...]";
  if (kind == "a number") return "write a whole number without quotes";
  if (kind == "true or false") return "write one of the two without quotes";
  if (kind == "a time") return "write 2027-03-31 or 2027-03-31T18:00:00+09:00";
  return "write keys and values: { key = value } in TOML, { \"key\": value } in JSON";
}

}  // namespace

Fields::Fields(const Node& node, std::string path, Mistakes& mistakes)
    : node_(node), path_(std::move(path)), mistakes_(mistakes) {
  if (node.table() == nullptr) {
    Error error = wrong_kind(node, "a table").error();
    mistakes.add(path_, node.position, std::move(error.cause), std::move(error.advice));
  }
}

const Node* Fields::optional(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.push_back(key);
  return node_.find(key);
}

const Node* Fields::required(std::string_view key, std::string advice) {
  const Node* node = optional(key);
  if (node == nullptr && node_.table() != nullptr) {
    mistakes_.add(path_of(key), node_.position, "is missing", std::move(advice));
  }
  return node;
}

void Fields::reserved(std::string_view key, std::string cause, std::string advice) {
  reserved_.push_back(key);
  if (const Node* node = node_.find(key)) {
    mistakes_.add(path_of(key), node->position, std::move(cause), std::move(advice));
  }
}

void Fields::finish() {
  if (node_.table() == nullptr) return;
  for (const auto& [key, value] : *node_.table()) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    if (std::ranges::find(reserved_, key) != reserved_.end()) continue;
    std::string advice = suggestion(key, known_);
    if (advice.empty()) {
      advice = "known here:";
      for (const std::string_view known : known_) advice += ' ' + std::string(known);
    }
    mistakes_.add(path_of(key), value.position, "unknown key", std::move(advice));
  }
}

const Node::Array* Fields::array_of(const Node& node, std::string_view key) {
  if (node.array() == nullptr) {
    Error error = wrong_kind(node, "a list").error();
    mistakes_.add(path_of(key), node.position, std::move(error.cause), std::move(error.advice));
  }
  return node.array();
}

std::string_view kind_of(const Node& node) {
  return std::visit(
      [](const auto& value) -> std::string_view {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::monostate>) return "nothing";
        if constexpr (std::is_same_v<Value, bool>) return "true or false";
        if constexpr (std::is_same_v<Value, std::int64_t>) return "a number";
        if constexpr (std::is_same_v<Value, double>) return "a number";
        if constexpr (std::is_same_v<Value, std::string>) return "a text";
        if constexpr (std::is_same_v<Value, Time>) return "a time";
        if constexpr (std::is_same_v<Value, Node::Array>) return "a list";
        if constexpr (std::is_same_v<Value, Node::Table>) return "a table";
      },
      node.value);
}

std::unexpected<Error> wrong_kind(const Node& node, std::string_view expected) {
  return fail(ErrorCode::invalid, {},
              std::string(kind_of(node)) + " stands where " + std::string(expected) + " belongs",
              how_to_write(expected));
}

}  // namespace sekisho

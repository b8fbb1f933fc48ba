#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/model/mistakes.h"
#include "policy/model/node.h"

namespace sekisho {

// Reads the members of one table of a document: notes every mistake and goes on, so that one
// reading finds them all. What was not read properly keeps its value. A reader of values takes a
// Node and returns a Result; the error's cause and advice are used.
class Fields {
 public:
  // Notes a mistake where `node` is no table.
  Fields(const Node& node, std::string path, Mistakes& mistakes);

  // The member, or nullptr; asking for it makes its key known.
  const Node* optional(std::string_view key);
  // The same, and a mistake where there is none.
  const Node* required(std::string_view key, std::string advice = {});

  template <class T, class Reader>
  void optional(std::string_view key, T& out, Reader read) {
    if (const Node* node = optional(key)) store(*node, path_of(key), out, read);
  }
  template <class T, class Reader>
  void required(std::string_view key, T& out, Reader read) {
    if (const Node* node = required(key)) store(*node, path_of(key), out, read);
  }
  // An array, as a sorted vector; an element that stands there twice is a mistake. A reader of
  // elements takes the Node and its path, and returns an optional: it notes its mistakes itself.
  template <class T, class Reader>
  void elements(const Node& node, std::string_view key, std::vector<T>& out, Reader read);

  // Notes a key whose meaning is kept for later, where it stands.
  void reserved(std::string_view key, std::string cause, std::string advice);
  // Notes the keys that nobody asked for.
  void finish();

  std::string path_of(std::string_view key) const { return member_path(path_, key); }
  Mistakes& mistakes() { return mistakes_; }

 private:
  template <class T, class Reader>
  void store(const Node& node, std::string path, T& out, Reader read) {
    auto value = read(node);
    if (value) {
      out = std::move(*value);
    } else {
      mistakes_.add(std::move(path), node.position, std::move(value.error().cause),
                    std::move(value.error().advice));
    }
  }
  const Node::Array* array_of(const Node& node, std::string_view key);

  const Node& node_;
  std::string path_;
  Mistakes& mistakes_;
  std::vector<std::string_view> known_;
  std::vector<std::string_view> reserved_;
};

// "a text", "a number", "a list" ...: what a message calls the value.
std::string_view kind_of(const Node& node);
// The failure for a value of the wrong kind; `expected` as kind_of() would call it.
std::unexpected<Error> wrong_kind(const Node& node, std::string_view expected);

template <class T, class Reader>
void Fields::elements(const Node& node, std::string_view key, std::vector<T>& out, Reader read) {
  const Node::Array* array = array_of(node, key);
  if (array == nullptr) return;
  std::vector<std::pair<T, std::size_t>> values;
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (std::optional<T> value = read((*array)[i], element_path(path_of(key), std::to_string(i)))) {
      values.emplace_back(std::move(*value), i);
    }
  }
  std::ranges::sort(values);
  out.clear();
  for (auto& [value, i] : values) {
    if (!out.empty() && out.back() == value) {
      mistakes_.add(element_path(path_of(key), std::to_string(i)), (*array)[i].position,
                    "stands here a second time", "keep one of the two");
    } else {
      out.push_back(std::move(value));
    }
  }
}

}  // namespace sekisho

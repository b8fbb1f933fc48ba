#include "gateway/settings/reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "policy/model/document.h"

namespace sekisho::settings {

namespace {

const Node* member(const Node* table, std::string_view key) {
  return table != nullptr ? table->find(key) : nullptr;
}

}  // namespace

void Reader::refuse(std::string path, std::string cause, std::string advice) {
  errors_.push_back({ErrorCode::invalid, std::move(path), std::move(cause), {}, std::move(advice)});
}

void Reader::known(const Node::Table& table, const std::string& path,
                   std::initializer_list<std::string_view> keys) {
  for (const auto& [key, value] : table) {
    if (std::ranges::find(keys, key) != keys.end()) continue;
    std::string allowed;
    for (const std::string_view each : keys) {
      if (!allowed.empty()) allowed += ", ";
      allowed += each;
    }
    refuse(path.empty() ? key : std::string(path).append(".").append(key),
           "there is no such setting", "known here: " + allowed);
  }
}

const Node* Reader::section(const Node& root, std::string_view name) {
  const Node* node = root.find(name);
  if (node == nullptr) return nullptr;
  if (node->table() != nullptr) return node;
  refuse(std::string(name), "is not a section", "write it as [" + std::string(name) + "]");
  return nullptr;
}

const Node* Reader::text(const Node* table, const std::string& path, std::string_view key,
                         std::string& into) {
  const Node* node = member(table, key);
  if (node == nullptr) return nullptr;
  if (const std::string* value = node->string(); value != nullptr && !value->empty()) {
    into = *value;
    return node;
  }
  refuse(path + "." + std::string(key), "is not a text", "write it in quotes");
  return nullptr;
}

void Reader::path(const Node* table, const std::string& where, std::string_view key,
                  std::filesystem::path& into) {
  std::string value;
  if (text(table, where, key, value) == nullptr) return;
  into = value;
  if (!into.is_absolute())
    refuse(where + "." + std::string(key), "\"" + value + "\" is not absolute", "begin it with /");
}

void Reader::number(const Node* table, const std::string& path, std::string_view key,
                    std::int64_t least, std::int64_t most,
                    const std::function<void(std::int64_t)>& assign) {
  const Node* node = member(table, key);
  if (node == nullptr) return;
  const auto* value = std::get_if<std::int64_t>(&node->value);
  if (value == nullptr || *value < least || *value > most) {
    refuse(path + "." + std::string(key),
           "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most),
           "give one");
    return;
  }
  assign(*value);
}

void Reader::flag(const Node* table, const std::string& path, std::string_view key, bool& into) {
  const Node* node = member(table, key);
  if (node == nullptr) return;
  if (const bool* value = std::get_if<bool>(&node->value)) {
    into = *value;
  } else {
    refuse(path + "." + std::string(key), "is neither true nor false", "write one of the two");
  }
}

Checked<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream file;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    errno = EISDIR;  // which would open and read as an empty file
  else
    file.open(path, std::ios::binary);
  if (!file.is_open()) {
    return std::unexpected(Errors{{ErrorCode::invalid,
                                   path.string(),
                                   std::string("cannot be read: ") + std::strerror(errno),
                                   {},
                                   "name the configuration with --config FILE"}});
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Checked<Node> read_root(std::string_view text, std::string_view file, std::string_view check) {
  auto root = read_toml(text, file);
  if (root) return *std::move(root);
  if (root.error().advice.empty())
    root.error().advice = "mend the TOML there, then look again with: " + std::string(check);
  return std::unexpected(Errors{std::move(root.error())});
}

Errors placed(Errors errors, const Node& root, std::string_view file) {
  locate(errors, root, file);
  for (Error& error : errors) {
    if (error.place.empty()) error.place = file;
  }
  return errors;
}

}  // namespace sekisho::settings

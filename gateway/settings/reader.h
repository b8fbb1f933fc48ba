#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "policy/model/node.h"

namespace sekisho::settings {

// Reads members of one table of a configuration after another, and notes in `errors` what is wrong
// with each, under the path to it ("tunnel.mtu"). A member that is not there leaves `into` alone.
class Reader {
 public:
  explicit Reader(Errors& errors) : errors_(errors) {}

  void refuse(std::string path, std::string cause, std::string advice);
  // Every other key is a mistake. `path` is empty at the root.
  void known(const Node::Table& table, const std::string& path,
             std::initializer_list<std::string_view> keys);
  // The table `name` of `root`; null where there is none, or none that is a table.
  const Node* section(const Node& root, std::string_view name);
  // Of `table`, which may be null. The node, where it is a text that is not empty.
  const Node* text(const Node* table, const std::string& path, std::string_view key,
                   std::string& into);
  void path(const Node* table, const std::string& where, std::string_view key,
            std::filesystem::path& into);
  void number(const Node* table, const std::string& path, std::string_view key, std::int64_t least,
              std::int64_t most, const std::function<void(std::int64_t)>& assign);
  void flag(const Node* table, const std::string& path, std::string_view key, bool& into);

 private:
  Errors& errors_;
};

// The whole text of a configuration. The error is told as if --config FILE named it.
Checked<std::string> read_text(const std::filesystem::path& file);
// The table that `text` is; an error advises to look again with `check`.
Checked<Node> read_root(std::string_view text, std::string_view file, std::string_view check);
// `errors` with their places in `root`, or at least the file's name where a whole section is
// missing.
Errors placed(Errors errors, const Node& root, std::string_view file);

}  // namespace sekisho::settings

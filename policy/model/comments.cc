#include "policy/model/comments.h"

#include <algorithm>
#include <utility>

#include "policy/model/elements.h"
#include "policy/model/source_text.h"

namespace sekisho {
namespace {

using Lines = std::vector<std::string>;

void append(Lines& to, Lines from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Takes the lines up to the first empty one, and that.
Lines take_block(Lines& lines) {
  const auto end = std::ranges::find(lines, "");
  Lines block(std::make_move_iterator(lines.begin()), std::make_move_iterator(end));
  lines.erase(lines.begin(), end == lines.end() ? end : end + 1);
  return block;
}

// Reads on until something begins that a comment can stand by. The text is TOML: read_toml() has
// seen it, so every string and bracket is closed.
class Scanner {
 public:
  Scanner(std::string_view text, const Node& root) : source_(text, {}), root_(root), table_(&root) {
    note_positions(root);
  }

  Comments scan() {
    const std::string_view text = source_.text();
    while (at_ < text.size()) {
      const char c = text[at_];
      if (c == '\n') {
        end_line();
      } else if (c == '#') {
        comment();
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else if (open_.empty() && !in_statement_) {
        statement();
      } else {
        value();
      }
    }
    end_table();
    append(comments_[&root_].after, std::move(pending_));
    return std::move(comments_);
  }

 private:
  // The innermost of those that begin at one place.
  void note_positions(const Node& node) {
    nodes_[node.position] = &node;
    if (const auto* table = node.table()) {
      for (const auto& [key, value] : *table) note_positions(value);
    } else if (const auto* array = node.array()) {
      for (const Node& element : *array) note_positions(element);
    }
  }

  const Node* node_here() {
    const auto found = nodes_.find(source_.at(at_));
    return found == nodes_.end() || found->second == &root_ ? nullptr : found->second;
  }

  void end_line() {
    const bool empty = !in_line_;
    if (empty && !pending_.empty() && !pending_.back().empty()) pending_.emplace_back();
    if (empty) gap_ = true;
    in_line_ = false;
    if (open_.empty()) in_statement_ = false;
    ++at_;
  }

  void comment() {
    const std::string_view text = source_.text();
    const std::size_t end = std::min(text.find('\n', at_), text.size());
    std::string line(text.substr(at_, end - at_));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    at_ = end;
    if (in_line_ && last_ != nullptr && comments_[last_].beside.empty()) {
      comments_[last_].beside = std::move(line);
    } else if (in_line_ && last_ != nullptr) {
      comments_[last_].before.push_back(std::move(line));
    } else {
      if (pending_.empty()) apart_ = gap_;
      pending_.push_back(std::move(line));
    }
    in_line_ = true;
  }

  // What begins gets the lines above it.
  void begin(const Node* node) {
    last_ = node;
    if (node != nullptr && !pending_.empty())
      append(comments_[node].before, std::exchange(pending_, {}));
  }

  void begin_token() {
    in_line_ = true;
    gap_ = false;
  }

  // A block right below the last line of a table, and apart from what follows, is that table's. The
  // first of the text is the text's.
  void end_table() {
    if (pending_.empty()) return;
    const bool at_end = at_ == source_.text().size();
    const bool blocks = at_end || std::ranges::count(pending_, "") > 0;
    if (!begun_ && at_end) {
      comments_[&root_].before = std::exchange(pending_, {});
    } else if (!begun_ && blocks) {
      comments_[&root_].before = take_block(pending_);
    } else if (begun_ && !apart_ && blocks) {
      append(comments_[table_].after, take_block(pending_));
    }
  }

  // "[person.mori]" or "name = ": as far as to its value.
  void statement() {
    const std::string_view text = source_.text();
    const bool header = text[at_] == '[';
    if (header || !begun_) end_table();
    begun_ = true;
    in_statement_ = true;
    begin_token();
    const Node* node = header ? node_here() : nullptr;
    const char last = header ? '\n' : '=';
    while (at_ < text.size() && text[at_] != last && text[at_] != '#') {
      at_ = text[at_] == '"' || text[at_] == '\'' ? end_of_string(text, at_) : at_ + 1;
    }
    if (!header) {
      at_ = std::min(text.find_first_not_of(" \t", at_ + 1), text.size());
      node = node_here();
    }
    begin(node);
    if (header && node != nullptr) table_ = node;
    if (!header) value();
  }

  // One token of a value.
  void value() {
    const std::string_view text = source_.text();
    if (at_ >= text.size()) return;
    const char c = text[at_];
    begin_token();
    if (c == ']' || c == '}') {
      close();
    } else if (c != ',' && c != '=') {
      if (const Node* node = node_here(); node != nullptr && node != last_) begin(node);
    }
    if (c == '[' || c == '{') open_.push_back(last_);
    if (c == '"' || c == '\'') {
      at_ = end_of_string(text, at_);
    } else if (std::string_view("[]{},=").find(c) != std::string_view::npos) {
      ++at_;
    } else {
      at_ = std::min(text.find_first_of(" \t\r\n#[]{},=\"'", at_), text.size());
    }
  }

  void close() {
    last_ = open_.back();
    open_.pop_back();
    if (last_ != nullptr && !pending_.empty())
      append(comments_[last_].after, std::exchange(pending_, {}));
  }

  SourceText source_;
  const Node& root_;
  std::map<Position, const Node*> nodes_;
  Comments comments_;
  std::size_t at_ = 0;
  bool begun_ = false;             // some statement has been seen
  bool in_statement_ = false;      // the line continues one
  bool in_line_ = false;           // the line is not empty
  bool gap_ = false;               // an empty line came since the last that was no comment
  bool apart_ = false;             // one came before the pending lines
  std::vector<const Node*> open_;  // what the brackets around this place belong to
  const Node* table_;              // that of the last header
  const Node* last_ = nullptr;     // what began or was closed last
  Lines pending_;
};

class Carrier {
 public:
  explicit Carrier(Comments comments) : from_(std::move(comments)) {}

  Comments carry(const Node& source, const Node& canonical) {
    Comment document = take(source);
    for (const auto& [name, section] : *canonical.table()) {
      const Node* old = source.find(name);
      if (old == nullptr || old->table() == nullptr) continue;
      const auto has_lines = [](const auto& member) { return member.second.table() == nullptr; };
      if (std::ranges::any_of(*section.table(), has_lines)) {
        carry_table(*old, section);
      } else {
        carry_section(*old, section);
      }
    }
    append(document.after, rest_of(source));
    put(canonical, std::move(document));
    return std::move(to_);
  }

 private:
  Comment take(const Node& node) {
    auto found = from_.extract(&node);
    return found ? std::move(found.mapped()) : Comment{};
  }

  // Everything by this node and what is in it that was not taken yet.
  Lines rest_of(const Node& node) {
    if (from_.empty()) return {};
    Comment own = take(node);
    Lines lines = std::move(own.before);
    if (!own.beside.empty()) lines.push_back(std::move(own.beside));
    if (const auto* table = node.table()) {
      for (const auto& [key, value] : *table) append(lines, rest_of(value));
    } else if (const auto* array = node.array()) {
      for (const Node& element : *array) append(lines, rest_of(element));
    }
    append(lines, std::move(own.after));
    std::erase(lines, "");
    return lines;
  }

  void put(const Node& node, Comment comment) {
    const auto& [before, beside, after] = comment;
    if (!before.empty() || !beside.empty() || !after.empty()) to_[&node] = std::move(comment);
  }

  // The header of a section is not written: its comments stand by the first and the last in it.
  void carry_section(const Node& source, const Node& canonical) {
    Comment own = take(source);
    std::map<std::string_view, const Node*> by_key;
    for (const auto& [key, value] : *source.table()) by_key.emplace(key, &value);
    const Node::Table& objects = *canonical.table();
    for (const auto& [key, object] : objects) {
      if (const auto old = by_key.find(key); old != by_key.end()) carry_table(*old->second, object);
    }
    if (!own.beside.empty()) own.before.push_back(std::move(own.beside));
    if (!own.before.empty()) {
      Lines& first = to_[&objects.front().second].before;
      append(own.before, std::move(first));
      first = std::move(own.before);
    }
    if (!own.after.empty()) append(to_[&objects.back().second].after, std::move(own.after));
  }

  void carry_table(const Node& source, const Node& canonical) {
    Comment own = take(source);
    for (const auto& [key, value] : *canonical.table()) {
      if (const Node* old = source.find(key)) carry_member(*old, value);
    }
    append(own.after, rest_of(source));
    put(canonical, std::move(own));
  }

  void carry_member(const Node& source, const Node& canonical) {
    Comment own = take(source);
    if (source.array() != nullptr && canonical.array() != nullptr) {
      for (const Node& element : *canonical.array()) carry_element(source, element);
    } else {
      append(own.before, std::exchange(own.after, {}));
    }
    append(own.before, rest_of(source));
    std::erase(own.before, "");
    std::erase(own.after, "");
    put(canonical, std::move(own));
  }

  void carry_element(const Node& source, const Node& canonical) {
    const Node* named = canonical.table() != nullptr ? canonical.find("service") : &canonical;
    const Node* old = find_element(source, *named->string());
    if (old == nullptr) return;
    Comment own = take(*old);
    append(own.before, std::exchange(own.after, {}));
    append(own.before, rest_of(*old));
    std::erase(own.before, "");
    put(canonical, std::move(own));
  }

  Comments from_;
  Comments to_;
};

}  // namespace

Comments read_comments(std::string_view text, const Node& root) {
  if (text.find('#') == std::string_view::npos) return {};
  return Scanner(text, root).scan();
}

Comments carry_comments(Comments comments, const Node& source, const Node& canonical) {
  if (comments.empty()) return {};
  return Carrier(std::move(comments)).carry(source, canonical);
}

}  // namespace sekisho

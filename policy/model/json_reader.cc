#include <cstddef>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "policy/base/text.h"
#include "policy/model/node.h"
#include "policy/model/source_text.h"

namespace sekisho {
namespace {

// Counts what the parser has taken: nlohmann's own positions reach its callbacks only in errors.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* taken_;
};

// Builds the Node from the parser's events. The parser keeps its state on the heap, so depth is
// limited for the sake of those who walk the Node.
class NodeBuilder {
 public:
  NodeBuilder(SourceText source, const std::size_t& taken) : source_(source), taken_(taken) {}

  Result<Node> finish(bool parsed) {
    if (parsed) return std::move(root_);
    return std::unexpected(std::move(error_));
  }

  // The events: what nlohmann::json_sax asks for. False stops the parser.
  bool null() { return add(std::monostate{}); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return too_large();
    }
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string& text) {
    // An integer that does not fit comes as a rounded double.
    if (text.find_first_of(".eE") == std::string::npos) return too_large();
    return add(value);
  }
  bool string(std::string& value) {
    return value.find('\0') == std::string::npos ? add(std::move(value)) : nul();
  }
  bool binary(nlohmann::json::binary_t&) { return false; }  // no such thing in text
  bool start_object(std::size_t) { return open(Node::Table{}); }
  bool start_array(std::size_t) { return open(Node::Array{}); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (name.find('\0') != std::string::npos) return nul();
    if (!open_.back().keys.insert(name).second) {
      return stop(start(), "the key " + quote(name) + " stands here a second time",
                  "keep one of the two");
    }
    open_.back().key = std::move(name);
    resume_ = taken_;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    std::string_view text = error.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <what we want>"
    if (const auto colon = text.find(": "); colon != std::string_view::npos) {
      text.remove_prefix(colon + 2);
    }
    return stop(start(), printable(text));
  }

 private:
  struct Open {
    Node* node;
    std::string key = {};
    std::unordered_set<std::string> keys = {};
  };

  // Where the token of this event begins: after what separates it from the last one. A number's
  // last character is known only from the one after it, which by then is taken too.
  Position start() {
    const std::size_t found = source_.text().find_first_not_of(" \t\r\n,:", resume_);
    return source_.at(std::min(found, source_.text().size()));
  }

  Node* place(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return &root_;
    }
    Open& parent = open_.back();
    if (auto* array = std::get_if<Node::Array>(&parent.node->value)) {
      return &array->emplace_back(std::move(node));
    }
    auto& table = std::get<Node::Table>(parent.node->value);
    return &table.emplace_back(std::move(parent.key), std::move(node)).second;
  }

  template <class Value>
  bool add(Value&& value) {
    const Position position = start();
    if (open_.size() > std::size_t{kMaxNesting}) return stop(source_.too_deep(position));
    if (++values_ > kMaxDocumentValues) return stop(source_.too_many_values(position));
    last_ = place(Node{.value = std::forward<Value>(value), .position = position});
    resume_ = taken_;
    return true;
  }

  template <class Container>
  bool open(Container&& empty) {
    if (!add(std::forward<Container>(empty))) return false;
    open_.push_back({.node = last_});
    return true;
  }

  bool close() {
    open_.pop_back();
    resume_ = taken_;
    return true;
  }

  bool stop(std::unexpected<Error> error) {
    error_ = std::move(error.error());
    return false;
  }
  bool stop(Position position, std::string cause, std::string advice = {}) {
    return stop(source_.error(position, std::move(cause), std::move(advice)));
  }
  bool nul() { return stop(start(), "a NUL character", "take it out"); }
  bool too_large() { return stop(start(), "an integer beyond 64 bits"); }

  SourceText source_;
  const std::size_t& taken_;
  std::size_t resume_ = 0;
  std::size_t values_ = 0;
  Node root_;
  Node* last_ = nullptr;
  // A parent's container does not grow while a child is open, so the pointers hold.
  std::vector<Open> open_;
  Error error_;
};

}  // namespace

Result<Node> read_json(std::string_view text, std::string_view file) {
  const SourceText source(text, file);
  if (auto checked = source.check(); !checked) return std::unexpected(checked.error());
  const char* first = source.text().data();
  std::size_t taken = 0;
  NodeBuilder builder(source, taken);
  const bool parsed =
      nlohmann::json::sax_parse(CountingIterator(first, &taken),
                                CountingIterator(first + source.text().size(), &taken), &builder);
  return builder.finish(parsed);
}

}  // namespace sekisho

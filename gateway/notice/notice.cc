#include "gateway/notice/notice.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "policy/base/text.h"

namespace sekisho::notice {

namespace {

constexpr std::array<std::string_view, 7> kKinds{"cut",  "released", "flag",         "drift",
                                                 "test", "failed",   "release_asked"};
constexpr std::array<std::string_view, 4> kSeverities{"low", "medium", "high", "critical"};

constexpr std::size_t kMostNameBytes = 100;  // of a fact
constexpr std::string_view kEllipsis = "...";
constexpr std::string_view kIdPattern =
    "dddddddd"
    "Tdddddd.dddZ-hhhhhhhhhhhhhhhh";

bool fits(char c, char pattern) {
  const bool digit = c >= '0' && c <= '9';
  if (pattern == 'd') return digit;
  if (pattern == 'h') return digit || (c >= 'a' && c <= 'f');
  return c == pattern;
}

// "20261128T135014" as RFC 3339.
std::string long_form(std::string_view id) {
  const auto part = [&](std::size_t from, std::size_t count) {
    return std::string(id.substr(from, count));
  };
  return part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + "T" + part(9, 2) + ":" + part(11, 2) +
         ":" + part(13, 2) + "Z";
}

std::unexpected<Error> refused(std::string_view file, std::string object, std::string cause) {
  return std::unexpected(
      Error{ErrorCode::invalid, std::move(object), std::move(cause), std::string(file), {}});
}

// Reads members of a notice one by one, and keeps the first thing that is wrong.
class Members {
 public:
  Members(const Node& node, std::string_view file) : node_(node), file_(file) {}

  std::string text(std::string_view key) {
    const Node* node = node_.find(key);
    const std::string* value = node != nullptr ? node->string() : nullptr;
    if (value == nullptr) return wrong(key, "is missing or is not a text");
    if (value->size() > kMostTextBytes || !is_plain_text(*value))
      return wrong(key, "is too long or has control characters");
    return *value;
  }

  template <std::size_t N>
  std::size_t word(std::string_view key, const std::array<std::string_view, N>& words) {
    const std::string value = text(key);
    const auto found = std::ranges::find(words, value);
    if (found == words.end()) wrong(key, quote(value) + " is not known");
    return found == words.end() ? 0 : static_cast<std::size_t>(found - words.begin());
  }

  std::string wrong(std::string_view key, std::string cause) {
    if (!error_) error_ = refused(file_, std::string(key), std::move(cause)).error();
    return {};
  }
  std::optional<Error>& error() { return error_; }

 private:
  const Node& node_;
  std::string_view file_;
  std::optional<Error> error_;
};

}  // namespace

std::string_view name_of(Kind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

bool is_id(std::string_view text) {
  return std::ranges::equal(text, kIdPattern, fits) && parse_time(long_form(text)).has_value();
}

Time time_of_id(std::string_view id) {
  return parse_time(long_form(id)).value_or(Time{});
}

std::string plain(std::string_view text, std::size_t most) {
  std::string result;
  while (!text.empty()) {
    const auto character = first_code_point(text);
    const std::size_t bytes = character ? character->bytes : 1;
    if (!character) {
      result += '?';
    } else if (is_control(character->value)) {
      result += ' ';
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
    if (result.size() <= most) continue;
    // Back to where a character begins and the dots fit.
    std::size_t end = most - kEllipsis.size();
    while (end > 0 && (static_cast<unsigned char>(result[end]) & 0xc0U) == 0x80U) --end;
    result.resize(end);
    return result.append(kEllipsis);
  }
  return result;
}

Notice bounded(Notice notice) {
  for (std::string* text :
       {&notice.id, &notice.gateway, &notice.object, &notice.actor, &notice.reason}) {
    *text = plain(*text);
  }
  for (const Fact& fact : std::exchange(notice.facts, {})) {
    Fact fits{plain(fact.name, kMostNameBytes), plain(fact.text)};
    const bool known = std::ranges::count(notice.facts, fits.name, &Fact::name) > 0;
    if (!known && notice.facts.size() < kMostFacts) notice.facts.push_back(std::move(fits));
  }
  return notice;
}

Node to_node(const Notice& notice) {
  Node::Table facts;
  for (const Fact& fact : notice.facts) facts.emplace_back(fact.name, Node{fact.text});
  return {Node::Table{{"id", {notice.id}},
                      {"time", {to_string(notice.time)}},
                      {"gateway", {notice.gateway}},
                      {"kind", {std::string(name_of(notice.kind))}},
                      {"severity", {std::string(name_of(notice.severity))}},
                      {"object", {notice.object}},
                      {"actor", {notice.actor}},
                      {"reason", {notice.reason}},
                      {"facts", {std::move(facts)}}}};
}

std::string write_notice(const Notice& notice) {
  return write_json(to_node(bounded(notice)), true);
}

Result<Notice> read_notice(std::string_view text, std::string_view file) {
  if (text.size() > kMostNoticeBytes) return refused(file, "notice", "is too large");
  const auto root = read_json(text, file);
  if (!root) return std::unexpected(root.error());
  constexpr std::array<std::string_view, 9> kKeys{"id",     "time",  "gateway", "kind", "severity",
                                                  "object", "actor", "reason",  "facts"};
  if (root->table() == nullptr || root->table()->size() != kKeys.size())
    return refused(file, "notice", "does not have the members of a notice");
  Members members(*root, file);
  Notice notice{.id = members.text("id"),
                .gateway = members.text("gateway"),
                .kind = static_cast<Kind>(members.word("kind", kKinds)),
                .severity = static_cast<Severity>(members.word("severity", kSeverities)),
                .object = members.text("object"),
                .actor = members.text("actor"),
                .reason = members.text("reason")};
  if (!is_id(notice.id)) members.wrong("id", quote(notice.id) + " is not the id of a notice");
  const auto time = parse_time(members.text("time"));
  if (time)
    notice.time = *time;
  else
    members.wrong("time", time.error().cause);
  const Node* facts = root->find("facts");
  if (facts == nullptr || facts->table() == nullptr || facts->table()->size() > kMostFacts) {
    members.wrong("facts", "is missing, is no object or has too many members");
  } else {
    Members each(*facts, file);
    for (const auto& [name, value] : *facts->table()) {
      if (name.size() > kMostNameBytes || !is_plain_text(name))
        each.wrong("facts", "a name is not plain");
      notice.facts.push_back({name, each.text(name)});
    }
    if (each.error() && !members.error()) members.error() = std::move(each.error());
  }
  if (members.error()) return std::unexpected(*std::move(members.error()));
  return notice;
}

}  // namespace sekisho::notice

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/time.h"
#include "policy/model/node.h"

// What happened, as it is told to people outside.
namespace sekisho::notice {

enum class Kind { cut, released, flag, drift, test, failed, release_asked };
enum class Severity { low, medium, high, critical };

struct Fact {
  std::string name;
  std::string text;
  bool operator==(const Fact&) const = default;
};

// Every text in it is data: nothing of it was made for a mail's header or a shell.
struct Notice {
  std::string id = {};       // given by the outbox; see is_id()
  Time time = {};            // of the event
  std::string gateway = {};  // the name of the box
  Kind kind = Kind::test;
  Severity severity = Severity::low;
  std::string object = {};
  std::string actor = {};
  std::string reason = {};
  std::vector<Fact> facts = {};
  bool operator==(const Notice&) const = default;
};

inline constexpr std::size_t kMostTextBytes = 2000;      // of one text in a notice
inline constexpr std::size_t kMostFacts = 16;            // each name once
inline constexpr std::size_t kMostNoticeBytes = 131072;  // of its JSON

std::string_view name_of(Kind kind);
std::string_view name_of(Severity severity);

// "20261128T135014.123Z-0f1e2d3c4b5a6978": ids sort by the time they were given. Good as a file
// name.
bool is_id(std::string_view text);
// The time in an id, floored to the second; `id` must be one.
Time time_of_id(std::string_view id);

// `text` as plain text of at most `most` bytes: what is no character of a text becomes a space or
// "?", and what is longer ends in "...".
std::string plain(std::string_view text, std::size_t most = kMostTextBytes);
// The notice with all its texts plain, no more facts than fit, and of facts with one name the
// first; write_notice() of it is at most kMostNoticeBytes.
Notice bounded(Notice notice);

// One line of JSON; reading it back gives bounded(notice).
std::string write_notice(const Notice& notice);
Node to_node(const Notice& notice);
// Refuses what is no notice: unknown or missing members, wrong types, texts that are not plain or
// too long.
Result<Notice> read_notice(std::string_view text, std::string_view file);

}  // namespace sekisho::notice

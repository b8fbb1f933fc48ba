#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "policy/base/text.h"
#include "policy/model/fields.h"
#include "policy/model/policy.h"

// Readers of single values for Fields: the type of the Node, then the meaning of its text.
namespace sekisho {

inline constexpr std::size_t kMaxTextBytes = 200;

// What is wrong with a name or a reason; validate() asks the same of policies that no document
// gave.
Result<void> check_text(std::string_view text);
Result<void> check_id(std::string_view text);

Result<std::string> read_text(const Node& node);
// A native time, or its text.
Result<Time> read_time(const Node& node);
Result<IpAddress> read_address(const Node& node);
Result<Prefix> read_prefix(const Node& node);
Result<PublicKey> read_public_key(const Node& node);
Result<Service> read_service_name(const Node& node);
Result<DailyHours> read_hours(const Node& node);
// "15m", "8h"
Result<std::chrono::minutes> read_duration(const Node& node);
Result<std::int64_t> read_number(const Node& node);
Result<bool> read_flag(const Node& node);
// "person:ID" or "role:ID"
Result<Who> read_who(const Node& node);

template <class Id>
Result<Id> read_id(const Node& node) {
  if (node.string() == nullptr) return wrong_kind(node, "a text");
  if (auto checked = check_id(*node.string()); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  return Id(*node.string());
}

// One of the words that to_string() gives for `choices`.
template <class Enum>
Result<Enum> read_choice(const Node& node, std::initializer_list<Enum> choices) {
  if (node.string() == nullptr) return wrong_kind(node, "a text");
  std::string allowed;
  for (const Enum choice : choices) {
    if (*node.string() == to_string(choice)) return choice;
    if (!allowed.empty()) allowed += " or ";
    allowed += to_string(choice);
  }
  return fail(ErrorCode::invalid, {}, quote(*node.string()) + " is not known here",
              "write " + allowed);
}

}  // namespace sekisho

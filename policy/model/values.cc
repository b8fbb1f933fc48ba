#include "policy/model/values.h"

#include <fmt/format.h>

#include <charconv>

#include "policy/model/look_alike.h"

namespace sekisho {
namespace {

constexpr int kMostOfUnit = 10'000;

template <class T>
Result<T> parse_text(const Node& node, Result<T> (*parse)(std::string_view)) {
  if (node.string() == nullptr) return wrong_kind(node, "a text");
  return parse(*node.string());
}

}  // namespace

Result<void> check_text(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::invalid, {}, "an empty text", "say something");
  if (text.size() > kMaxTextBytes) {
    return fail(ErrorCode::invalid, {}, "a text of " + std::to_string(text.size()) + " bytes",
                "at most " + std::to_string(kMaxTextBytes) + " are allowed");
  }
  if (!is_plain_text(text)) {
    return fail(ErrorCode::invalid, {}, quote(text) + " contains control characters",
                "write one plain line");
  }
  return {};
}

Result<void> check_id(std::string_view text) {
  if (is_valid_id(text)) return {};
  if (const auto alike = find_look_alike(text)) {
    return fail(
        ErrorCode::invalid, {},
        fmt::format("{} cannot be a name: its character {} only looks as it should (U+{:04X})",
                    quote(text), alike->place, static_cast<std::uint32_t>(alike->character)),
        "write " + quote(alike->meant) + ", in plain letters");
  }
  return fail(ErrorCode::invalid, {}, quote(text) + " cannot be a name",
              "write 1 to 63 of a-z 0-9 . _ -, beginning with a letter or digit");
}

Result<std::string> read_text(const Node& node) {
  if (node.string() == nullptr) return wrong_kind(node, "a text");
  if (auto checked = check_text(*node.string()); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  return *node.string();
}

Result<Time> read_time(const Node& node) {
  if (const auto* time = std::get_if<Time>(&node.value)) return *time;
  if (node.string() == nullptr) return wrong_kind(node, "a time");
  return parse_time(*node.string());
}

Result<IpAddress> read_address(const Node& node) {
  return parse_text(node, &IpAddress::parse);
}
Result<Prefix> read_prefix(const Node& node) {
  return parse_text(node, &Prefix::parse);
}
Result<PublicKey> read_public_key(const Node& node) {
  return parse_text(node, &PublicKey::parse);
}
Result<Service> read_service_name(const Node& node) {
  return parse_text(node, &Service::parse);
}

Result<DailyHours> read_hours(const Node& node) {
  return parse_text(node, &DailyHours::parse);
}

Result<std::chrono::minutes> read_duration(const Node& node) {
  if (node.string() == nullptr) return wrong_kind(node, "a text");
  const std::string& text = *node.string();
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  const bool hours = unit != end && *unit == 'h';
  const bool right = error == std::errc() && text.front() != '-' && end - unit == 1 &&
                     (hours || *unit == 'm') && number <= kMostOfUnit;
  if (!right) {
    return fail(ErrorCode::invalid, {}, quote(text) + " is no length of time",
                "write \"15m\" or \"8h\"");
  }
  return std::chrono::minutes(hours ? number * 60 : number);
}

Result<std::int64_t> read_number(const Node& node) {
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) return *number;
  return wrong_kind(node, "a number");
}

Result<bool> read_flag(const Node& node) {
  if (const bool* flag = std::get_if<bool>(&node.value)) return *flag;
  return wrong_kind(node, "true or false");
}

Result<Who> read_who(const Node& node) {
  if (node.string() == nullptr) return wrong_kind(node, "a text");
  const std::string_view text = *node.string();
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  if (colon == std::string_view::npos || (kind != "person" && kind != "role")) {
    return fail(ErrorCode::invalid, {}, quote(text) + " names neither a person nor a role",
                "write person:ID or role:ID");
  }
  const std::string id(text.substr(colon + 1));
  if (auto checked = check_id(id); !checked) return std::unexpected(std::move(checked.error()));
  return kind == "person" ? Who(PersonId(id)) : Who(RoleId(id));
}

}  // namespace sekisho

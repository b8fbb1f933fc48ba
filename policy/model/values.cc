#include "policy/model/values.h"

namespace sekisho {
namespace {

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

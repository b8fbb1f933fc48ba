#include "gateway/engine/overlay.h"

#include <string_view>
#include <utility>

namespace sekisho::engine {

namespace {

bool is(const Node& node, std::string_view word) {
  return node.string() != nullptr && *node.string() == word;
}

bool is_only(const Node& list, std::string_view word) {
  return list.array()->size() == 1 && is(list.array()->front(), word);
}

// A word, or a number, in the place of a value that takes the field away.
bool takes_away(std::string_view name, const Node& value) {
  if (name == "until" || name == "from" || name == "valid_until") return is(value, "never");
  if (name == "session" || name == "officer" || name == "contact") return is(value, "none");
  if (name == "remediation") return is_only(value, "none");
  if (name == "hours") return is_only(value, "always");
  if (name == "device_quota" || name == "devices_per_person")
    return std::get<std::int64_t>(value.value) == 0;
  return false;
}

// What cannot stand beside a field that was given: hours that go take their zone with them, and a
// resource that is given addresses leaves those of the internet, or the other way round.
std::string_view ousted_by(std::string_view name, const Node& value, bool taken_away) {
  if (name == "hours" && taken_away) return "zone";
  if (name == "prefixes") return "internet";
  if (name == "internet" && std::get<bool>(value.value)) return "prefixes";
  return {};
}

// A switch that can be turned off again is a word on the command line and true or false in the
// document; other words stay, for the reader to refuse.
Node as_field(std::string_view name, const Node& value) {
  if (name != "two_people") return value;
  if (is(value, "true")) return {true};
  if (is(value, "false")) return {false};
  return value;
}

}  // namespace

Node with_parameters(Node fields, const control::Request& request, bool reason_is_field) {
  auto& table = std::get<Node::Table>(fields.value);
  for (const auto& [name, value] : *request.parameters.table()) {
    const bool is_field =
        name != "id" && name != "key_made_at_gateway" && (name != "reason" || reason_is_field);
    if (!is_field) continue;
    const bool taken_away = takes_away(name, value);
    const std::string_view ousted = ousted_by(name, value, taken_away);
    const bool given_too = request.parameters.find(ousted) != nullptr;
    std::erase_if(table, [&](const auto& member) {
      return member.first == name || (member.first == ousted && !given_too);
    });
    if (!taken_away) table.emplace_back(name, as_field(name, value));
  }
  return fields;
}

}  // namespace sekisho::engine

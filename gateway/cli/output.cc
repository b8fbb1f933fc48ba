#include "gateway/cli/output.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace sekisho::cli {

namespace {

using control::OperationId;

std::string cell(const Node& node) {
  if (const auto* text = node.string()) return *text;
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag ? "yes" : "no";
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) return std::to_string(*number);
  if (const auto* time = std::get_if<Time>(&node.value)) return to_string(*time);
  if (const auto* items = node.array()) {
    std::string text;
    for (const Node& item : *items) text += (text.empty() ? "" : ", ") + cell(item);
    return text;
  }
  if (const auto* members = node.table()) {
    const Node* service = node.find("service");
    const Node* reason = node.find("reason");
    if (service != nullptr && reason != nullptr) return cell(*service) + " (" + cell(*reason) + ")";
    std::string text;
    for (const auto& [key, value] : *members)
      text += (text.empty() ? "" : ", ") + key + " " + cell(value);
    return text;
  }
  return "-";
}

// Columns on a terminal: East Asian wide characters take two, continuation bytes none.
std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) continue;
    columns += byte >= 0xe3 ? 2 : 1;
  }
  return columns;
}

std::string padded(std::string text, std::size_t columns) {
  const std::size_t used = width(text);
  if (used < columns) text.append(columns - used, ' ');
  return text;
}

// Texts of several lines are left to --json.
std::string table_of(const Node::Array& rows) {
  if (rows.empty()) return "none\n";
  std::vector<std::string> keys;
  for (const Node& row : rows) {
    for (const auto& [key, value] : *row.table()) {
      const bool for_json = key == "before" || key == "after";
      if (!for_json && std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  std::vector<std::vector<std::string>> lines{{}};
  for (const std::string& key : keys) {
    std::string title = key;
    std::ranges::transform(title, title.begin(), [](char c) {
      return c == '_' ? ' ' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    lines.front().push_back(std::move(title));
  }
  for (const Node& row : rows) {
    auto& line = lines.emplace_back();
    for (const std::string& key : keys) {
      const Node* value = row.find(key);
      line.push_back(value != nullptr ? cell(*value) : "-");
    }
  }
  std::vector<std::size_t> widths(keys.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      row += i + 1 == line.size() ? line[i] : padded(line[i], widths[i] + 2);
    }
    text += row + "\n";
  }
  return text;
}

std::string fields_of(const Node::Table& members) {
  std::size_t columns = 0;
  for (const auto& [key, value] : members) columns = std::max(columns, width(key));
  std::string text;
  for (const auto& [key, value] : members) {
    if (key == "answer" || std::holds_alternative<std::monostate>(value.value)) continue;
    std::string name = key;
    std::ranges::replace(name, '_', ' ');
    text += padded(name, columns + 2) + cell(value) + "\n";
  }
  return text;
}

std::string findings_of(const Node& result) {
  std::string text;
  const Node* findings = result.find("findings");
  if (findings == nullptr || findings->array() == nullptr) return text;
  for (const Node& row : *findings->array()) {
    const bool good = std::get<bool>(row.find("good")->value);
    text += std::string(good ? "ok    " : "WRONG ") + cell(*row.find("subject")) + ": " +
            cell(*row.find("finding")) + "\n";
    if (!good) text += "      mend: " + cell(*row.find("mend")) + "\n";
  }
  return text;
}

std::string changes_of(const Node::Array& rows) {
  if (rows.empty()) return "no difference\n";
  std::string text;
  for (const Node& row : rows) {
    text += padded(cell(*row.find("change")), 9) + cell(*row.find("object")) + "\n";
    if (const Node* before = row.find("before"); before->table() != nullptr)
      text += "  - " + cell(*before) + "\n";
    if (const Node* after = row.find("after"); after->table() != nullptr)
      text += "  + " + cell(*after) + "\n";
  }
  return text;
}

// A mistake in the words typed never reaches the gateway, so none of its codes is for it.
constexpr std::string_view kUsageCode = "usage";

std::string error_text(std::string_view code, const std::string& told, const std::string& advice) {
  std::string text = "error[" + std::string(code) + "]: " + told + "\n";
  if (!advice.empty()) text += "  what to do: " + advice + "\n";
  return text;
}

}  // namespace

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed:
    case ErrorCode::invalid:
      return 1;
    case ErrorCode::not_found:
      return 3;
    case ErrorCode::not_permitted:
      return 4;
    case ErrorCode::conflict:
      return 5;
    case ErrorCode::unreachable:
      return 6;
    case ErrorCode::answered_no:
      return kAnsweredNo;
    case ErrorCode::rolled_back:
      return 8;
  }
  return 1;
}

int exit_code(const control::Reply& reply) {
  if (!reply) return exit_code(reply.error().front().code);
  const Node* answer = reply->find("answer");
  const bool* yes = answer != nullptr ? std::get_if<bool>(&answer->value) : nullptr;
  return yes != nullptr && !*yes ? kAnsweredNo : 0;
}

std::string as_text(const control::Operation& operation, const Node& result) {
  switch (operation.id) {
    case OperationId::doctor:
      return findings_of(result);
    case OperationId::policy_diff:
      return changes_of(*result.array());
    case OperationId::policy_check:
      return "the document is a valid policy\n";
    case OperationId::policy_can:
      return cell(*result.find("explanation")) + "\n";
    case OperationId::policy_export:
    case OperationId::service_catalogue:
      return cell(*result.find("document"));
    default:
      break;
  }
  if (const Node* profile = result.find("profile")) return cell(*profile);
  if (const Node::Array* rows = result.array()) return table_of(*rows);
  if (const Node::Table* members = result.table()) return fields_of(*members);
  return cell(result) + "\n";
}

std::string as_json(const control::Operation& operation, const control::Reply& reply) {
  Node message;
  const Node decoded = *read_json(control::encode(reply), "reply");
  message.value = Node::Table{{"schema", {"sekisho." + operation.name() + "/1"}}};
  for (const auto& member : *decoded.table())
    std::get<Node::Table>(message.value).push_back(member);
  return write_json(message, true) + "\n";
}

std::string as_text(const Errors& errors) {
  std::string text;
  for (const Error& error : errors) {
    Error told = error;
    told.advice.clear();
    text += error_text(control::to_string(error.code), to_string(told), error.advice);
  }
  return text;
}

std::string usage_as_text(const std::string& cause, const std::string& advice) {
  return error_text(kUsageCode, cause, advice);
}

std::string usage_as_json(const std::string& cause, const std::string& advice) {
  const auto text = [](std::string_view value) { return Node{std::string(value)}; };
  Node error{Node::Table{{"code", text(kUsageCode)},
                         {"object", text("")},
                         {"cause", text(cause)},
                         {"place", text("")},
                         {"advice", text(advice)}}};
  return write_json({Node::Table{{"schema", text("sekisho.usage/1")},
                                 {"errors", {Node::Array{std::move(error)}}}}},
                    true) +
         "\n";
}

}  // namespace sekisho::cli

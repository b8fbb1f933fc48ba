#include "gateway/cli/output.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/cli/explanations.h"
#include "gateway/cli/tables.h"

namespace sekisho::cli {

namespace {

using control::OperationId;

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

// What a command that asks no gateway answers: a text, or a sentence.
std::string said_here(const Node& result) {
  const Node* document = result.find("document");
  return document != nullptr ? cell(*document) : cell(*result.find("explanation")) + "\n";
}

// A mistake in the words typed never reaches the gateway, so none of its codes is for it.
constexpr std::string_view kUsageCode = "usage";

std::string error_text(std::string_view code, const std::string& told, const std::string& advice) {
  std::string text = "error[" + std::string(code) + "]: " + told + "\n";
  if (!advice.empty()) text += "  what to do: " + advice + "\n";
  return text;
}

}  // namespace

std::span<const ExitCode> exit_codes() {
  static constexpr std::array kCodes{
      ExitCode{0, "ok", "It is done, or the answer is yes."},
      ExitCode{1, "failure",
               "What was given is wrong, or it could not be done; nothing changed, but for a "
               "quarantine, which says how far it came."},
      ExitCode{kUsage, "usage", "The words typed are no command."},
      ExitCode{3, "not found", "What was named does not exist."},
      ExitCode{4, "not permitted", "The caller may not do this."},
      ExitCode{5, "conflict",
               "It exists already, others depend on it, or the policy changed in between."},
      ExitCode{6, "the gateway does not answer", "sekishod is not running, or not at this socket."},
      ExitCode{kAnsweredNo, "the answer is no",
               "The command is a question, and the answer is no: not permitted, not enforcing, not "
               "sound, not formatted, not released before a second person says so."},
      ExitCode{8, "applied and taken back", "The change was made, did not hold, and was undone."}};
  return kCodes;
}

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
  const auto says_no = [&](std::string_view member) {
    const Node* said = reply->find(member);
    const bool* yes = said != nullptr ? std::get_if<bool>(&said->value) : nullptr;
    return yes != nullptr && !*yes;
  };
  return says_no("answer") || says_no("released") ? kAnsweredNo : 0;
}

std::string as_text(const CommandRow& row, const Node& result) {
  if (row.operation == nullptr) return said_here(result);
  switch (row.operation->id) {
    case OperationId::doctor:
      return findings_of(result);
    case OperationId::policy_diff:
      return changes_of(result);
    case OperationId::policy_check:
      return "the document is a valid policy\n" + notes_of(*result.find("review")->array());
    case OperationId::policy_review: {
      const std::string notes = notes_of(*result.array());
      return notes.empty() ? "every grant gives something that no other gives\n" : notes;
    }
    case OperationId::policy_explain:
      return explanation_of(result);
    case OperationId::policy_matrix:
      return matrix_of(*result.array());
    case OperationId::policy_apply:
      return fields_of(*result.table()) +
             (result.find("confirm_by") != nullptr ? "keep it with: sekisho policy confirm\n" : "");
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

std::string as_json(const CommandRow& row, const control::Reply& reply) {
  Node message;
  const Node decoded = *read_json(control::encode(reply), "reply");
  message.value = Node::Table{{"schema", {"sekisho." + row.name() + "/1"}}};
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

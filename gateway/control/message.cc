#include "gateway/control/message.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sekisho::control {

namespace {

constexpr std::array<std::pair<ErrorCode, std::string_view>, 8> kCodes{{
    {ErrorCode::failed, "failed"},
    {ErrorCode::invalid, "invalid"},
    {ErrorCode::not_found, "not_found"},
    {ErrorCode::not_permitted, "not_permitted"},
    {ErrorCode::conflict, "conflict"},
    {ErrorCode::unreachable, "unreachable"},
    {ErrorCode::answered_no, "answered_no"},
    {ErrorCode::rolled_back, "rolled_back"},
}};

bool has_kind(const Node& value, ParameterKind kind) {
  switch (kind) {
    case ParameterKind::text:
    case ParameterKind::document:
      return value.string() != nullptr;
    case ParameterKind::list:
      return value.array() != nullptr &&
             std::ranges::all_of(*value.array(), [](const Node& item) { return item.string(); });
    case ParameterKind::services:
      return value.array() != nullptr;
    case ParameterKind::number:
      return std::holds_alternative<std::int64_t>(value.value);
    case ParameterKind::flag:
      return std::holds_alternative<bool>(value.value);
  }
  return false;
}

std::string_view describe(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::text:
      return "a text";
    case ParameterKind::document:
      return "a document's text";
    case ParameterKind::list:
      return "a list of texts";
    case ParameterKind::services:
      return "a list of services";
    case ParameterKind::number:
      return "a whole number";
    case ParameterKind::flag:
      return "true or false";
  }
  return "";
}

Errors check_parameters(const Operation& operation, const Node::Table& given) {
  Errors errors;
  const auto refuse = [&](std::string_view name, std::string cause, std::string advice) {
    errors.push_back({ErrorCode::invalid,
                      operation.name() + "." + std::string(name),
                      std::move(cause),
                      {},
                      std::move(advice)});
  };
  for (const auto& [name, value] : given) {
    const auto declared = std::ranges::find(operation.parameters, name, &Parameter::name);
    if (declared == operation.parameters.end()) {
      refuse(name, "this operation has no such parameter", "leave it out");
    } else if (!has_kind(value, declared->kind)) {
      refuse(name, "the value is not " + std::string(describe(declared->kind)), "give one");
    }
  }
  for (const Parameter& parameter : operation.parameters) {
    const bool missing = std::ranges::none_of(
        given, [&](const auto& member) { return member.first == parameter.name; });
    if (parameter.required && missing) {
      refuse(parameter.name, "is missing", "give " + std::string(parameter.help));
    }
  }
  return errors;
}

std::string text_of(const Node& table, std::string_view key) {
  const Node* node = table.find(key);
  return node != nullptr && node->string() != nullptr ? *node->string() : std::string();
}

Node to_node(const Error& error) {
  return {Node::Table{{"code", {std::string(to_string(error.code))}},
                      {"object", {error.object}},
                      {"cause", {error.cause}},
                      {"place", {error.place}},
                      {"advice", {error.advice}}}};
}

Error to_error(const Node& node) {
  const std::string name = text_of(node, "code");
  const auto code =
      std::ranges::find(kCodes, std::string_view(name), &decltype(kCodes)::value_type::second);
  return {code == kCodes.end() ? ErrorCode::failed : code->first, text_of(node, "object"),
          text_of(node, "cause"), text_of(node, "place"), text_of(node, "advice")};
}

Errors malformed(std::string cause) {
  return {{ErrorCode::invalid,
           "message",
           std::move(cause),
           {},
           "use the sekisho program of the same version"}};
}

}  // namespace

std::string_view to_string(ErrorCode code) {
  return std::ranges::find(kCodes, code, &decltype(kCodes)::value_type::first)->second;
}

std::string frame(std::string_view payload) {
  const auto length = static_cast<std::uint32_t>(payload.size());
  std::string bytes;
  bytes.reserve(kFrameHeaderBytes + payload.size());
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(length >> shift & 0xff));
  return bytes.append(payload);
}

Result<std::size_t> frame_length(std::span<const std::uint8_t, kFrameHeaderBytes> header) {
  std::size_t length = 0;
  for (const std::uint8_t byte : header) length = length << 8 | byte;
  if (length > kMaxFrameBytes) {
    return fail(ErrorCode::invalid, "message",
                "it is longer than " + std::to_string(kMaxFrameBytes) + " bytes",
                "send a smaller document");
  }
  return length;
}

std::string encode(const Request& request) {
  return write_json({Node::Table{{"operation", {operation(request.operation).name()}},
                                 {"parameters", request.parameters}}},
                    true);
}

Checked<Request> decode_request(std::string_view json) {
  auto message = read_json(json, "request");
  if (!message) return std::unexpected(Errors{message.error()});
  const Operation* found = find_operation(text_of(*message, "operation"));
  if (found == nullptr) {
    return std::unexpected(
        Errors{{ErrorCode::invalid,
                "operation",
                "there is no operation \"" + text_of(*message, "operation") + "\"",
                {},
                "use the sekisho program of the same version"}});
  }
  Request request{.operation = found->id, .parameters = {Node::Table{}}};
  for (auto& [name, value] : std::get<Node::Table>(message->value)) {
    if (name != "parameters") continue;
    if (value.table() == nullptr)
      return std::unexpected(malformed("\"parameters\" is not an object"));
    request.parameters = std::move(value);
  }
  if (Errors errors = check_parameters(*found, *request.parameters.table()); !errors.empty()) {
    return std::unexpected(std::move(errors));
  }
  return request;
}

std::string encode(const Reply& reply) {
  if (reply) return write_json({Node::Table{{"result", *reply}}}, true);
  Node::Array errors;
  for (const Error& error : reply.error()) errors.push_back(to_node(error));
  return write_json({Node::Table{{"errors", {std::move(errors)}}}}, true);
}

Reply decode_reply(std::string_view json) {
  auto message = read_json(json, "reply");
  if (!message) return std::unexpected(Errors{message.error()});
  if (const Node* result = message->find("result")) return *result;
  const Node* listed = message->find("errors");
  if (listed == nullptr || listed->array() == nullptr || listed->array()->empty()) {
    return std::unexpected(malformed("the reply has neither a result nor errors"));
  }
  Errors errors;
  for (const Node& node : *listed->array()) errors.push_back(to_error(node));
  return std::unexpected(std::move(errors));
}

}  // namespace sekisho::control

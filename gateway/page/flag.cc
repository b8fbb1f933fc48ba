#include "gateway/page/flag.h"

#include <algorithm>
#include <array>
#include <utility>

#include "policy/base/text.h"

namespace sekisho::page {

namespace {

constexpr std::array<std::string_view, 4> kSaid{"source", "severity", "detail", "key"};

std::unexpected<Error> refuse(std::string cause) {
  return fail(ErrorCode::invalid, "flag", std::move(cause),
              "send JSON: {\"source\": \"clamav\", \"severity\": \"high\", \"detail\": \"...\", "
              "\"key\": \"...\"}");
}

}  // namespace

Result<control::Request> read_flag(std::string_view body, std::string_view token,
                                   const IpAddress& from) {
  const auto document = read_json(body, "flag");
  if (!document) return refuse("is no JSON: " + document.error().cause);
  const auto* members = document->table();
  if (members == nullptr) return refuse("is no JSON object");
  Node::Table parameters;
  for (const auto& [name, value] : *members) {
    if (std::ranges::find(kSaid, name) == kSaid.end())
      return refuse("has no member " + quote(name));
    if (value.string() == nullptr) return refuse(name + " is no text");
    parameters.emplace_back(name, Node{*value.string()});
  }
  if (document->find("source") == nullptr) return refuse("does not say its source");
  parameters.emplace_back("token", Node{std::string(token)});
  parameters.emplace_back("address", Node{from.to_string()});
  return control::Request{control::OperationId::flag_add, Node{std::move(parameters)}};
}

std::string write_flag(const Node& result) {
  Node::Table told;
  for (const std::string_view name : {"flag", "device", "state", "outcome", "repeated"}) {
    if (const Node* value = result.find(name)) told.emplace_back(std::string(name), *value);
  }
  return write_json({std::move(told)}, true);
}

}  // namespace sekisho::page

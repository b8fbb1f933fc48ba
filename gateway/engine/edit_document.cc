#include <utility>

#include "gateway/engine/edit.h"
#include "policy/model/document.h"

namespace sekisho::engine {

namespace {

using control::OperationId;
using control::Request;

template <class Map>
void merge_new(Map& into, const Map& from, std::string_view kind, Errors& errors) {
  for (const auto& [id, object] : from) {
    if (!into.emplace(id, object).second) {
      errors.push_back({ErrorCode::conflict,
                        std::string(kind) + "." + id.str(),
                        "exists already",
                        {},
                        "leave it out of the document, or change it with: policy apply"});
    }
  }
}

}  // namespace

Checked<Policy> read_document(const Request& request) {
  const std::string syntax = text_parameter(request, "syntax");
  if (!syntax.empty() && syntax != "toml" && syntax != "json") {
    return std::unexpected(Errors{{ErrorCode::invalid,
                                   "syntax",
                                   "\"" + syntax + "\" is not known",
                                   {},
                                   "give toml or json"}});
  }
  return read_policy(text_parameter(request, "document"),
                     syntax == "json" ? Syntax::json : Syntax::toml, "policy");
}

Checked<Edit> edit_document(const Policy& policy, const Request& request) {
  auto document = read_document(request);
  if (!document) return std::unexpected(std::move(document.error()));
  Edit edit{.next = {}, .object = "policy", .reason = text_parameter(request, "reason")};
  if (request.operation == OperationId::policy_apply) {
    edit.next = *std::move(document);
    return edit;
  }
  edit.next = policy;
  Errors errors;
  merge_new(edit.next.people, document->people, "person", errors);
  merge_new(edit.next.devices, document->devices, "device", errors);
  merge_new(edit.next.roles, document->roles, "role", errors);
  merge_new(edit.next.resources, document->resources, "resource", errors);
  merge_new(edit.next.grants, document->grants, "grant", errors);
  if (document->quota != Quota{} && document->quota != edit.next.quota) {
    if (edit.next.quota != Quota{}) {
      errors.push_back({ErrorCode::conflict,
                        "quota",
                        "exists already",
                        {},
                        "leave it out of the document, or change it with: quota set"});
    }
    edit.next.quota = document->quota;
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return edit;
}

Policy roll_back(const Policy& now, Policy earlier) {
  earlier.devices = now.devices;
  std::erase_if(earlier.devices,
                [&](const auto& device) { return !earlier.people.contains(device.second.person); });
  return earlier;
}

}  // namespace sekisho::engine

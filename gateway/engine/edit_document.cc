#include <utility>

#include "gateway/engine/edit.h"
#include "policy/model/document.h"

namespace sekisho::engine {

namespace {

using control::OperationId;
using control::Request;

Syntax syntax_of(const Request& request) {
  return text_parameter(request, "syntax") == "json" ? Syntax::json : Syntax::toml;
}

Error exists_already(std::string object, std::string_view change) {
  return {ErrorCode::conflict,
          std::move(object),
          "exists already",
          {},
          "leave it out of the document, or change it with: " + std::string(change)};
}

template <class Map, class Changes>
void add_new(const Map& existing, const Map& from, std::string_view kind, Changes& changes,
             Errors& errors) {
  for (const auto& [id, object] : from) {
    if (existing.contains(id)) {
      errors.push_back(exists_already(std::string(kind) + "." + id.str(), "policy apply"));
    } else {
      changes.emplace(id, object);
    }
  }
}

template <class Settings>
void add_settings(const Settings& existing, const Settings& from, const std::string& name,
                  std::optional<Settings>& change, Errors& errors) {
  if (from == Settings{} || from == existing) return;
  if (existing != Settings{}) errors.push_back(exists_already(name, name + " set"));
  change = from;
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
  return read_policy(text_parameter(request, "document"), syntax_of(request),
                     control::kDocumentName);
}

void locate_in_document(Errors& errors, const Request& request) {
  if (request.parameters.find("document") == nullptr) return;
  const auto document = sekisho::read_document(text_parameter(request, "document"),
                                               syntax_of(request), control::kDocumentName);
  if (document) locate(errors, *document, control::kDocumentName);
}

Checked<Edit> edit_document(const Policy& policy, const Request& request) {
  auto document = read_document(request);
  if (!document) return std::unexpected(std::move(document.error()));
  Edit edit{.change = {}, .object = "policy", .reason = text_parameter(request, "reason")};
  if (request.operation == OperationId::policy_apply) {
    edit.change = difference(policy, *document);
    return edit;
  }
  Errors errors;
  add_new(policy.people, document->people, "person", edit.change.people, errors);
  add_new(policy.devices, document->devices, "device", edit.change.devices, errors);
  add_new(policy.roles, document->roles, "role", edit.change.roles, errors);
  add_new(policy.resources, document->resources, "resource", edit.change.resources, errors);
  add_new(policy.grants, document->grants, "grant", edit.change.grants, errors);
  add_settings(policy.quota, document->quota, "quota", edit.change.quota, errors);
  add_settings(policy.response, document->response, "response", edit.change.response, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return edit;
}

Checked<Policy> policy_of(const Revision& revision) {
  return read_edited(revision.document, revision.edits,
                     "revision " + std::to_string(revision.number.value()));
}

Policy roll_back(const Policy& now, Policy earlier) {
  earlier.devices = now.devices;
  std::erase_if(earlier.devices,
                [&](const auto& device) { return !earlier.people.contains(device.second.person); });
  return earlier;
}

}  // namespace sekisho::engine

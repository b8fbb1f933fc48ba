#include "gateway/engine/edit.h"

#include <algorithm>
#include <utility>

#include "policy/model/document.h"

namespace sekisho::engine {

namespace {

using control::OperationId;
using control::Request;

Errors one(ErrorCode code, std::string object, std::string cause, std::string advice) {
  return {{code, std::move(object), std::move(cause), {}, std::move(advice)}};
}

// How the five kinds of object differ; all else about them is the same.
template <class Id>
struct Kind;

template <>
struct Kind<PersonId> {
  static constexpr std::string_view name = "person";
  static constexpr auto member = &Policy::people;
  static constexpr auto changes = &PolicyEdit::people;
  static Checked<Person> decode(const Node& n, std::string_view path) {
    return decode_person(n, path);
  }
};
template <>
struct Kind<DeviceId> {
  static constexpr std::string_view name = "device";
  static constexpr auto member = &Policy::devices;
  static constexpr auto changes = &PolicyEdit::devices;
  static Checked<Device> decode(const Node& n, std::string_view path) {
    return decode_device(n, path);
  }
};
template <>
struct Kind<RoleId> {
  static constexpr std::string_view name = "role";
  static constexpr auto member = &Policy::roles;
  static constexpr auto changes = &PolicyEdit::roles;
  static Checked<Role> decode(const Node& n, std::string_view path) { return decode_role(n, path); }
};
template <>
struct Kind<ResourceId> {
  static constexpr std::string_view name = "resource";
  static constexpr auto member = &Policy::resources;
  static constexpr auto changes = &PolicyEdit::resources;
  static Checked<Resource> decode(const Node& n, std::string_view path) {
    return decode_resource(n, path);
  }
};
template <>
struct Kind<GrantId> {
  static constexpr std::string_view name = "grant";
  static constexpr auto member = &Policy::grants;
  static constexpr auto changes = &PolicyEdit::grants;
  static Checked<Grant> decode(const Node& n, std::string_view path) {
    return decode_grant(n, path);
  }
};

template <class Id>
std::string path_of(const Id& id) {
  return std::string(Kind<Id>::name) + "." + id.str();
}

// The given parameters that are fields of the object, laid over `fields`. An end or a beginning is
// taken away by "never" or "now".
template <class Id>
Node with_parameters(Node fields, const Request& request) {
  auto& table = std::get<Node::Table>(fields.value);
  for (const auto& [name, value] : *request.parameters.table()) {
    const bool is_field = name != "id" && name != "key_made_at_gateway" &&
                          (name != "reason" || std::is_same_v<Id, GrantId>);
    if (!is_field) continue;
    std::erase_if(table, [&](const auto& member) { return member.first == name; });
    const bool taken_away = value.string() != nullptr && *value.string() == "never" &&
                            (name == "until" || name == "from" || name == "valid_until");
    if (!taken_away) table.emplace_back(name, value);
  }
  return fields;
}

template <class Id>
std::string as_toml(const Id& id, const Node& fields) {
  return write_toml(
      {Node::Table{{std::string(Kind<Id>::name), {Node::Table{{id.str(), fields}}}}}});
}

enum class Act { add, set, remove };

template <class Id>
Checked<Edit> edit_one(const Policy& policy, const Request& request, Act act,
                       const Node& defaults) {
  const Id id(text_parameter(request, "id"));
  Edit edit{.change = {}, .object = path_of(id), .reason = text_parameter(request, "reason")};
  auto& change = edit.change.*Kind<Id>::changes;
  const auto& objects = policy.*Kind<Id>::member;
  const auto found = objects.find(id);
  if (act == Act::add && found != objects.end()) {
    return std::unexpected(
        one(ErrorCode::conflict, edit.object, "exists already",
            "change it with: " + std::string(Kind<Id>::name) + " set " + id.str()));
  }
  if (act == Act::add && !is_valid_id(id.str())) {
    return std::unexpected(one(ErrorCode::invalid, edit.object,
                               "\"" + id.str() + "\" is not a name",
                               "use 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit"));
  }
  if (act != Act::add && found == objects.end()) {
    return std::unexpected(one(ErrorCode::not_found, edit.object, "does not exist",
                               "list what there is: " + std::string(Kind<Id>::name) + " list"));
  }
  if (found != objects.end()) edit.before = as_toml(id, encode(found->second));
  if (act == Act::remove) {
    change[id] = std::nullopt;
    return edit;
  }
  Node fields = act == Act::set ? encode(found->second) : defaults;
  auto object = Kind<Id>::decode(with_parameters<Id>(std::move(fields), request), edit.object);
  if (!object) return std::unexpected(std::move(object.error()));
  edit.after = as_toml(id, encode(*object));
  change[id] = *std::move(object);
  return edit;
}

Node empty() {
  return {Node::Table{}};
}

// An added object that does not say its name is called by its id.
Node named_by_id(const Request& request) {
  return {Node::Table{{"name", {text_parameter(request, "id")}}}};
}

Checked<Edit> add_device(const Policy& policy, const Request& request,
                         const std::vector<IpAddress>& addresses) {
  if (request.parameters.find("public_key") == nullptr) {
    return std::unexpected(one(
        ErrorCode::invalid, "device." + text_parameter(request, "id"), "its public key is missing",
        "give --public-key KEY, made on the device itself by: wg genkey | wg pubkey"));
  }
  Node::Array texts;
  for (const IpAddress& address : addresses) texts.push_back({address.to_string()});
  auto edit = edit_one<DeviceId>(policy, request, Act::add,
                                 {Node::Table{{"addresses", {std::move(texts)}}}});
  if (edit) {
    edit->profile_for = DeviceId(text_parameter(request, "id"));
    const Node* made_here = request.parameters.find("key_made_at_gateway");
    edit->key_made_at_gateway = made_here != nullptr && std::get<bool>(made_here->value);
    if (edit->key_made_at_gateway)
      edit->reason = "key made at gateway" + (edit->reason.empty() ? "" : "; " + edit->reason);
  }
  return edit;
}

Syntax syntax_of(const Request& request) {
  return text_parameter(request, "syntax") == "json" ? Syntax::json : Syntax::toml;
}

template <class Map, class Changes>
void add_new(const Map& existing, const Map& from, std::string_view kind, Changes& changes,
             Errors& errors) {
  for (const auto& [id, object] : from) {
    if (!existing.contains(id)) {
      changes.emplace(id, object);
    } else {
      errors.push_back({ErrorCode::conflict,
                        std::string(kind) + "." + id.str(),
                        "exists already",
                        {},
                        "leave it out of the document, or change it with: policy apply"});
    }
  }
}

}  // namespace

std::string text_parameter(const Request& request, std::string_view name) {
  const Node* node = request.parameters.find(name);
  return node != nullptr && node->string() != nullptr ? *node->string() : std::string();
}

std::optional<std::int64_t> number_parameter(const Request& request, std::string_view name) {
  const Node* node = request.parameters.find(name);
  if (node == nullptr) return std::nullopt;
  return std::get<std::int64_t>(node->value);
}

Checked<Edit> edit_object(const Policy& policy, const Request& request,
                          const std::vector<IpAddress>& addresses) {
  using enum OperationId;
  switch (request.operation) {
    case person_add:
      return edit_one<PersonId>(policy, request, Act::add, named_by_id(request));
    case person_set:
      return edit_one<PersonId>(policy, request, Act::set, empty());
    case person_remove:
      return edit_one<PersonId>(policy, request, Act::remove, empty());
    case device_add:
      return add_device(policy, request, addresses);
    case device_set:
      return edit_one<DeviceId>(policy, request, Act::set, empty());
    case device_remove:
      return edit_one<DeviceId>(policy, request, Act::remove, empty());
    case role_add:
      return edit_one<RoleId>(policy, request, Act::add, named_by_id(request));
    case role_set:
      return edit_one<RoleId>(policy, request, Act::set, empty());
    case role_remove:
      return edit_one<RoleId>(policy, request, Act::remove, empty());
    case resource_add:
      return edit_one<ResourceId>(policy, request, Act::add, named_by_id(request));
    case resource_set:
      return edit_one<ResourceId>(policy, request, Act::set, empty());
    case resource_remove:
      return edit_one<ResourceId>(policy, request, Act::remove, empty());
    case grant_add:
      return edit_one<GrantId>(policy, request, Act::add, empty());
    case grant_set:
      return edit_one<GrantId>(policy, request, Act::set, empty());
    case grant_remove:
      return edit_one<GrantId>(policy, request, Act::remove, empty());
    case status:
    case doctor:
    case person_list:
    case person_show:
    case device_list:
    case device_show:
    case device_profile:
    case role_list:
    case role_show:
    case resource_list:
    case resource_show:
    case grant_list:
    case grant_show:
    case policy_check:
    case policy_diff:
    case policy_apply:
    case policy_rollback:
    case policy_history:
    case policy_can:
    case policy_export:
    case policy_import:
    case audit_list:
    case audit_verify:
      break;
  }
  return std::unexpected(one(ErrorCode::failed, control::operation(request.operation).name(),
                             "changes no object", {}));
}

Checked<Policy> read_document(const Request& request) {
  const std::string syntax = text_parameter(request, "syntax");
  if (!syntax.empty() && syntax != "toml" && syntax != "json") {
    return std::unexpected(
        one(ErrorCode::invalid, "syntax", "\"" + syntax + "\" is not known", "give toml or json"));
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

#include "gateway/engine/edit.h"

#include <algorithm>
#include <utility>

#include "gateway/engine/overlay.h"
#include "gateway/engine/references.h"
#include "policy/model/document.h"
#include "policy/model/values.h"

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

template <class Id>
std::string as_toml(const Id& id, const Node& fields) {
  return write_toml(
      {Node::Table{{std::string(Kind<Id>::name), {Node::Table{{id.str(), fields}}}}}});
}

// Why it cannot be removed; nothing where it can.
template <class Id>
Errors still_named(const Policy& policy, const Id& id) {
  constexpr std::size_t kMostTold = 10;
  const std::vector<Reference> references = references_to(policy, id);
  std::string by;
  std::string first;
  for (std::size_t i = 0; i < std::min(references.size(), kMostTold); ++i) {
    by += (i == 0 ? "" : ", ") + references[i].object;
    first += (i == 0 ? "" : "; ") + references[i].removal;
  }
  if (references.size() > kMostTold)
    by += " and " + std::to_string(references.size() - kMostTold) + " more";
  if (references.empty()) return {};
  return one(ErrorCode::invalid, path_of(id), "is still named by " + by, "first: " + first);
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
  if (auto checked = check_id(id.str()); act == Act::add && !checked) {
    return std::unexpected(one(ErrorCode::invalid, edit.object, std::move(checked.error().cause),
                               std::move(checked.error().advice)));
  }
  if (act != Act::add && found == objects.end()) {
    if (edit.object == path_of(kInternet)) {
      return std::unexpected(
          one(ErrorCode::not_found, edit.object, "is built in and has no settings in the policy",
              "choose its services with: resource add internet --classification public --service "
              "https"));
    }
    return std::unexpected(one(ErrorCode::not_found, edit.object, "does not exist",
                               "list what there is: " + std::string(Kind<Id>::name) + " list"));
  }
  if (found != objects.end()) edit.before = as_toml(id, encode(found->second));
  if (act == Act::remove) {
    if (Errors named = still_named(policy, id); !named.empty())
      return std::unexpected(std::move(named));
    change[id] = std::nullopt;
    return edit;
  }
  Node fields = act == Act::set ? encode(found->second) : defaults;
  constexpr bool kHasReason = std::is_same_v<Id, GrantId>;
  auto object =
      Kind<Id>::decode(with_parameters(std::move(fields), request, kHasReason), edit.object);
  if (!object) {
    // The positions are those of the request's JSON, which nobody wrote by hand.
    for (Error& error : object.error()) error.place.clear();
    return std::unexpected(std::move(object.error()));
  }
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
    edit->key_made_at_gateway = flag_parameter(request, "key_made_at_gateway");
    if (edit->key_made_at_gateway)
      edit->reason = "key made at gateway" + (edit->reason.empty() ? "" : "; " + edit->reason);
  }
  return edit;
}

}  // namespace

std::string object_of(const Request& request) {
  const std::string group(control::operation(request.operation).group);
  const std::string id = text_parameter(request, "id");
  return id.empty() ? group : group + "." + id;
}

const std::string& text_parameter(const Request& request, std::string_view name) {
  static const std::string none;
  const Node* node = request.parameters.find(name);
  return node != nullptr && node->string() != nullptr ? *node->string() : none;
}

std::vector<std::string> list_parameter(const Request& request, std::string_view name) {
  std::vector<std::string> texts;
  const Node* node = request.parameters.find(name);
  if (node == nullptr) return texts;
  for (const Node& item : *node->array()) texts.push_back(*item.string());
  return texts;
}

bool flag_parameter(const Request& request, std::string_view name) {
  const Node* node = request.parameters.find(name);
  return node != nullptr && std::get<bool>(node->value);
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
    case quota_set:
    case response_set:
      return edit_settings(policy, request);
    default:
      break;
  }
  return std::unexpected(one(ErrorCode::failed, control::operation(request.operation).name(),
                             "changes no object", {}));
}

}  // namespace sekisho::engine

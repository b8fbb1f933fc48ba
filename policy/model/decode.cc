#include <map>
#include <utility>

#include "policy/model/document.h"
#include "policy/model/fields.h"
#include "policy/model/values.h"

namespace sekisho {
namespace {

// Makes a reader of elements from a reader of values.
template <class T>
auto noting(Mistakes& mistakes, Result<T> (*read)(const Node&)) {
  return [&mistakes, read](const Node& node, std::string path) -> std::optional<T> {
    auto value = read(node);
    if (value) return std::move(*value);
    mistakes.add(std::move(path), node.position, std::move(value.error().cause),
                 std::move(value.error().advice));
    return std::nullopt;
  };
}

Person decode_person(Fields& fields) {
  // Listing somebody admits them; a document that means otherwise says so.
  Person person{
      .name = {}, .roles = {}, .state = PersonState::active, .kind = PersonKind::employee};
  fields.required("name", person.name, read_text);
  fields.optional("kind", person.kind, [](const Node& node) {
    return read_choice(node, {PersonKind::owner, PersonKind::employee, PersonKind::part_timer,
                              PersonKind::contractor, PersonKind::partner});
  });
  if (const Node* roles = fields.optional("roles")) {
    fields.elements(*roles, "roles", person.roles, noting(fields.mistakes(), read_id<RoleId>));
  }
  fields.optional("state", person.state, [](const Node& node) {
    return read_choice(node, {PersonState::active, PersonState::suspended});
  });
  fields.optional("valid_until", person.valid_until, read_time);
  fields.optional("device_quota", person.device_quota, read_number);
  return person;
}

Device decode_device(Fields& fields) {
  Device device{.person = {}, .public_key = {}, .addresses = {}, .state = DeviceState::active};
  fields.required("person", device.person, read_id<PersonId>);
  fields.required("public_key", device.public_key, read_public_key);
  if (const Node* addresses = fields.required("addresses")) {
    fields.elements(*addresses, "addresses", device.addresses,
                    noting(fields.mistakes(), read_address));
  }
  fields.optional("state", device.state, [](const Node& node) {
    return read_choice(node, {DeviceState::active, DeviceState::blocked});
  });
  return device;
}

Role decode_role(Fields& fields) {
  Role role;
  fields.required("name", role.name, read_text);
  return role;
}

// "https", or { service = "tcp:5432", reason = "..." }
std::optional<Service> decode_service(const Node& node, std::string path, Mistakes& mistakes) {
  if (node.table() == nullptr) return noting(mistakes, read_service_name)(node, std::move(path));
  Fields fields(node, std::move(path), mistakes);
  std::optional<Service> service;
  std::string reason;
  fields.required("service", service, read_service_name);
  fields.optional("reason", reason, read_text);
  fields.finish();
  if (service) service->reason = std::move(reason);
  return service;
}

Resource decode_resource(Fields& fields) {
  Resource resource;
  fields.required("name", resource.name, read_text);
  if (fields.required("classification", "write public, internal or confidential") != nullptr) {
    fields.optional("classification", resource.classification, [](const Node& node) {
      return read_choice(
          node, {Classification::public_, Classification::internal, Classification::confidential});
    });
  }
  if (const Node* prefixes = fields.optional("prefixes")) {
    fields.elements(*prefixes, "prefixes", resource.prefixes,
                    noting(fields.mistakes(), read_prefix));
  }
  fields.reserved("names", "destinations by name are kept for a later version",
                  "list the addresses under prefixes");
  fields.optional("internet", resource.internet, read_flag);
  if (const Node* services = fields.optional("services")) {
    fields.elements(*services, "services", resource.services,
                    [&](const Node& node, std::string path) {
                      return decode_service(node, std::move(path), fields.mistakes());
                    });
  }
  return resource;
}

// Hours are those of a place: neither means anything without the other.
void decode_hours(Fields& fields, Boxed<WeeklyHours>& hours) {
  if (fields.optional("hours") == nullptr && fields.optional("zone") == nullptr) return;
  hours.emplace();
  if (const Node* spans = fields.required("hours", "write hours = [\"mon-fri 09:00-18:00\"]")) {
    fields.elements(*spans, "hours", hours->spans, noting(fields.mistakes(), read_hours));
  }
  if (fields.required("zone", "say whose hours they are: zone = \"Asia/Tokyo\"") != nullptr) {
    fields.optional("zone", hours->zone, read_text);
  }
}

Grant decode_grant(Fields& fields) {
  Grant grant;
  fields.required("who", grant.who, read_who);
  fields.required("resource", grant.resource, read_id<ResourceId>);
  fields.required("reason", grant.reason, read_text);
  fields.optional("from", grant.from, read_time);
  fields.optional("until", grant.until, read_time);
  decode_hours(fields, grant.conditions.hours);
  fields.optional("session", grant.conditions.session, read_duration);
  return grant;
}

Quota decode_quota(Fields& fields) {
  Quota quota;
  fields.optional("devices_per_person", quota.devices_per_person, read_number);
  return quota;
}

Response decode_response(Fields& fields) {
  Response response;
  if (const Node* remediation = fields.optional("remediation")) {
    fields.elements(*remediation, "remediation", response.remediation,
                    noting(fields.mistakes(), read_id<ResourceId>));
  }
  fields.optional("contact", response.contact, read_text);
  fields.optional("officer", response.officer, read_id<PersonId>);
  fields.optional("two_people", response.two_people, read_flag);
  for (const Severity severity : kSeverities) {
    fields.optional(to_string(severity), response.reaction(severity), [](const Node& node) {
      return read_choice(node, {Reaction::record, Reaction::isolate, Reaction::cut});
    });
  }
  fields.optional("most_devices", response.most_devices, read_number);
  fields.optional("most_percent", response.most_percent, read_number);
  fields.optional("window", response.window, read_duration);
  return response;
}

// A table of its own, which is not one of things by their names.
template <class Single>
void decode_single(Fields& root, std::string_view name, Single& out,
                   Single (*decode_thing)(Fields&)) {
  const Node* node = root.optional(name);
  if (node == nullptr) return;
  Fields fields(*node, std::string(name), root.mistakes());
  out = decode_thing(fields);
  fields.finish();
}

// A table of things by their names.
template <class Id, class Thing>
void decode_section(Fields& root, std::string_view section, std::map<Id, Thing>& out,
                    Thing (*decode_thing)(Fields&)) {
  const Node* node = root.optional(section);
  if (node == nullptr) return;
  Mistakes& mistakes = root.mistakes();
  if (node->table() == nullptr) {
    mistakes.add(std::string(section), node->position, wrong_kind(*node, "a table").error().cause,
                 "write [" + std::string(section) + ".NAME]");
    return;
  }
  for (const auto& [key, thing] : *node->table()) {
    const std::string path = member_path(section, key);
    if (auto checked = check_id(key); !checked) {
      mistakes.add(path, thing.position, checked.error().cause, checked.error().advice);
    }
    Fields fields(thing, path, mistakes);
    if (thing.table() == nullptr) continue;
    out.emplace(key, decode_thing(fields));
    fields.finish();
  }
}

template <class Thing>
Checked<Thing> decode_one(const Node& node, std::string_view path, Thing (*decode_thing)(Fields&)) {
  Mistakes mistakes;
  Fields fields(node, std::string(path), mistakes);
  Thing thing = node.table() == nullptr ? Thing{} : decode_thing(fields);
  fields.finish();
  if (!mistakes.empty()) return std::unexpected(mistakes.take({}));
  return thing;
}

}  // namespace

Checked<Person> decode_person(const Node& fields, std::string_view path) {
  return decode_one<Person>(fields, path, decode_person);
}
Checked<Device> decode_device(const Node& fields, std::string_view path) {
  return decode_one<Device>(fields, path, decode_device);
}
Checked<Role> decode_role(const Node& fields, std::string_view path) {
  return decode_one<Role>(fields, path, decode_role);
}
Checked<Resource> decode_resource(const Node& fields, std::string_view path) {
  return decode_one<Resource>(fields, path, decode_resource);
}
Checked<Grant> decode_grant(const Node& fields, std::string_view path) {
  return decode_one<Grant>(fields, path, decode_grant);
}

Checked<Quota> decode_quota(const Node& fields, std::string_view path) {
  return decode_one<Quota>(fields, path, decode_quota);
}
Checked<Response> decode_response(const Node& fields, std::string_view path) {
  return decode_one<Response>(fields, path, decode_response);
}

Checked<Policy> decode(const Node& document, std::string_view file) {
  Policy policy;
  Mistakes mistakes;
  Fields root(document, "", mistakes);
  decode_single(root, "quota", policy.quota, decode_quota);
  decode_single(root, "response", policy.response, decode_response);
  decode_section(root, "role", policy.roles, decode_role);
  decode_section(root, "person", policy.people, decode_person);
  decode_section(root, "device", policy.devices, decode_device);
  decode_section(root, "resource", policy.resources, decode_resource);
  decode_section(root, "grant", policy.grants, decode_grant);
  root.finish();
  if (!mistakes.empty()) return std::unexpected(mistakes.take(file));
  return policy;
}

}  // namespace sekisho

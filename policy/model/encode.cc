#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

#include "policy/model/document.h"

namespace sekisho {
namespace {

Node text(std::string value) {
  return {.value = std::move(value)};
}

// A list of the texts that `write` gives for `values`.
template <class T, class Writer>
Node list(const std::vector<T>& values, Writer write) {
  Node::Array array;
  for (const T& value : values) array.push_back(text(std::string(write(value))));
  return {.value = std::move(array)};
}

void add_time(Node::Table& table, std::string key, const std::optional<Time>& time) {
  if (time) table.emplace_back(std::move(key), Node{.value = *time});
}

Node encode_service(const Service& service) {
  if (service.reason.empty()) return text(service.name());
  Node::Table table;
  table.emplace_back("service", text(service.name()));
  table.emplace_back("reason", text(service.reason));
  return {.value = std::move(table)};
}

template <class Id, class Thing>
void add_section(Node::Table& document, std::string name, const std::map<Id, Thing>& things) {
  if (things.empty()) return;
  Node::Table section;
  section.reserve(things.size());
  for (const auto& [id, thing] : things) section.emplace_back(id.str(), encode(thing));
  document.emplace_back(std::move(name), Node{.value = std::move(section)});
}

// The tables of a document that are no sections of objects, in their order, where they say
// anything.
template <class Visitor>
void each_single(const Policy& policy, Visitor visit) {
  if (policy.quota != Quota{}) visit("quota", policy.quota);
  if (policy.response != Response{}) visit("response", policy.response);
}

// The sections of a document, in their order.
template <class Visitor>
void each_section(const Policy& policy, Visitor visit) {
  visit("role", policy.roles);
  visit("person", policy.people);
  visit("device", policy.devices);
  visit("resource", policy.resources);
  visit("grant", policy.grants);
}

// Object by object: the whole as a Node takes many times the room of its text.
std::string write_as_toml(const Policy& policy) {
  std::string text;
  each_single(policy, [&](std::string_view name, const auto& single) {
    add_toml(text, name, encode(single));
  });
  each_section(policy, [&](std::string_view name, const auto& things) {
    for (const auto& [id, thing] : things) add_toml(text, name, id.str(), encode(thing));
  });
  text.shrink_to_fit();
  return text;
}

}  // namespace

std::string write_policy(const Policy& policy, Syntax syntax) {
  switch (syntax) {
    case Syntax::toml:
      return write_as_toml(policy);
    case Syntax::json:
      return write_json(encode(policy));
  }
  assert(false);
  return {};
}

Node encode(const Person& person) {
  Node::Table table;
  table.emplace_back("name", text(person.name));
  table.emplace_back("kind", text(std::string(to_string(person.kind))));
  table.emplace_back("roles", list(person.roles, [](const RoleId& role) { return role.str(); }));
  table.emplace_back("state", text(std::string(to_string(person.state))));
  add_time(table, "valid_until", person.valid_until);
  if (person.device_quota) table.emplace_back("device_quota", Node{.value = *person.device_quota});
  return {.value = std::move(table)};
}

Node encode(const Device& device) {
  Node::Table table;
  table.emplace_back("person", text(device.person.str()));
  table.emplace_back("public_key", text(device.public_key.to_string()));
  table.emplace_back("addresses", list(device.addresses, [](const IpAddress& address) {
                       return address.to_string();
                     }));
  table.emplace_back("state", text(std::string(to_string(device.state))));
  return {.value = std::move(table)};
}

Node encode(const Role& role) {
  Node::Table table;
  table.emplace_back("name", text(role.name));
  return {.value = std::move(table)};
}

Node encode(const Resource& resource) {
  Node::Table table;
  table.emplace_back("name", text(resource.name));
  table.emplace_back("classification", text(std::string(to_string(resource.classification))));
  if (resource.internet) table.emplace_back("internet", Node{.value = true});
  // What is on the internet has none and may not be given any.
  if (!resource.prefixes.empty()) {
    table.emplace_back("prefixes", list(resource.prefixes,
                                        [](const Prefix& prefix) { return prefix.to_string(); }));
  }
  Node::Array services;
  for (const Service& service : resource.services) services.push_back(encode_service(service));
  table.emplace_back("services", Node{.value = std::move(services)});
  return {.value = std::move(table)};
}

Node encode(const Grant& grant) {
  Node::Table table;
  table.emplace_back("who", text(to_string(grant.who)));
  table.emplace_back("resource", text(grant.resource.str()));
  table.emplace_back("reason", text(grant.reason));
  add_time(table, "from", grant.from);
  add_time(table, "until", grant.until);
  const auto& [hours, session] = grant.conditions;
  if (hours) {
    table.emplace_back("hours",
                       list(hours->spans, [](const DailyHours& span) { return span.to_string(); }));
    table.emplace_back("zone", text(hours->zone));
  }
  if (session) table.emplace_back("session", text(to_string(*session)));
  return {.value = std::move(table)};
}

Node encode(const Quota& quota) {
  Node::Table table;
  if (quota.devices_per_person) {
    table.emplace_back("devices_per_person", Node{.value = *quota.devices_per_person});
  }
  return {.value = std::move(table)};
}

Node encode(const Response& response) {
  Node::Table table;
  table.emplace_back("remediation",
                     list(response.remediation, [](const ResourceId& id) { return id.str(); }));
  if (!response.contact.empty()) table.emplace_back("contact", text(response.contact));
  if (response.officer) table.emplace_back("officer", text(response.officer->str()));
  table.emplace_back("two_people", Node{.value = response.two_people});
  for (const Severity severity : kSeverities) {
    table.emplace_back(std::string(to_string(severity)),
                       text(std::string(to_string(response.reaction(severity)))));
  }
  table.emplace_back("most_devices", Node{.value = response.most_devices});
  table.emplace_back("most_percent", Node{.value = response.most_percent});
  table.emplace_back("window", text(to_string(response.window)));
  return {.value = std::move(table)};
}

Node encode(const Policy& policy) {
  Node::Table document;
  each_single(policy, [&](std::string_view name, const auto& single) {
    document.emplace_back(std::string(name), encode(single));
  });
  each_section(policy, [&](std::string_view name, const auto& things) {
    add_section(document, std::string(name), things);
  });
  return {.value = std::move(document)};
}

}  // namespace sekisho

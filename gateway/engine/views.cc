#include "gateway/engine/views.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "policy/base/text.h"
#include "policy/model/catalogue.h"
#include "policy/model/document.h"

namespace sekisho::engine {

namespace {

using control::OperationId;

Node text(std::string_view value) {
  return {std::string(value)};
}
Node number(std::uint64_t value) {
  return {static_cast<std::int64_t>(value)};
}

const PeerStatus* find_peer(const std::vector<PeerStatus>& peers, const PublicKey& key) {
  const auto found = std::ranges::lower_bound(peers, key, {}, &PeerStatus::public_key);
  return found == peers.end() || found->public_key != key ? nullptr : &*found;
}

// The object's own fields behind its id; for a device also its tunnel.
template <class Id, class Object>
Node view(const Id& id, const Object& object, const std::vector<PeerStatus>& peers) {
  Node fields = encode(object);
  auto& table = std::get<Node::Table>(fields.value);
  table.emplace(table.begin(), "id", text(id.str()));
  if constexpr (std::is_same_v<Object, Device>) {
    if (const PeerStatus* peer = find_peer(peers, object.public_key)) {
      table.emplace_back("endpoint", text(peer->endpoint));
      table.emplace_back("last_handshake",
                         peer->last_handshake ? text(to_string(*peer->last_handshake)) : Node{});
      table.emplace_back("received_bytes", number(peer->received_bytes));
      table.emplace_back("sent_bytes", number(peer->sent_bytes));
    }
  }
  return fields;
}

template <class Map>
Node list(const Map& objects, const std::vector<PeerStatus>& peers) {
  Node::Array rows;
  for (const auto& [id, object] : objects) rows.push_back(view(id, object, peers));
  return {std::move(rows)};
}

template <class Map>
Result<Node> show(const Map& objects, std::string_view kind, const std::string& id,
                  const std::vector<PeerStatus>& peers) {
  const auto found = objects.find(typename Map::key_type(id));
  if (found == objects.end()) {
    return fail(ErrorCode::not_found, std::string(kind) + "." + id, "does not exist",
                "list what there is: " + std::string(kind) + " list");
  }
  return view(found->first, found->second, peers);
}

template <class Map>
void compare(const Map& from, const Map& to, std::string_view kind, Node::Array& rows) {
  const auto row = [&](const auto& id, std::string_view change, const auto* before,
                       const auto* after) {
    rows.push_back({Node::Table{{"object", text(std::string(kind) + "." + id.str())},
                                {"change", text(change)},
                                {"before", before != nullptr ? encode(*before) : Node{}},
                                {"after", after != nullptr ? encode(*after) : Node{}}}});
  };
  using Object = typename Map::mapped_type;
  for (const auto& [id, object] : from) {
    const auto now = to.find(id);
    if (now == to.end())
      row(id, "removed", &object, static_cast<const Object*>(nullptr));
    else if (!(now->second == object))
      row(id, "changed", &object, &now->second);
  }
  for (const auto& [id, object] : to) {
    if (!from.contains(id)) row(id, "added", static_cast<const Object*>(nullptr), &object);
  }
}

template <class Settings>
void compare_settings(const Settings& from, const Settings& to, std::string_view name,
                      Node::Array& rows) {
  if (from == to) return;
  rows.push_back({Node::Table{{"object", text(name)},
                              {"change", text("changed")},
                              {"before", encode(from)},
                              {"after", encode(to)}}});
}

// With the internet, which needs no entry in a policy to be granted.
std::map<ResourceId, Resource> all_resources(const Policy& policy) {
  std::map<ResourceId, Resource> resources = policy.resources;
  resources.try_emplace(kInternet, Resource{.name = "The internet (built in)",
                                            .classification = Classification::public_,
                                            .prefixes = {},
                                            .services = internet_services(policy),
                                            .internet = true});
  return resources;
}

}  // namespace

Node list_objects(const Policy& policy, OperationId operation,
                  const std::vector<PeerStatus>& peers) {
  if (operation == OperationId::person_list) return list(policy.people, peers);
  if (operation == OperationId::device_list) return list(policy.devices, peers);
  if (operation == OperationId::role_list) return list(policy.roles, peers);
  if (operation == OperationId::resource_list) return list(all_resources(policy), peers);
  return list(policy.grants, peers);
}

Result<Node> show_object(const Policy& policy, OperationId operation, const std::string& id,
                         const std::vector<PeerStatus>& peers) {
  if (operation == OperationId::person_show) return show(policy.people, "person", id, peers);
  if (operation == OperationId::device_show) return show(policy.devices, "device", id, peers);
  if (operation == OperationId::role_show) return show(policy.roles, "role", id, peers);
  if (operation == OperationId::resource_show)
    return show(all_resources(policy), "resource", id, peers);
  return show(policy.grants, "grant", id, peers);
}

Node show_quota(const Policy& policy) {
  const auto& devices = policy.quota.devices_per_person;
  return {Node::Table{{"devices_per_person", devices ? Node{*devices} : text("any number")}}};
}

Node show_response(const Policy& policy) {
  Node shown = encode(policy.response);
  auto& table = std::get<Node::Table>(shown.value);
  if (!policy.response.officer) table.emplace_back("officer", text("every owner"));
  if (policy.response.contact.empty()) table.emplace_back("contact", text("nobody"));
  return shown;
}

Result<Node> show_catalogue(const std::vector<std::string>& only) {
  std::vector<const CatalogueEntry*> chosen;
  for (const CatalogueEntry& entry : service_catalogue()) {
    if (only.empty() || std::ranges::count(only, entry.id.str()) > 0) chosen.push_back(&entry);
  }
  for (const std::string& wanted : only) {
    const auto is_wanted = [&](const CatalogueEntry* entry) { return entry->id.str() == wanted; };
    if (std::ranges::any_of(chosen, is_wanted)) continue;
    std::string known;
    for (const CatalogueEntry& entry : service_catalogue()) known += " " + entry.id.str();
    return fail(ErrorCode::not_found, "only", quote(wanted) + " is not in the catalogue",
                "known there:" + known);
  }
  Node::Array entries;
  for (const CatalogueEntry* entry : chosen) {
    Node row = view(entry->id, entry->resource, {});
    std::get<Node::Table>(row.value).emplace_back("breaks", text(entry->breaks));
    entries.push_back(std::move(row));
  }
  return Node{
      Node::Table{{"entries", {std::move(entries)}}, {"document", text(write_catalogue(chosen))}}};
}

Node show_difference(const Policy& from, const Policy& to) {
  Node::Array rows;
  compare(from.people, to.people, "person", rows);
  compare(from.devices, to.devices, "device", rows);
  compare(from.roles, to.roles, "role", rows);
  compare(from.resources, to.resources, "resource", rows);
  compare(from.grants, to.grants, "grant", rows);
  compare_settings(from.quota, to.quota, "quota", rows);
  compare_settings(from.response, to.response, "response", rows);
  return {std::move(rows)};
}

Node::Table show_provisional(const Provisional& provisional) {
  return {{"confirm_by", text(to_string(provisional.until))},
          {"returns_to", number(provisional.back_to.value())}};
}

Node show_history(const std::vector<Revision>& revisions) {
  Node::Array rows;
  for (const Revision& revision : revisions) {
    rows.push_back({Node::Table{{"revision", number(revision.number.value())},
                                {"state", text(revision.state)},
                                {"time", text(to_string(revision.time))},
                                {"author", text(revision.author)},
                                {"reason", text(revision.reason)},
                                {"digest", text(revision.digest)}}});
  }
  return {std::move(rows)};
}

Node show_findings(const std::vector<Finding>& findings) {
  Node::Array rows;
  for (const Finding& finding : findings) {
    rows.push_back({Node::Table{{"subject", text(finding.subject)},
                                {"good", {finding.good}},
                                {"finding", text(finding.finding)},
                                {"mend", text(finding.mend)}}});
  }
  return {Node::Table{{"answer", {std::ranges::all_of(findings, &Finding::good)}},
                      {"findings", {std::move(rows)}}}};
}

int online(const Policy& policy, const std::vector<PeerStatus>& peers, Time now) {
  constexpr std::chrono::seconds kSessionLife{180};
  return static_cast<int>(std::ranges::count_if(policy.devices, [&](const auto& entry) {
    const PeerStatus* peer = find_peer(peers, entry.second.public_key);
    return peer != nullptr && peer->last_handshake && now - *peer->last_handshake <= kSessionLife;
  }));
}

}  // namespace sekisho::engine

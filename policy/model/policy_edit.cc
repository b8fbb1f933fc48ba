#include "policy/model/policy_edit.h"

#include <algorithm>
#include <utility>

#include "policy/model/document.h"
#include "policy/model/mistakes.h"

namespace sekisho {
namespace {

constexpr std::string_view kRemove = "remove";

// What there is one of, each with its table of a document.
template <class Objects, class Edit, class Visitor>
void each_single(Objects& policy, Edit& edit, Visitor visit) {
  visit("quota", policy.quota, edit.quota);
  visit("response", policy.response, edit.response);
}

// The five kinds of object, each with its section of a document.
template <class Objects, class Edit, class Visitor>
void each_kind(Objects& policy, Edit& edit, Visitor visit) {
  visit("role", policy.roles, edit.roles);
  visit("person", policy.people, edit.people);
  visit("device", policy.devices, edit.devices);
  visit("resource", policy.resources, edit.resources);
  visit("grant", policy.grants, edit.grants);
}

template <class Map, class Changes>
void compare(const Map& from, const Map& to, Changes& changes) {
  auto a = from.begin();
  auto b = to.begin();
  while (a != from.end() || b != to.end()) {
    if (b == to.end() || (a != from.end() && a->first < b->first)) {
      changes.emplace_hint(changes.end(), (a++)->first, std::nullopt);
    } else if (a == from.end() || b->first < a->first) {
      changes.emplace_hint(changes.end(), b->first, b->second);
      ++b;
    } else {
      if (!(a->second == b->second)) changes.emplace_hint(changes.end(), b->first, b->second);
      ++a;
      ++b;
    }
  }
}

// Of `changes` only what changed something stays.
template <class Map, class Changes>
void apply_changes(Map& objects, Changes& changes, Changes& undo) {
  for (auto change = changes.begin(); change != changes.end();) {
    const auto found = objects.find(change->first);
    const bool exists = found != objects.end();
    if (exists ? change->second && *change->second == found->second : !change->second) {
      change = changes.erase(change);
      continue;
    }
    auto& before = undo[change->first];
    if (exists) before = std::move(found->second);
    if (change->second) {
      objects.insert_or_assign(change->first, *change->second);
    } else {
      objects.erase(found);
    }
    ++change;
  }
}

template <class Single>
void apply_change(Single& now, std::optional<Single>& change, std::optional<Single>& undo) {
  if (change == now) change.reset();
  if (change) undo = std::exchange(now, *change);
}

// A document that write_policy() wrote, part by part: what a reader makes of the whole takes many
// times the room of its text. In such a text "[" begins a line where an object begins, and nowhere
// else.
Checked<Policy> read_in_parts(std::string_view document, std::string_view file) {
  constexpr std::size_t kPart = std::size_t{1} << 20;
  Policy policy;
  while (!document.empty()) {
    const auto end = document.find("\n[", kPart);
    auto part = read_policy(document.substr(0, end), Syntax::toml, file);
    if (!part) return part;
    policy.roles.merge(part->roles);
    policy.people.merge(part->people);
    policy.devices.merge(part->devices);
    policy.resources.merge(part->resources);
    policy.grants.merge(part->grants);
    if (part->quota != Quota{}) policy.quota = part->quota;
    if (part->response != Response{}) policy.response = std::move(part->response);
    document.remove_prefix(end == std::string_view::npos ? document.size() : end + 1);
  }
  return policy;
}

struct Path {
  std::string_view kind, id;
};

// "grant.sales-wiki"; an id may have dots, a kind has none.
Path split(std::string_view path) {
  const auto dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

bool take_out(PolicyEdit& edit, const Policy& set, const Path& path) {
  bool known = false;
  each_single(set, edit, [&](std::string_view name, const auto& single, auto& change) {
    const std::decay_t<decltype(single)> none{};
    if (path.kind != name || !path.id.empty() || change || single != none) return;
    change = none;
    known = true;
  });
  each_kind(set, edit, [&](std::string_view kind, const auto& objects, auto& changes) {
    if (kind != path.kind || !is_valid_id(path.id)) return;
    const typename std::decay_t<decltype(changes)>::key_type id{std::string(path.id)};
    known = !objects.contains(id) && changes.emplace(id, std::nullopt).second;
  });
  return known;
}

}  // namespace

bool PolicyEdit::empty() const {
  return roles.empty() && people.empty() && devices.empty() && resources.empty() &&
         grants.empty() && !quota && !response;
}

PolicyEdit difference(const Policy& from, const Policy& to) {
  PolicyEdit edit;
  compare(from.roles, to.roles, edit.roles);
  compare(from.people, to.people, edit.people);
  compare(from.devices, to.devices, edit.devices);
  compare(from.resources, to.resources, edit.resources);
  compare(from.grants, to.grants, edit.grants);
  if (from.quota != to.quota) edit.quota = to.quota;
  if (from.response != to.response) edit.response = to.response;
  return edit;
}

PolicyEdit apply(PolicyEdit& edit, Policy& policy) {
  PolicyEdit undo;
  apply_changes(policy.roles, edit.roles, undo.roles);
  apply_changes(policy.people, edit.people, undo.people);
  apply_changes(policy.devices, edit.devices, undo.devices);
  apply_changes(policy.resources, edit.resources, undo.resources);
  apply_changes(policy.grants, edit.grants, undo.grants);
  apply_change(policy.quota, edit.quota, undo.quota);
  apply_change(policy.response, edit.response, undo.response);
  return undo;
}

std::string write_edit(const PolicyEdit& edit) {
  const Policy none;
  Node::Array removed;
  each_kind(none, edit, [&](std::string_view kind, const auto&, const auto& changes) {
    for (const auto& [id, object] : changes) {
      if (!object) removed.push_back({std::string(kind) + "." + id.str()});
    }
  });
  each_single(none, edit, [&](std::string_view name, const auto& nothing, const auto& change) {
    if (change == nothing) removed.push_back({std::string(name)});
  });

  std::string text;
  if (!removed.empty()) add_toml(text, kRemove, {std::move(removed)});
  each_single(none, edit, [&](std::string_view name, const auto& nothing, const auto& change) {
    if (change && *change != nothing) add_toml(text, name, encode(*change));
  });
  each_kind(none, edit, [&](std::string_view kind, const auto&, const auto& changes) {
    for (const auto& [id, object] : changes) {
      if (object) add_toml(text, kind, id.str(), encode(*object));
    }
  });
  text.shrink_to_fit();
  return text;
}

Checked<PolicyEdit> read_edit(std::string_view text, std::string_view file) {
  auto document = read_document(text, Syntax::toml, file);
  if (!document) return std::unexpected(Errors{std::move(document.error())});
  auto& table = std::get<Node::Table>(document->value);
  const auto member = std::ranges::find(table, kRemove, &Node::Table::value_type::first);
  Node removed{Node::Array{}};
  if (member != table.end()) {
    removed = std::move(member->second);
    table.erase(member);
  }
  auto set = decode(*document, file);
  if (!set) return std::unexpected(std::move(set.error()));

  PolicyEdit edit;
  Mistakes mistakes;
  const Node::Array* paths = removed.array();
  if (paths == nullptr) mistakes.add(std::string(kRemove), removed.position, "is not a list");
  for (std::size_t i = 0; paths != nullptr && i < paths->size(); ++i) {
    const Node& path = (*paths)[i];
    if (path.string() == nullptr || !take_out(edit, *set, split(*path.string()))) {
      mistakes.add(element_path(kRemove, std::to_string(i)), path.position,
                   "names no object, one that is set here, or one a second time");
    }
  }
  if (!mistakes.empty()) return std::unexpected(mistakes.take(file));
  each_kind(*set, edit, [](std::string_view, auto& objects, auto& changes) {
    for (auto& [id, object] : objects) changes.emplace(id, std::move(object));
  });
  each_single(*set, edit, [](std::string_view, auto& single, auto& change) {
    if (single != std::decay_t<decltype(single)>{}) change = std::move(single);
  });
  return edit;
}

Checked<Policy> read_edited(std::string_view document, const std::vector<std::string>& edits,
                            std::string_view file) {
  auto policy = read_in_parts(document, file);
  for (std::size_t i = 0; policy && i < edits.size(); ++i) {
    auto edit = read_edit(edits[i], std::string(file) + ", edit " + std::to_string(i + 1));
    if (!edit) return std::unexpected(std::move(edit.error()));
    apply(*edit, *policy);
  }
  return policy;
}

}  // namespace sekisho

#include "gateway/cli/explanations.h"

#include <algorithm>
#include <map>
#include <vector>

#include "gateway/cli/tables.h"

namespace sekisho::cli {

namespace {

bool is_nothing(const Node& node) {
  return std::holds_alternative<std::monostate>(node.value);
}

std::string at(const Node& row, std::string_view key) {
  return cell(*row.find(key));
}

// The first few.
std::string some_of(const Node& list) {
  constexpr std::size_t kShown = 5;
  const Node::Array& items = *list.array();
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + cell(items[i]);
  }
  if (items.size() > kShown) text += " and " + std::to_string(items.size() - kShown) + " more";
  return text;
}

std::string objects_of(const Node::Array& rows) {
  std::string text;
  for (const Node& row : rows) {
    text += padded(at(row, "change"), 9) + at(row, "object") + "\n";
    if (const Node* before = row.find("before"); before->table() != nullptr)
      text += "  - " + cell(*before) + "\n";
    if (const Node* after = row.find("after"); after->table() != nullptr)
      text += "  + " + cell(*after) + "\n";
  }
  return text;
}

// "gains    sato, tanaka: wiki by https, until 2027-01-01T00:00:00Z"
std::string access_of(const Node::Array& rows) {
  std::string text;
  for (const Node& row : rows) {
    text += padded(at(row, "change"), 9) + some_of(*row.find("people")) + ": " +
            at(row, "resource") + " by " + at(row, "services");
    if (const Node* only = row.find("only_at"); !is_nothing(*only))
      text += " at " + some_of(*only) + " only";
    const Node& before = *row.find("before");
    const Node& after = *row.find("after");
    if (!is_nothing(after)) text += ", " + cell(after);
    if (!is_nothing(before) && !is_nothing(after)) text += " instead of " + cell(before);
    text += "\n";
  }
  return text;
}

std::string end_of(const Node& flow, const std::string& name) {
  const std::string address = at(flow, name);
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + at(flow, name + "_port");
}

std::string flows_of(const Node::Array& rows) {
  std::vector<std::vector<std::string>> lines;
  for (const Node& row : rows) {
    lines.push_back({at(row, "person"), at(row, "device"), at(row, "protocol"),
                     end_of(row, "source") + " -> " + end_of(row, "destination"),
                     at(row, "bytes") + " bytes"});
  }
  return aligned(lines);
}

}  // namespace

std::string changes_of(const Node& result) {
  const Node::Array& objects = *result.find("objects")->array();
  const Node::Array& access = *result.find("access")->array();
  const Node::Array& flows = *result.find("flows")->array();
  if (objects.empty()) return "no difference\n";
  return objects_of(objects) + "\nWho may reach what:\n" +
         (access.empty() ? "as before\n" : access_of(access)) + "\nConnections that end:\n" +
         (flows.empty() ? "none\n" : flows_of(flows));
}

std::string explanation_of(const Node& result) {
  const bool yes = std::get<bool>(result.find("answer")->value);
  std::string text = std::string(yes ? "yes: " : "no: ") + at(result, "explanation") + "\n";
  std::vector<std::vector<std::string>> lines;
  for (const Node& step : *result.find("steps")->array()) {
    lines.push_back({"  " + at(step, "object"), at(step, "finding")});
  }
  text += aligned(lines);
  const Node* elements = result.find("elements");
  if (elements == nullptr || elements->array()->empty()) return text;
  text += "in the kernel (nft list table inet sekisho):\n";
  for (const Node& element : *elements->array()) text += "  " + cell(element) + "\n";
  return text;
}

std::string matrix_of(const Node::Array& cells) {
  std::vector<std::string> people;
  std::vector<std::string> resources;
  std::map<std::pair<std::string, std::string>, std::string> reach;
  const auto note = [](std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const Node& row : cells) {
    note(people, at(row, "person"));
    note(resources, at(row, "resource"));
    const std::string how = at(row, "reach");
    reach[{at(row, "person"), at(row, "resource")}] = how == "open"   ? "yes"
                                                      : how == "part" ? "part"
                                                                      : ".";
  }
  if (people.size() < 2 || resources.size() < 2) return table_of(cells);
  std::vector<std::vector<std::string>> lines{{"PERSON"}};
  for (const std::string& resource : resources) lines.front().push_back(resource);
  for (const std::string& person : people) {
    auto& line = lines.emplace_back(std::vector<std::string>{person});
    for (const std::string& resource : resources) line.push_back(reach[{person, resource}]);
  }
  return aligned(lines);
}

std::string notes_of(const Node::Array& findings) {
  std::vector<std::vector<std::string>> lines;
  for (const Node& finding : findings) {
    lines.push_back(
        {"grant." + at(finding, "grant"), at(finding, "finding") + ":", at(finding, "why")});
  }
  return aligned(lines);
}

}  // namespace sekisho::cli

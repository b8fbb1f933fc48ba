#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "policy/model/document.h"
#include "policy/model/elements.h"
#include "policy/model/mistakes.h"

namespace sekisho {
namespace {

// True where the document spells this element of a list, which the path names canonically, in any
// way.
bool stands_for(const Node& element, std::string_view canonical) {
  const Node* named = element.table() != nullptr ? element.find("service") : &element;
  if (named == nullptr || named->string() == nullptr) return false;
  const std::string& text = *named->string();
  if (text == canonical) return true;
  if (const auto address = IpAddress::parse(text)) {
    if (address->to_string() == canonical) return true;
  }
  if (const auto prefix = Prefix::parse(text)) return prefix->to_string() == canonical;
  if (const auto hours = DailyHours::parse(text)) return hours->to_string() == canonical;
  if (const auto service = Service::parse(text)) return service->name() == canonical;
  return false;
}

// By its name, or its number in the list.
const Node* find_segment(const Node& array, std::string_view name) {
  if (const Node* named = find_element(array, name)) return named;
  const auto& elements = *array.array();
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  const bool is_index = error == std::errc{} && end == name.data() + name.size();
  return is_index && index < elements.size() ? &elements[index] : nullptr;
}

// Takes the first segment off `path`: "key", "\"quoted.key\"" or, of a list, "[element]".
std::string_view take_segment(std::string_view& path) {
  std::size_t end = 0;
  if (path.starts_with('"')) {
    end = path.find('"', 1);
    const std::string_view key = path.substr(1, end - 1);
    path.remove_prefix(std::min(path.size(), end == std::string_view::npos ? end : end + 1));
    return key;
  }
  if (path.starts_with('[')) {
    end = path.find(']');
    const std::string_view element = path.substr(1, end - 1);
    path.remove_prefix(std::min(path.size(), end == std::string_view::npos ? end : end + 1));
    return element;
  }
  end = std::min(path.find_first_of(".["), path.size());
  const std::string_view key = path.substr(0, end);
  path.remove_prefix(end);
  return key;
}

// Where the value stands that `path` names, or the nearest thing around it; nowhere, where not even
// its section exists.
Position find_position(const Node& document, std::string_view path) {
  const Node* at = &document;
  while (!path.empty()) {
    const bool element = path.starts_with('[');
    const std::string_view segment = take_segment(path);
    if (path.starts_with('.')) path.remove_prefix(1);
    const Node* next = nullptr;
    if (element && at->array() != nullptr) next = find_segment(*at, segment);
    if (!element) next = at->find(segment);
    if (next == nullptr) break;
    at = next;
  }
  return at == &document ? Position{} : at->position;
}

}  // namespace

const Node* find_element(const Node& array, std::string_view name) {
  const auto& elements = *array.array();
  const auto found = std::ranges::find_if(
      elements, [&](const Node& element) { return stands_for(element, name); });
  return found == elements.end() ? nullptr : &*found;
}

void locate(Errors& errors, const Node& document, std::string_view file) {
  std::vector<std::pair<Position, Error>> located;
  for (Error& error : errors) {
    located.emplace_back(find_position(document, error.object), std::move(error));
  }
  // What has no place, such as a mistake in the network, stays last.
  std::ranges::stable_sort(located, [](const auto& a, const auto& b) {
    const bool nowhere_a = a.first.line == 0;
    const bool nowhere_b = b.first.line == 0;
    return nowhere_a != nowhere_b ? nowhere_b : a.first < b.first;
  });
  errors.clear();
  for (auto& [position, error] : located) {
    if (error.place.empty()) error.place = to_string(file, position);
    errors.push_back(std::move(error));
  }
}

}  // namespace sekisho

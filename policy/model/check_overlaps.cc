#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "policy/model/checks.h"

namespace sekisho {
namespace {

using Listed = std::map<ResourceId, Resource>::value_type;

// A service of each that ask different proofs of the same port.
std::optional<std::pair<const Service*, const Service*>> clash(const Resource& a,
                                                               const Resource& b) {
  for (const Service& one : a.services) {
    for (const Service& other : b.services) {
      if (one.kind != other.kind && one.protocol() == other.protocol() &&
          one.ports.overlaps(other.ports)) {
        return std::pair(&one, &other);
      }
    }
  }
  return std::nullopt;
}

using Proofs = std::vector<std::pair<ServiceKind, PortRange>>;

// What a resource asks of whom it lets in: equal lists cannot clash, and there are few different
// ones.
Proofs proofs_of(const Resource& resource) {
  Proofs proofs;
  for (const Service& service : resource.services) proofs.emplace_back(service.kind, service.ports);
  return proofs;
}

bool is_on_internet(const Listed& listed) {
  return listed.first == kInternet || listed.second.internet;
}

struct Item {
  Prefix prefix;  // of what is on the internet: any, the same for all
  const Listed* resource;
  std::size_t proofs;  // the number of its list of proofs
};

// Both are wherever the internet is.
void report_on_internet(const Item& one, const Item& other, Findings& findings) {
  if (one.resource->first == kInternet) return report_on_internet(other, one, findings);
  const auto services = clash(one.resource->second, other.resource->second);
  if (!services) return;
  findings.add(
      element_path(member_path(member_path("resource", one.resource->first.str()), "services"),
                   services->first->name()),
      "is on the internet as resource " + quote(other.resource->first.str()) + " is: here " +
          services->first->name() + ", there " + services->second->name() + ", on a common port",
      "ask the same of both, or leave the port to one of them");
}

void report(const Item& outer, const Item& inner, Findings& findings) {
  if (is_on_internet(*inner.resource)) return report_on_internet(inner, outer, findings);
  const auto services = clash(inner.resource->second, outer.resource->second);
  if (!services) return;
  findings.add(
      element_path(member_path(member_path("resource", inner.resource->first.str()), "prefixes"),
                   inner.prefix.to_string()),
      "overlaps " + outer.prefix.to_string() + " of resource " +
          quote(outer.resource->first.str()) + ", equally " +
          std::string(to_string(inner.resource->second.classification)) + ": here " +
          services->first->name() + ", there " + services->second->name() + ", on a common port",
      "ask the same of both, or keep the two apart");
}

// The items of one classification.
void check_class(std::vector<Item> items, std::size_t lists, Findings& findings) {
  // Prefixes are apart or one holds the other; in this order the ones that hold the next are those
  // still open.
  std::ranges::sort(items, {},
                    [](const Item& item) { return std::tie(item.prefix, item.resource->first); });
  std::vector<const Item*> open;
  std::vector<bool> is_open(lists);  // by number of the list
  for (const Item& item : items) {
    while (!open.empty() && !open.back()->prefix.contains(item.prefix)) {
      is_open[open.back()->proofs] = false;
      open.pop_back();
    }
    for (const Item* outer : open) {
      if (findings.full()) return;
      if (outer->proofs != item.proofs) report(*outer, item, findings);
    }
    // Whatever would clash with this one clashes with the wider one that asks the same.
    if (is_open[item.proofs]) continue;
    is_open[item.proofs] = true;
    open.push_back(&item);
  }
}

}  // namespace

void check_overlaps(const Policy& policy, Findings& findings) {
  std::map<Proofs, std::size_t> numbers;
  std::map<Classification, std::vector<Item>> items_of;
  std::vector<Item> on_internet;
  Listed built_in{kInternet, {}};
  built_in.second.services = internet_services(policy);
  on_internet.push_back(
      {{}, &built_in, numbers.emplace(proofs_of(built_in.second), 0).first->second});
  for (const Listed& listed : policy.resources) {
    const auto number = numbers.emplace(proofs_of(listed.second), numbers.size()).first->second;
    if (listed.second.internet && listed.first != kInternet) {
      on_internet.push_back({{}, &listed, number});
    }
    for (const Prefix& prefix : listed.second.prefixes) {
      items_of[listed.second.classification].push_back({prefix, &listed, number});
    }
  }
  for (auto& [classification, items] : items_of) {
    check_class(std::move(items), numbers.size(), findings);
  }
  check_class(std::move(on_internet), numbers.size(), findings);
}

}  // namespace sekisho

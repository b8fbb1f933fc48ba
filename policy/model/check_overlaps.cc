#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "policy/model/checks.h"

namespace sekisho {
namespace {

using Listed = std::map<ResourceId, Resource>::value_type;

// Which kinds of service a resource offers, one bit each: most pairs of resources offer the same
// and need no closer look.
unsigned kinds(const Resource& resource) {
  unsigned mask = 0;
  for (const Service& service : resource.services) {
    mask |= 1U << static_cast<unsigned>(service.kind);
  }
  return mask;
}

bool could_clash(unsigned a, unsigned b) {
  constexpr unsigned kTcp = 1U << static_cast<unsigned>(ServiceKind::tls) |
                            1U << static_cast<unsigned>(ServiceKind::ssh) |
                            1U << static_cast<unsigned>(ServiceKind::tcp);
  const auto several = [](unsigned mask) { return (mask & (mask - 1)) != 0; };
  const unsigned both = a | b;
  return several(both & kTcp) || several(both & ~kTcp);
}

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

struct Item {
  Prefix prefix;
  const Listed* resource;
  unsigned kinds;
};

void report(const Item& outer, const Item& inner, Findings& findings) {
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

}  // namespace

void check_overlaps(const Policy& policy, Findings& findings) {
  std::map<Classification, std::vector<Item>> items_of;
  for (const Listed& listed : policy.resources) {
    const unsigned mask = kinds(listed.second);
    for (const Prefix& prefix : listed.second.prefixes) {
      items_of[listed.second.classification].push_back({prefix, &listed, mask});
    }
  }
  for (auto& [classification, items] : items_of) {
    // Prefixes are apart or one holds the other; in this order the ones that hold the next are
    // those still open.
    std::ranges::stable_sort(items, {}, &Item::prefix);
    std::vector<const Item*> open;
    for (const Item& item : items) {
      while (!open.empty() && !open.back()->prefix.contains(item.prefix)) open.pop_back();
      for (const Item* outer : open) {
        if (findings.full()) return;
        if (outer->resource == item.resource || !could_clash(outer->kinds, item.kinds)) continue;
        report(*outer, item, findings);
      }
      open.push_back(&item);
    }
  }
}

}  // namespace sekisho

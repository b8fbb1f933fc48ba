#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policy/compile/atoms.h"
#include "policy/model/validate.h"

// The first half of the cut: which sources of rights cover an address, and which of them decide.
namespace sekisho {

// What opens destinations: a resource, `internet`, or the gateway's own services (empty id).
struct Source {
  ResourceId id;
  bool network = false;  // a resource with networks of its own
  Classification classification = Classification::confidential;
  std::vector<Service> services;
  std::vector<AddressRange> addresses;  // canonical; what may never be reached is already taken out
};
std::vector<Source> sources_of(const ValidPolicy& policy);

// Indexes into the sources, ascending.
using SourceSet = std::vector<std::uint32_t>;

// What lies over an address: the sources that decide there, and all that are networks.
struct Cover {
  SourceSet strictest;
  SourceSet networks;
  auto operator<=>(const Cover&) const = default;
};

// Addresses with the same cover.
struct Slice {
  AddressRange addresses;
  std::size_t cover = 0;  // index into Slices::covers
};

struct Slices {
  std::vector<Cover> covers;  // no repeats
  std::vector<Slice> slices;  // sorted, disjoint, as few as possible
};
Slices slice(const std::vector<Source>& sources);

}  // namespace sekisho

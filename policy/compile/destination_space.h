#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policy/compile/atoms.h"
#include "policy/model/validate.h"

// The first half of the cut: which sources of rights cover an address, and which of them decide.
namespace sekisho {

// What opens destinations: a resource, `internet`, or the gateway's own services (empty id); or
// what only cuts them.
struct Source {
  ResourceId id;
  bool network = false;  // a resource with networks of its own
  bool held = false;     // places that quarantine closes: they decide nothing, and are told apart
  Classification classification = Classification::confidential;
  std::vector<Service> services;
  std::vector<AddressRange> addresses;  // canonical; what may never be reached is already taken out
};
std::vector<Source> sources_of(const ValidPolicy& policy,
                               const std::vector<Destinations>& held = {});

// Where a resource's own networks may be reached; canonical.
std::vector<AddressRange> addresses_of(const Resource& resource, const Network& network);

// Indexes into the sources, ascending.
using SourceSet = std::vector<std::uint32_t>;

// What lies over an address: the sources that decide there, all that are networks, and what is
// held.
struct Cover {
  SourceSet strictest;
  SourceSet networks;
  SourceSet held;
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

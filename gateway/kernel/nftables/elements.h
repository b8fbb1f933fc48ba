#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/attributes.h"
#include "policy/compile/diff.h"
#include "policy/compile/tables.h"

namespace sekisho::kernel {

// The wall clock to the millisecond: a Time is one as it stands.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

// The bytes of an element's key as the kernel has them: fields in order, each padded to 4 bytes.
struct ElementKey {
  std::array<std::uint8_t, 24> bytes{};
  std::uint8_t size = 0;

  std::span<const std::uint8_t> span() const { return {bytes.data(), size}; }
  auto operator<=>(const ElementKey&) const = default;
};

// An element of one of the sets that hold policy.
struct Element {
  ElementKey first;
  ElementKey last = {};  // size 0: the set has no intervals
  std::optional<std::uint32_t> mark = {};
  // How long it still lives; forever where there is none.
  std::optional<std::chrono::milliseconds> left = {};

  // The same thing at the same place, whenever it ends.
  bool same_place(const Element& other) const { return first == other.first && last == other.last; }
  // Ends within `tolerance` of each other, or neither ends.
  bool ends_with(const Element& other, std::chrono::milliseconds tolerance) const;
};

// By set name; sorted by place.
using Contents = std::map<std::string, std::vector<Element>>;

// What the sets hold when policy is `tables` at `now`; what has ended is left out. Every set of the
// policy has its entry.
Contents contents_of(const Tables& tables, Instant now);

// A TablesDiff in elements. `gone` carries no ends: a removal is by place.
struct ContentsChange {
  Contents gone;
  Contents come;
};
ContentsChange change_of(const TablesDiff& diff, Instant now);

// An element as the kernel tells of it (enum nft_set_elem_attributes). Nothing for what the policy
// sets cannot hold; an interval's absent end is its beginning.
std::optional<Element> read_element(const Attributes& attributes, bool interval);

// As an administrator would write it: "10.66.0.3", "203.0.113.0-203.0.113.255 . 6 . 443".
std::string describe(const std::string& set, const Element& element);

}  // namespace sekisho::kernel

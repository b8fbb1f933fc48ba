#include "gateway/kernel/nftables/elements.h"

#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "policy/compile/ruleset.h"

namespace sekisho::kernel {

namespace {

void append(ElementKey& key, std::span<const std::uint8_t> field) {
  assert(key.size + field.size() <= key.bytes.size());
  std::ranges::copy(field, key.bytes.begin() + key.size);
  key.size = static_cast<std::uint8_t>((key.size + field.size() + 3) & ~std::size_t{3});
}

// Marks are in the host's order in the kernel, ports and addresses in the network's.
void append_mark(ElementKey& key, std::uint32_t mark) {
  append(key, {reinterpret_cast<const std::uint8_t*>(&mark), sizeof mark});
}

ElementKey destination(const IpAddress& address, Protocol protocol, Port port) {
  ElementKey key;
  append(key, address.bytes());
  const std::array number{static_cast<std::uint8_t>(protocol)};
  append(key, number);
  const std::array service{static_cast<std::uint8_t>(port.value() >> 8),
                           static_cast<std::uint8_t>(port.value() & 0xff)};
  append(key, service);
  return key;
}

Element element_of(const IpAddress& address, const CohortEntry& entry) {
  Element element{.first = {}, .mark = entry.cohort.value()};
  append(element.first, address.bytes());
  return element;
}

Element element_of(const Destinations& where, AtomMark atom) {
  return {.first = destination(where.addresses.first, where.protocol, where.ports.first),
          .last = destination(where.addresses.last, where.protocol, where.ports.last),
          .mark = atom.opening()};
}

Element element_of(const GrantKey& grant) {
  Element element;
  append_mark(element.first, grant.cohort.value());
  append_mark(element.first, grant.atom.verified());
  return element;
}

void put(std::vector<Element>& elements, Element element, const std::optional<Time>& until,
         Instant now) {
  if (until) {
    element.left = Instant(*until) - now;
    if (element.left->count() <= 0) return;
  }
  elements.push_back(element);
}

Contents empty_contents() {
  Contents contents;
  for (const Family family : {Family::v4, Family::v6}) {
    contents[cohort_map(family)];
    contents[atom_map(family)];
  }
  contents[kGrantsSet];
  return contents;
}

void sort(Contents& contents) {
  for (auto& [set, elements] : contents) {
    std::ranges::sort(elements, {}, [](const Element& e) { return std::tie(e.first, e.last); });
  }
}

std::optional<ElementKey> read_key(const Attributes& attributes, std::uint16_t type) {
  const auto nest = attributes.nest(type);
  const auto value = nest.find(NFTA_DATA_VALUE);
  ElementKey key;
  if (!value || value->size() > key.bytes.size()) return std::nullopt;
  append(key, *value);
  return key;
}

std::uint32_t mark_at(const ElementKey& key, std::size_t offset) {
  std::uint32_t mark = 0;
  std::memcpy(&mark, key.bytes.data() + offset, sizeof mark);
  return mark;
}

std::string describe_destination(const Element& element) {
  const std::size_t size = element.first.size - std::size_t{8};
  const auto port = [&](const ElementKey& key) {
    return key.bytes[size + 4] << 8 | key.bytes[size + 5];
  };
  const auto range = [](const std::string& first, const std::string& last) {
    return first == last ? first : first + "-" + last;
  };
  const auto address = [&](const ElementKey& key) {
    return IpAddress::from_bytes(key.span().first(size)).to_string();
  };
  return fmt::format(
      "{} . {} . {}", range(address(element.first), address(element.last)),
      element.first.bytes[size],
      range(std::to_string(port(element.first)), std::to_string(port(element.last))));
}

}  // namespace

bool Element::ends_with(const Element& other, std::chrono::milliseconds tolerance) const {
  if (!left || !other.left) return left.has_value() == other.left.has_value();
  return std::chrono::abs(*left - *other.left) <= tolerance;
}

Contents contents_of(const Tables& tables, Instant now) {
  Contents contents = empty_contents();
  for (const auto& [address, entry] : tables.cohorts) {
    put(contents[cohort_map(address.family())], element_of(address, entry), entry.until, now);
  }
  for (const auto& [where, atom] : tables.atoms) {
    put(contents[atom_map(where.addresses.first.family())], element_of(where, atom), {}, now);
  }
  auto& grants = contents[kGrantsSet];
  grants.reserve(tables.grants.size());
  for (const auto& [grant, until] : tables.grants) put(grants, element_of(grant), until, now);
  sort(contents);
  return contents;
}

ContentsChange change_of(const TablesDiff& diff, Instant now) {
  ContentsChange change{empty_contents(), empty_contents()};
  for (const auto& [address, entry] : diff.remove_cohorts) {
    put(change.gone[cohort_map(address.family())], element_of(address, entry), {}, now);
  }
  for (const auto& [address, entry] : diff.add_cohorts) {
    put(change.come[cohort_map(address.family())], element_of(address, entry), entry.until, now);
  }
  for (const auto& [where, atom] : diff.remove_atoms) {
    put(change.gone[atom_map(where.addresses.first.family())], element_of(where, atom), {}, now);
  }
  for (const auto& [where, atom] : diff.add_atoms) {
    put(change.come[atom_map(where.addresses.first.family())], element_of(where, atom), {}, now);
  }
  for (const auto& [grant, until] : diff.remove_grants) {
    put(change.gone[kGrantsSet], element_of(grant), {}, now);
  }
  for (const auto& [grant, until] : diff.add_grants) {
    put(change.come[kGrantsSet], element_of(grant), until, now);
  }
  sort(change.gone);
  sort(change.come);
  return change;
}

std::optional<Element> read_element(const Attributes& attributes, bool interval) {
  const auto first = read_key(attributes, NFTA_SET_ELEM_KEY);
  if (!first) return std::nullopt;
  Element element{.first = *first};
  if (interval) element.last = read_key(attributes, NFTA_SET_ELEM_KEY_END).value_or(*first);
  element.mark = attributes.nest(NFTA_SET_ELEM_DATA).u32(NFTA_DATA_VALUE);
  const auto left = attributes.be64(NFTA_SET_ELEM_EXPIRATION);
  if (left) element.left = std::chrono::milliseconds(*left);
  return element;
}

std::string describe(const std::string& set, const Element& element) {
  if (set == kGrantsSet) {
    return fmt::format("{:#x} . {:#x}", mark_at(element.first, 0), mark_at(element.first, 4));
  }
  if (element.last.size != 0) return describe_destination(element);
  return IpAddress::from_bytes(element.first.span()).to_string();
}

}  // namespace sekisho::kernel

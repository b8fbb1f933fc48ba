#include "policy/compile/atoms.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <optional>

#include "policy/compile/destination_space.h"
#include "policy/compile/region.h"

namespace sekisho {
namespace {

// What makes two destinations the same to every grant and every quarantine.
struct AtomKey {
  SourceSet opened_by;
  SourceSet covered_by;
  SourceSet held;
  Check check = Check::none;
  auto operator<=>(const AtomKey&) const = default;
};

// An atom before it has its number.
struct Piece {
  AtomKey key;
  Region region;
};

std::optional<AtomKey> key_at(const std::vector<Source>& sources, const SourceSet& strictest,
                              Protocol protocol, Port port) {
  std::optional<AtomKey> key;
  for (const auto i : strictest) {
    for (const Service& service : sources[i].services) {
      if (service.protocol() != protocol || !service.ports.contains(port)) continue;
      if (!key)
        key =
            AtomKey{.opened_by = {}, .covered_by = {}, .held = {}, .check = check_of(service.kind)};
      assert(key->check == check_of(service.kind));  // validate() saw to it
      if (key->opened_by.empty() || key->opened_by.back() != i) key->opened_by.push_back(i);
    }
  }
  return key;
}

SourceSet held_at(const std::vector<Source>& sources, const SourceSet& held, Protocol protocol,
                  Port port) {
  SourceSet here;
  std::ranges::copy_if(held, std::back_inserter(here), [&](std::uint32_t i) {
    const Service& service = sources[i].services.front();
    return service.protocol() == protocol && service.ports.contains(port);
  });
  return here;
}

// The ports that the strictest offer, cut where another of them, or what is held, begins or ends.
std::vector<std::pair<PortInterval, AtomKey>> cut_ports(const std::vector<Source>& sources,
                                                        const Cover& cover) {
  std::vector<std::pair<PortInterval, AtomKey>> cut;
  for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
    std::set<int> starts;
    for (const SourceSet* some : {&cover.strictest, &cover.held}) {
      for (const auto i : *some) {
        for (const Service& service : sources[i].services) {
          if (service.protocol() != protocol) continue;
          starts.insert(service.ports.first.value());
          starts.insert(service.ports.last.value() + 1);
        }
      }
    }
    for (auto start = starts.begin(); start != starts.end() && std::next(start) != starts.end();
         ++start) {
      const PortRange ports{Port(static_cast<std::uint16_t>(*start)),
                            Port(static_cast<std::uint16_t>(*std::next(start) - 1))};
      auto key = key_at(sources, cover.strictest, protocol, ports.first);
      if (!key) continue;
      key->covered_by = cover.networks;
      key->held = held_at(sources, cover.held, protocol, ports.first);
      const bool goes_on = !cut.empty() && cut.back().second == *key &&
                           cut.back().first.protocol == protocol &&
                           cut.back().first.ports.last.value() + 1 == *start;
      if (goes_on) {
        cut.back().first.ports.last = ports.last;
      } else {
        cut.emplace_back(PortInterval{protocol, ports}, std::move(*key));
      }
    }
  }
  return cut;
}

// The destination space as pieces that still need numbers.
std::vector<Piece> pieces_of(const std::vector<Source>& sources) {
  const Slices slices = slice(sources);
  std::vector<std::vector<AddressRange>> addresses(slices.covers.size());
  for (const Slice& slice : slices.slices) addresses[slice.cover].push_back(slice.addresses);
  std::map<AtomKey, std::size_t> indexes;
  std::vector<Piece> pieces;
  for (std::size_t cover = 0; cover < slices.covers.size(); ++cover) {
    for (auto& [interval, key] : cut_ports(sources, slices.covers[cover])) {
      const auto [entry, fresh] = indexes.try_emplace(key, pieces.size());
      if (fresh) pieces.push_back({.key = std::move(key), .region = {}});
      pieces[entry->second].region.add(interval, addresses[cover]);
    }
  }
  return pieces;
}

// What a number stands for, and for nothing else ever.
using Meaning = std::pair<Check, std::vector<Destinations>>;

std::map<Meaning, std::uint32_t> numbers_of(const AtomSpace& space) {
  std::map<Meaning, std::uint32_t> numbers;
  for (const Atom& atom : space.atoms)
    numbers.emplace(Meaning{atom.mark.check(), atom.where}, atom.mark.atom());
  return numbers;
}

}  // namespace

Result<AtomSpace> cut(const ValidPolicy& policy, const AtomSpace& before,
                      const std::vector<Destinations>& held) {
  const std::vector<Source> sources = sources_of(policy, held);
  const std::map<Meaning, std::uint32_t> numbers = numbers_of(before);

  AtomSpace space{.atoms = {}, .next = before.next};
  for (const Atom& old : before.atoms) space.next = std::max(space.next, old.mark.atom() + 1);
  for (const Piece& piece : pieces_of(sources)) {
    Atom atom{.mark = {}, .opened_by = {}, .covered_by = {}, .where = piece.region.boxes()};
    const auto kept = numbers.find({piece.key.check, atom.where});
    if (kept == numbers.end() && space.next > AtomMark::kLastAtom) {
      return fail(ErrorCode::invalid, "resource", "the numbers for destinations are used up",
                  "restart the gateway with an empty ruleset; live connections end");
    }
    const std::uint32_t number = kept != numbers.end() ? kept->second : space.next++;
    atom.mark = AtomMark(number, piece.key.check);
    for (const auto source : piece.key.opened_by) {
      if (!sources[source].id.empty()) atom.opened_by.insert(sources[source].id);
    }
    for (const auto source : piece.key.covered_by) atom.covered_by.insert(sources[source].id);
    space.atoms.push_back(std::move(atom));
  }
  std::ranges::sort(space.atoms, {}, &Atom::mark);
  return space;
}

std::vector<AtomMark> retired(const AtomSpace& before, const AtomSpace& after) {
  std::vector<AtomMark> gone;
  for (const Atom& old : before.atoms) {
    if (!std::ranges::binary_search(after.atoms, old.mark, {}, &Atom::mark)) {
      gone.push_back(old.mark);
    }
  }
  return gone;
}

AtomMark find_atom(const AtomSpace& space, const IpAddress& address, Protocol protocol, Port port) {
  for (const Atom& atom : space.atoms) {
    for (const Destinations& box : atom.where) {
      if (box.contains(address, protocol, port)) return atom.mark;
    }
  }
  return {};
}

}  // namespace sekisho

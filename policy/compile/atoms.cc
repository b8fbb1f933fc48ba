#include "policy/compile/atoms.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <optional>

#include "policy/compile/destination_space.h"
#include "policy/compile/region.h"

namespace sekisho {
namespace {

// What makes two destinations the same to every grant.
struct AtomKey {
  SourceSet opened_by;
  Check check = Check::none;
  auto operator<=>(const AtomKey&) const = default;
};

// An atom before it has its number.
struct Piece {
  AtomKey key;
  Region region;
};

struct PortSlice {
  PortInterval interval;
  std::size_t piece = 0;
};

std::optional<AtomKey> key_at(const std::vector<Source>& sources, const SourceSet& strictest,
                              Protocol protocol, Port port) {
  std::optional<AtomKey> key;
  for (const auto i : strictest) {
    for (const Service& service : sources[i].services) {
      if (service.protocol() != protocol || !service.ports.contains(port)) continue;
      if (!key) key = AtomKey{.opened_by = {}, .check = check_of(service.kind)};
      assert(key->check == check_of(service.kind));  // validate() saw to it
      if (key->opened_by.empty() || key->opened_by.back() != i) key->opened_by.push_back(i);
    }
  }
  return key;
}

// The ports that `strictest` offer, cut where another of them begins or ceases to.
std::vector<std::pair<PortInterval, AtomKey>> cut_ports(const std::vector<Source>& sources,
                                                        const SourceSet& strictest) {
  std::vector<std::pair<PortInterval, AtomKey>> cut;
  for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
    std::set<int> starts;
    for (const auto i : strictest) {
      for (const Service& service : sources[i].services) {
        if (service.protocol() != protocol) continue;
        starts.insert(service.ports.first.value());
        starts.insert(service.ports.last.value() + 1);
      }
    }
    for (auto start = starts.begin(); start != starts.end() && std::next(start) != starts.end();
         ++start) {
      const PortRange ports{Port(static_cast<std::uint16_t>(*start)),
                            Port(static_cast<std::uint16_t>(*std::next(start) - 1))};
      auto key = key_at(sources, strictest, protocol, ports.first);
      if (!key) continue;
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

// The destination space as pieces that still need numbers, and where each of them is.
class Cutting {
 public:
  explicit Cutting(const std::vector<Source>& sources) : slices_(slice(sources)) {
    std::vector<std::vector<AddressRange>> addresses(slices_.sets.size());
    for (const Slice& slice : slices_.slices) {
      addresses[slice.strictest].push_back(slice.addresses);
    }
    std::map<AtomKey, std::size_t> indexes;
    ports_.resize(slices_.sets.size());
    for (std::size_t set = 0; set < slices_.sets.size(); ++set) {
      for (auto& [interval, key] : cut_ports(sources, slices_.sets[set])) {
        const auto [entry, fresh] = indexes.try_emplace(key, pieces_.size());
        if (fresh) pieces_.push_back({.key = key, .region = {}});
        pieces_[entry->second].region.add(interval, addresses[set]);
        ports_[set].push_back({interval, entry->second});
      }
    }
  }

  const std::vector<Piece>& pieces() const { return pieces_; }

  // The piece that has this destination.
  std::optional<std::size_t> find(const IpAddress& address, Protocol protocol, Port port) const {
    const auto slice =
        std::ranges::lower_bound(slices_.slices, address, {},
                                 [](const Slice& candidate) { return candidate.addresses.last; });
    if (slice == slices_.slices.end() || !slice->addresses.contains(address)) return std::nullopt;
    for (const PortSlice& candidate : ports_[slice->strictest]) {
      if (candidate.interval.protocol == protocol && candidate.interval.ports.contains(port)) {
        return candidate.piece;
      }
    }
    return std::nullopt;
  }

 private:
  Slices slices_;
  std::vector<std::vector<PortSlice>> ports_;  // for each of slices_.sets
  std::vector<Piece> pieces_;
};

// The piece that contains all that the old atom stood for, under the same check.
std::optional<std::size_t> heir_of(const Atom& old, const Cutting& cutting) {
  if (old.where.empty()) return std::nullopt;
  const Destinations& probe = old.where.front();
  const auto heir = cutting.find(probe.addresses.first, probe.protocol, probe.ports.first);
  if (!heir) return std::nullopt;
  const Piece& piece = cutting.pieces()[*heir];
  const bool contained = piece.key.check == old.mark.check() &&
                         std::ranges::all_of(old.where, [&](const Destinations& box) {
                           return piece.region.covers(box);
                         });
  return contained ? heir : std::nullopt;
}

// For each piece the number of `before` that it keeps, 0 for none.
std::vector<std::uint32_t> kept_numbers(const Cutting& cutting, const AtomSpace& before) {
  std::vector<std::uint32_t> kept(cutting.pieces().size());
  std::vector<long double> sizes(cutting.pieces().size());
  for (const Atom& old : before.atoms) {
    const auto heir = heir_of(old, cutting);
    if (!heir) continue;
    const long double size = size_of(old.where);
    const bool better = kept[*heir] == 0 || size > sizes[*heir] ||
                        (size == sizes[*heir] && old.mark.atom() < kept[*heir]);
    if (!better) continue;
    kept[*heir] = old.mark.atom();
    sizes[*heir] = size;
  }
  return kept;
}

}  // namespace

Result<AtomSpace> cut(const ValidPolicy& policy, const AtomSpace& before) {
  const std::vector<Source> sources = sources_of(policy);
  const Cutting cutting(sources);
  const std::vector<std::uint32_t> kept = kept_numbers(cutting, before);

  AtomSpace space{.atoms = {}, .next = before.next};
  for (const Atom& old : before.atoms) space.next = std::max(space.next, old.mark.atom() + 1);
  for (std::size_t i = 0; i < cutting.pieces().size(); ++i) {
    const Piece& piece = cutting.pieces()[i];
    if (kept[i] == 0 && space.next > AtomMark::kLastAtom) {
      return fail(ErrorCode::invalid, "resource", "the numbers for destinations are used up",
                  "restart the gateway with an empty ruleset; live connections end");
    }
    Atom atom;
    atom.mark = AtomMark(kept[i] != 0 ? kept[i] : space.next++, piece.key.check);
    for (const auto source : piece.key.opened_by) {
      if (!sources[source].id.empty()) atom.opened_by.insert(sources[source].id);
    }
    atom.where = piece.region.boxes();
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
      if (box.protocol == protocol && box.ports.contains(port) && box.addresses.contains(address)) {
        return atom.mark;
      }
    }
  }
  return {};
}

}  // namespace sekisho

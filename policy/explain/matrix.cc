#include "policy/explain/matrix.h"

#include <algorithm>
#include <map>
#include <set>

#include "policy/compile/destination_space.h"
#include "policy/explain/boxes.h"

namespace sekisho {
namespace {

bool has_family(const Boxes& boxes, Family family) {
  return std::ranges::any_of(
      boxes, [&](const Destinations& box) { return box.addresses.first.family() == family; });
}

// Where a resource offers something.
struct Extent {
  // What it has a part in: atoms that it opens and those that stricter resources took.
  std::vector<const Atom*> atoms;
  // Of each family: whether a stricter resource took something and offers nothing there.
  std::set<Family> gaps;
};

Extent extent_of(const Source& source, const AccessBook& book) {
  Boxes offered;
  for (const Service& service : source.services) {
    for (const AddressRange& range : source.addresses) {
      offered.push_back({range, service.protocol(), service.ports});
    }
  }
  Extent extent{.atoms = book.opened_by(source.id), .gaps = {}};
  Boxes opened;
  for (const Atom* atom : extent.atoms) std::ranges::copy(atom->where, std::back_inserter(opened));
  Boxes taken = without(std::move(offered), opened);
  if (taken.empty()) return extent;
  Boxes elsewhere;
  for (const Atom& atom : book.space().atoms) {
    if (common(taken, atom.where).empty()) continue;
    if (!atom.opened_by.contains(source.id)) extent.atoms.push_back(&atom);
    std::ranges::copy(atom.where, std::back_inserter(elsewhere));
  }
  taken = without(std::move(taken), elsewhere);
  for (const Family family : {Family::v4, Family::v6}) {
    if (has_family(taken, family)) extent.gaps.insert(family);
  }
  return extent;
}

// One row.
class Row {
 public:
  // `families`: of the addresses that the person can send from.
  Row(const AccessBook& book, const ValidPolicy& valid, const PersonId& id,
      std::set<Family> families, Time at)
      : valid_(valid),
        id_(id),
        person_(valid.policy().people.at(id)),
        families_(std::move(families)),
        at_(at) {
    rights_ = book.rights_of(id);
    for (const GrantId& grant : book.grants_of(id)) {
      grants_[valid.policy().grants.at(grant).resource].push_back(grant);
    }
  }

  MatrixCell cell(const ResourceId& resource, const Extent& extent) const {
    MatrixCell cell{.person = id_, .resource = resource};
    std::size_t atoms = 0;
    std::size_t open = 0;
    for (const Atom* atom : extent.atoms) {
      if (std::ranges::none_of(families_, [&](Family f) { return has_family(atom->where, f); }))
        continue;
      ++atoms;
      const auto grant = longest(*atom);
      if (!grant) continue;
      cell.until = earlier(cell.until, end_of(valid_, valid_.policy().grants.at(*grant), at_));
      if (open++ == 0) cell.grant = grant;
    }
    const bool gap =
        std::ranges::any_of(families_, [&](Family f) { return extent.gaps.contains(f); });
    if (open > 0) {
      cell.reach = open == atoms && !gap ? MatrixCell::Reach::open : MatrixCell::Reach::part;
      cell.reason = Reason::granted;
      cell.until = earlier(cell.until, person_.valid_until);
    } else {
      say_why_closed(cell, atoms > 0 || gap, extent);
    }
    return cell;
  }

 private:
  // Of the grants that open the atom now, that which stays open longest.
  std::optional<GrantId> longest(const Atom& atom) const {
    std::optional<GrantId> best;
    const auto rights = rights_.find(atom.mark);
    if (rights == rights_.end()) return best;
    for (const auto& right : rights->second) {
      const Grant& grant = valid_.policy().grants.at(right.grant);
      if (state_of(valid_, grant, at_) != GrantState::active) continue;
      if (!best || lasts_longer(valid_, right.grant, *best, at_)) best = right.grant;
    }
    return best;
  }

  void say_why_closed(MatrixCell& cell, bool can_send, const Extent& extent) const {
    if (person_.state != PersonState::active) {
      cell.reason = Reason::person_suspended;
      return;
    }
    if (person_.valid_until && *person_.valid_until <= at_) {
      cell.reason = Reason::person_expired;
      return;
    }
    if (!can_send && !extent.atoms.empty()) return;
    cell.reason = Reason::no_grant;
    const auto mine = grants_.find(cell.resource);
    if (mine == grants_.end()) return;
    const auto note = [&](GrantState state, Reason reason) {
      for (const GrantId& grant : mine->second) {
        if (state_of(valid_, valid_.policy().grants.at(grant), at_) != state) continue;
        cell.reason = reason;
        cell.grant = grant;
      }
    };
    // The nearest to being open is noted last.
    note(GrantState::ended, Reason::grant_ended);
    note(GrantState::coming, Reason::grant_not_begun);
    note(GrantState::outside_hours, Reason::outside_hours);
    note(GrantState::without_session, Reason::session_needed);
    note(GrantState::active, Reason::weaker_classification);
  }

  const ValidPolicy& valid_;
  PersonId id_;
  const Person& person_;
  std::set<Family> families_;
  Time at_;
  std::map<AtomMark, std::vector<AccessBook::Right>> rights_;
  std::map<ResourceId, std::vector<GrantId>> grants_;
};

}  // namespace

std::vector<MatrixCell> matrix(Version version, const std::vector<PersonId>& people,
                               const std::vector<ResourceId>& resources, Time at) {
  const AccessBook book(version, at);
  std::map<ResourceId, Extent> extents;
  const std::set<ResourceId> asked(resources.begin(), resources.end());
  for (const Source& source : sources_of(version.policy)) {
    if (asked.contains(source.id)) extents.emplace(source.id, extent_of(source, book));
  }
  std::map<PersonId, std::set<Family>> families;
  for (const auto& [id, device] : version.policy.policy().devices) {
    if (device.state != DeviceState::active) continue;
    for (const IpAddress& address : device.addresses) {
      families[device.person].insert(address.family());
    }
  }
  std::vector<MatrixCell> cells;
  for (const PersonId& person : people) {
    const Row row(book, version.policy, person, families[person], at);
    for (const ResourceId& resource : resources)
      cells.push_back(row.cell(resource, extents[resource]));
  }
  return cells;
}

std::string_view to_string(MatrixCell::Reach reach) {
  switch (reach) {
    case MatrixCell::Reach::closed:
      return "closed";
    case MatrixCell::Reach::part:
      return "part";
    case MatrixCell::Reach::open:
      return "open";
  }
  return "closed";
}

}  // namespace sekisho

#include "policy/explain/access.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "policy/explain/boxes.h"

namespace sekisho {
namespace {

// Destinations that are one atom before and one atom after; null where they are none.
struct Piece {
  const Atom* before = nullptr;
  const Atom* after = nullptr;
  std::vector<Destinations> where;
};

// All destinations of both, cut at the borders of both.
std::vector<Piece> overlay(const AtomSpace& before, const AtomSpace& after) {
  std::vector<Piece> pieces;
  std::vector<const Atom*> moved;
  std::set<const Atom*> stayed;
  for (const Atom& atom : before.atoms) {
    const auto same = std::ranges::lower_bound(after.atoms, atom.mark, {}, &Atom::mark);
    if (same != after.atoms.end() && same->mark == atom.mark && same->where == atom.where) {
      pieces.push_back({&atom, &*same, atom.where});
      stayed.insert(&*same);
    } else {
      moved.push_back(&atom);
    }
  }
  Boxes old;
  for (const Atom* atom : moved) std::ranges::copy(atom->where, std::back_inserter(old));
  Boxes fresh;
  for (const Atom& atom : after.atoms) {
    if (stayed.contains(&atom)) continue;
    std::ranges::copy(atom.where, std::back_inserter(fresh));
    for (const Atom* was : moved) {
      if (Boxes both = common(was->where, atom.where); !both.empty()) {
        pieces.push_back({was, &atom, std::move(both)});
      }
    }
    if (Boxes rest = without(atom.where, old); !rest.empty()) {
      pieces.push_back({nullptr, &atom, std::move(rest)});
    }
  }
  for (const Atom* atom : moved) {
    if (Boxes rest = without(atom->where, fresh); !rest.empty()) {
      pieces.push_back({atom, nullptr, std::move(rest)});
    }
  }
  return pieces;
}

std::set<PersonId> whom_it_may_touch(const Policy& before, const Policy& after,
                                     const PolicyEdit& edit) {
  std::set<PersonId> people;
  std::set<RoleId> roles;
  const auto add = [&](const Policy& policy) {
    for (const auto& [id, changed] : edit.devices) {
      if (const auto device = policy.devices.find(id); device != policy.devices.end())
        people.insert(device->second.person);
    }
    for (const auto& [id, changed] : edit.grants) {
      const auto grant = policy.grants.find(id);
      if (grant == policy.grants.end()) continue;
      if (const auto* person = std::get_if<PersonId>(&grant->second.who)) people.insert(*person);
      if (const auto* role = std::get_if<RoleId>(&grant->second.who)) roles.insert(*role);
    }
  };
  add(before);
  add(after);
  for (const auto& [id, changed] : edit.people) people.insert(id);
  for (const Policy* policy : {&before, &after}) {
    for (const auto& [id, person] : policy->people) {
      const bool has_role = std::ranges::any_of(
          person.roles, [&](const RoleId& role) { return roles.contains(role); });
      if (has_role || !edit.resources.empty()) people.insert(id);
    }
  }
  return people;
}

std::vector<Service> services_of(const Policy& policy, const ResourceId& id) {
  if (id == kInternet) return internet_services(policy);
  const auto resource = policy.resources.find(id);
  return resource == policy.resources.end() ? std::vector<Service>{} : resource->second.services;
}

// The services of a resource that reach into these boxes.
std::set<std::string> services_in(const std::vector<Service>& services, const Boxes& boxes) {
  std::set<std::string> names;
  for (const Service& service : services) {
    for (const Destinations& box : boxes) {
      if (box.protocol != service.protocol() || !box.ports.overlaps(service.ports)) continue;
      names.insert(service.name());
      break;
    }
  }
  return names;
}

// The changes as they are found, person by person, and put together where they are alike.
class Findings {
 public:
  Findings(const AccessBook& before, const AccessBook& after)
      : before_(before), after_(after), pieces_(overlay(before.space(), after.space())) {
    for (std::size_t index = 0; index < pieces_.size(); ++index) {
      if (pieces_[index].before) of_before_[pieces_[index].before->mark].push_back(index);
      if (pieces_[index].after) of_after_[pieces_[index].after->mark].push_back(index);
    }
  }

  void look_at(const PersonId& person) {
    // Who has no device yet gains what a grant prepares for them all the same.
    const bool devices_count =
        before_.has_active_device(person) != after_.has_active_device(person);
    const auto rights_in = [&](const AccessBook& book) {
      return devices_count && !book.has_active_device(person) ? std::map<AtomMark, Rights>{}
                                                              : book.rights_of(person);
    };
    const auto was = rights_in(before_);
    const auto is = rights_in(after_);
    std::set<std::size_t> touched;
    for (const auto& [mark, rights] : was)
      touched.insert(of_before_[mark].begin(), of_before_[mark].end());
    for (const auto& [mark, rights] : is)
      touched.insert(of_after_[mark].begin(), of_after_[mark].end());
    for (const std::size_t index : touched) {
      const Piece& piece = pieces_[index];
      compare(person, index, rights_at(was, piece.before), rights_at(is, piece.after));
    }
  }

  std::vector<AccessChange> finish() const {
    // People of whom the same is to be said are said it together.
    std::vector<AccessChange> changes;
    std::map<std::tuple<AccessChange::Kind, ResourceId, std::string, std::string,
                        std::vector<std::size_t>>,
             std::size_t>
        known;
    for (const auto& [key, found] : found_) {
      const auto& [person, kind, resource, was, is] = key;
      const auto [entry, fresh] =
          known.try_emplace({kind, resource, was, is, found.pieces}, changes.size());
      if (fresh) {
        AccessChange change;
        change.kind = kind;
        change.resource = resource;
        change.before = found.before;
        change.after = found.after;
        say_where(change, found.pieces);
        changes.push_back(std::move(change));
      }
      changes[entry->second].people.push_back(person);
    }
    return changes;
  }

 private:
  using Rights = std::vector<AccessBook::Right>;
  struct Found {
    std::vector<std::size_t> pieces;
    Terms before, after;
  };

  static const Rights& rights_at(const std::map<AtomMark, Rights>& rights, const Atom* atom) {
    static const Rights kNone;
    if (atom == nullptr) return kNone;
    const auto found = rights.find(atom->mark);
    return found == rights.end() ? kNone : found->second;
  }

  static Terms terms_of(const Rights& rights) {
    Terms terms;
    for (const auto& right : rights) terms.push_back(right.term);
    return widest(terms);
  }

  void compare(const PersonId& person, std::size_t piece, const Rights& was, const Rights& is) {
    const Terms before = terms_of(was);
    const Terms after = terms_of(is);
    const bool no_less = covers(after, before);
    const bool no_more = covers(before, after);
    if (no_less && no_more) return;
    const auto kind = no_less   ? AccessChange::Kind::gains
                      : no_more ? AccessChange::Kind::loses
                                : AccessChange::Kind::changes;
    // Named by the grant that gives it, or that gave it.
    const ResourceId& resource = is.empty() ? before_.policy().grants.at(was.front().grant).resource
                                            : after_.policy().grants.at(is.front().grant).resource;
    Found& found = found_[{person, kind, resource, to_string(before), to_string(after)}];
    found.before = before;
    found.after = after;
    found.pieces.push_back(piece);
  }

  void say_where(AccessChange& change, const std::vector<std::size_t>& pieces) const {
    const AccessBook& book = change.after.empty() ? before_ : after_;
    const auto services = services_of(book.policy(), change.resource);
    Boxes changed;
    for (const std::size_t index : pieces) {
      std::ranges::copy(pieces_[index].where, std::back_inserter(changed));
    }
    const std::set<std::string> names = services_in(services, changed);
    change.services.assign(names.begin(), names.end());
    for (const Atom* atom : book.opened_by(change.resource)) {
      const std::set<std::string> of_atom = services_in(services, atom->where);
      if (!std::ranges::includes(names, of_atom) || without(atom->where, changed).empty()) continue;
      std::vector<AddressRange> ranges;
      for (const Destinations& box : changed) ranges.push_back(box.addresses);
      for (const AddressRange& range : join(std::move(ranges))) {
        for (const Prefix& prefix : to_prefixes(range)) change.where.push_back(prefix.to_string());
      }
      return;
    }
  }

  const AccessBook& before_;
  const AccessBook& after_;
  std::vector<Piece> pieces_;
  std::map<AtomMark, std::vector<std::size_t>> of_before_, of_after_;
  std::map<std::tuple<PersonId, AccessChange::Kind, ResourceId, std::string, std::string>, Found>
      found_;
};

}  // namespace

AccessBook::AccessBook(Version version, Time now) : version_(version), now_(now) {
  for (const auto& [id, grant] : policy().grants) by_who_[grant.who].push_back(id);
  for (const Atom& atom : space().atoms) {
    for (const ResourceId& resource : atom.opened_by) atoms_[resource].push_back(&atom);
  }
  for (const auto& [id, device] : policy().devices) {
    if (device.state == DeviceState::active) with_active_device_.insert(device.person);
  }
}

std::vector<GrantId> AccessBook::grants_of(const PersonId& id) const {
  std::vector<GrantId> grants;
  const auto add = [&](const Who& who) {
    if (const auto found = by_who_.find(who); found != by_who_.end())
      grants.insert(grants.end(), found->second.begin(), found->second.end());
  };
  add(id);
  const auto person = policy().people.find(id);
  if (person == policy().people.end()) return grants;
  for (const RoleId& role : person->second.roles) add(role);
  return grants;
}

const std::vector<const Atom*>& AccessBook::opened_by(const ResourceId& resource) const {
  static const std::vector<const Atom*> kNone;
  const auto found = atoms_.find(resource);
  return found == atoms_.end() ? kNone : found->second;
}

bool AccessBook::has_active_device(const PersonId& person) const {
  return with_active_device_.contains(person);
}

std::map<AtomMark, std::vector<AccessBook::Right>> AccessBook::rights_of(const PersonId& id) const {
  std::map<AtomMark, std::vector<Right>> rights;
  const auto person = policy().people.find(id);
  if (person == policy().people.end()) return rights;
  for (const GrantId& each : grants_of(id)) {
    const Grant& grant = policy().grants.at(each);
    const auto term = term_of(grant, person->second, now_);
    if (!term) continue;
    for (const Atom* atom : opened_by(grant.resource)) rights[atom->mark].push_back({*term, each});
  }
  return rights;
}

std::vector<AccessChange> access_changes(Version before, Version after, const PolicyEdit& edit,
                                         Time now) {
  const AccessBook was(before, now);
  const AccessBook is(after, now);
  Findings findings(was, is);
  for (const PersonId& person : whom_it_may_touch(was.policy(), is.policy(), edit)) {
    findings.look_at(person);
  }
  return findings.finish();
}

std::string_view to_string(AccessChange::Kind kind) {
  switch (kind) {
    case AccessChange::Kind::gains:
      return "gains";
    case AccessChange::Kind::loses:
      return "loses";
    case AccessChange::Kind::changes:
      return "changes";
  }
  return "changes";
}

}  // namespace sekisho

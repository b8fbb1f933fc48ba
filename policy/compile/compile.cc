#include "policy/compile/compile.h"

#include <algorithm>
#include <cassert>
#include <unordered_map>
#include <vector>

#include "policy/compile/grant_times.h"

namespace sekisho {
namespace {

// A cohort has at least one device, so there are numbers for all.
constexpr std::size_t kMaxCohorts = 0xffff;
static_assert(kMaxDevices <= kMaxCohorts);

using End = std::optional<Time>;  // none: forever

End later(const End& a, const End& b) {
  return a && b ? std::max(a, b) : End{};
}

// What a device may do: atoms with their ends, sorted by atom, no repeats. Devices with equal
// rights share a cohort.
using Rights = std::vector<std::pair<AtomMark, End>>;

struct RightsHash {
  std::size_t operator()(const Rights& rights) const {
    std::size_t hash = rights.size();
    for (const auto& [atom, end] : rights) {
      const auto until = end ? static_cast<std::uint64_t>(end->time_since_epoch().count()) + 1 : 0;
      hash = (hash ^ atom.opening()) * 0x9e3779b97f4a7c15U;
      hash = (hash ^ until ^ hash >> 32) * 0x9e3779b97f4a7c15U;
    }
    return hash;
  }
};

// The latest end wins where several grants give one atom.
Rights tidy(Rights rights) {
  std::ranges::sort(rights, {}, &Rights::value_type::first);
  Rights tidied;
  for (const auto& [atom, end] : rights) {
    if (!tidied.empty() && tidied.back().first == atom) {
      tidied.back().second = later(tidied.back().second, end);
    } else {
      tidied.emplace_back(atom, end);
    }
  }
  return tidied;
}

// The rights that the grants of one moment give to a person.
class ActiveGrants {
 public:
  ActiveGrants(const ValidPolicy& policy, const AtomSpace& space, Time now) {
    std::unordered_map<ResourceId, std::vector<AtomMark>> opened;
    for (const Atom& atom : space.atoms) {
      if (atom.opened_by.empty()) everybody_.emplace_back(atom.mark, End{});
      for (const ResourceId& resource : atom.opened_by) opened[resource].push_back(atom.mark);
    }
    GrantTimes times(policy.zones(), now);
    for (const auto& [id, grant] : policy.policy().grants) {
      const GrantTimes::Stretch stretch = times.of(grant);
      if (stretch.opens_at && (!next_opening_ || *stretch.opens_at < *next_opening_)) {
        next_opening_ = stretch.opens_at;
      }
      if (!stretch.open) continue;
      Rights& rights = by_who_[grant.who];
      for (const AtomMark atom : opened[grant.resource]) rights.emplace_back(atom, stretch.end);
    }
    for (auto& [who, rights] : by_who_) rights = tidy(std::move(rights));
  }

  Rights of(const PersonId& id, const Person& person) const {
    Rights rights = everybody_;
    append(rights, id);
    for (const RoleId& role : person.roles) append(rights, role);
    return tidy(std::move(rights));
  }

  std::optional<Time> next_opening() const { return next_opening_; }

 private:
  void append(Rights& rights, const Who& who) const {
    const auto given = by_who_.find(who);
    if (given == by_who_.end()) return;
    rights.insert(rights.end(), given->second.begin(), given->second.end());
  }

  Rights everybody_;
  std::map<Who, Rights> by_who_;
  std::optional<Time> next_opening_;
};

// Devices with equal rights, before they have their number.
struct Group {
  Rights rights;
  std::vector<IpAddress> addresses;
};

struct Standing {
  std::vector<Group> groups;
  std::unordered_map<IpAddress, End> ends;  // of persons who have one
};

// Every device in good standing, with equals: they keep the order in which devices name them.
Standing group_devices(const Policy& policy, const ActiveGrants& grants, Time now) {
  Standing standing;
  std::unordered_map<Rights, std::size_t, RightsHash> groups;
  std::map<PersonId, std::size_t> group_of_person;
  for (const auto& [id, device] : policy.devices) {
    if (device.state != DeviceState::active) continue;
    const auto person = policy.people.find(device.person);
    assert(person != policy.people.end());
    if (person->second.state != PersonState::active) continue;
    const End& end = person->second.valid_until;
    if (end && *end <= now) continue;

    const auto [known, fresh] = group_of_person.try_emplace(device.person);
    if (fresh) {
      Rights rights = grants.of(device.person, person->second);
      const auto [group, fresh_group] = groups.try_emplace(rights, standing.groups.size());
      if (fresh_group) standing.groups.push_back({.rights = std::move(rights), .addresses = {}});
      known->second = group->second;
    }
    for (const IpAddress& address : device.addresses) {
      standing.groups[known->second].addresses.push_back(address);
      if (end) standing.ends.emplace(address, end);
    }
  }
  return standing;
}

// Cohort numbers are kept where the same rights still exist; then where rights change but a device
// stays, so that one changed grant is one changed element; the rest take the lowest free ones.
std::vector<Cohort> deal_numbers(const std::vector<Group>& groups, const Tables* before) {
  std::unordered_map<Rights, Cohort, RightsHash> known;
  if (before != nullptr) {
    for (auto entry = before->grants.begin(); entry != before->grants.end();) {
      const Cohort cohort = entry->first.cohort;
      Rights rights;
      for (; entry != before->grants.end() && entry->first.cohort == cohort; ++entry) {
        rights.emplace_back(entry->first.atom, entry->second);
      }
      known.try_emplace(std::move(rights), cohort);
    }
  }
  std::vector<bool> taken(kMaxCohorts + 1);
  std::vector<Cohort> numbers(groups.size());
  const auto take = [&](std::size_t group, Cohort cohort) {
    if (taken[cohort.value()]) return;
    taken[cohort.value()] = true;
    numbers[group] = cohort;
  };
  taken[0] = true;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto same = known.find(groups[i].rights);
    if (same != known.end()) take(i, same->second);
  }
  for (std::size_t i = 0; i < groups.size() && before != nullptr; ++i) {
    for (auto address = groups[i].addresses.begin();
         address != groups[i].addresses.end() && !numbers[i]; ++address) {
      const auto entry = before->cohorts.find(*address);
      if (entry != before->cohorts.end()) take(i, entry->second.cohort);
    }
  }
  std::uint16_t free = 1;
  for (Cohort& number : numbers) {
    if (number) continue;
    while (taken[free]) ++free;
    number = Cohort(free);
    taken[free] = true;
  }
  return numbers;
}

void fill(Tables& tables, const Standing& standing, const Tables* before) {
  const std::vector<Cohort> numbers = deal_numbers(standing.groups, before);
  std::vector<std::pair<Cohort, const Group*>> in_order;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    in_order.emplace_back(numbers[i], &standing.groups[i]);
  }
  std::ranges::sort(in_order);
  for (const auto& [cohort, group] : in_order) {
    for (const IpAddress& address : group->addresses) {
      const auto end = standing.ends.find(address);
      tables.cohorts[address] = {cohort, end != standing.ends.end() ? end->second : End{}};
    }
    for (const auto& [atom, end] : group->rights) {
      tables.grants.emplace_hint(tables.grants.end(), GrantKey{cohort, atom}, end);
    }
  }
}

// The destination space, cut anew only where something of it changed.
Result<Compiled> with_space(const ValidPolicy& policy, const Compiled* before) {
  Compiled compiled;
  if (before != nullptr && before->cut_from &&
      before->cut_from->resources == policy.policy().resources &&
      before->cut_from->network == policy.network()) {
    compiled.space = before->space;
    compiled.tables.atoms = before->tables.atoms;
    compiled.cut_from = before->cut_from;
    return compiled;
  }
  auto space = cut(policy, before != nullptr ? before->space : AtomSpace{});
  if (!space) return std::unexpected(std::move(space.error()));
  compiled.space = std::move(*space);
  std::vector<std::pair<Destinations, AtomMark>> boxes;
  for (const Atom& atom : compiled.space.atoms) {
    for (const Destinations& box : atom.where) boxes.emplace_back(box, atom.mark);
  }
  std::ranges::sort(boxes);
  compiled.tables.atoms = {boxes.begin(), boxes.end()};
  compiled.cut_from =
      std::make_shared<const CutInput>(CutInput{policy.policy().resources, policy.network()});
  return compiled;
}

}  // namespace

Result<Compiled> compile(const ValidPolicy& policy, Time now, const Compiled* before) {
  Result<Compiled> compiled = with_space(policy, before);
  if (!compiled) return compiled;
  const ActiveGrants grants(policy, compiled->space, now);
  compiled->next_opening = grants.next_opening();

  const Standing standing = group_devices(policy.policy(), grants, now);
  fill(compiled->tables, standing, before != nullptr ? &before->tables : nullptr);
  return compiled;
}

}  // namespace sekisho

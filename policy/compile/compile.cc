#include "policy/compile/compile.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace sekisho {
namespace {

std::map<Destinations, AtomMark> boxes_of(const AtomSpace& space) {
  std::vector<std::pair<Destinations, AtomMark>> boxes;
  for (const Atom& atom : space.atoms) {
    for (const Destinations& box : atom.where) boxes.emplace_back(box, atom.mark);
  }
  std::ranges::sort(boxes);
  return {boxes.begin(), boxes.end()};
}

TablesDiff nothing_yet() {
  TablesDiff diff;
  diff.may_refuse_more = diff.may_pass_more = false;
  return diff;
}

bool in_good_standing(const Person& person, Time now) {
  return person.state == PersonState::active && !(person.valid_until && *person.valid_until <= now);
}

}  // namespace

Result<Compiler> Compiler::start(const ValidPolicy& policy, Time now, Compiled before,
                                 const std::vector<Destinations>& held) {
  Compiler compiler;
  std::vector<IpAddress> leaving;
  for (const auto& [address, entry] : before.tables.cohorts) leaving.push_back(address);
  compiler.cohorts_ = Cohorts(before.tables);
  compiler.compiled_ = std::move(before);
  TablesDiff diff = nothing_yet();
  if (auto cut = compiler.cut_space(policy, held, diff); !cut) {
    return std::unexpected(std::move(cut.error()));
  }
  compiler.follow_remediation(policy.policy(), diff);
  GrantTimes times(policy.zones(), now);
  compiler.begin_at(policy.policy(), times);
  compiler.rearrange(policy.policy(), compiler.everyone(policy.policy()), std::move(leaving), times,
                     diff);
  return compiler;
}

Result<TablesDiff> Compiler::update(const ValidPolicy& valid, const PolicyEdit& undo, Time now,
                                    const std::vector<Destinations>& held) {
  const Policy& policy = valid.policy();
  TablesDiff diff = nothing_yet();
  bool recut = false;
  if (!undo.resources.empty()) {
    auto cut = cut_space(valid, held, diff);
    if (!cut) return std::unexpected(std::move(cut.error()));
    recut = *cut;
  }
  if (recut || undo.response) follow_remediation(policy, diff);
  std::set<PersonId> touched;
  GrantTimes times(valid.zones(), now);
  follow_devices(policy, undo, touched);
  for (const auto& [id, before] : undo.people) touched.insert(id);
  if (now < now_) {
    // Dates that have passed are no longer known: they may be yet to come again.
    begin_at(policy, times);
    touched.merge(everyone(policy));
  } else {
    follow_time_and_grants(policy, undo, times, touched);
    if (recut) touched.merge(everyone(policy));
  }
  rearrange(policy, touched, {}, times, diff);
  return diff;
}

void Compiler::use_up_numbers_below(std::uint32_t next) {
  compiled_.space.next = std::max(compiled_.space.next, next);
}

// True where anything became another atom.
Result<bool> Compiler::cut_space(const ValidPolicy& policy, const std::vector<Destinations>& held,
                                 TablesDiff& diff) {
  auto space = cut(policy, compiled_.space, held);
  if (!space) return std::unexpected(std::move(space.error()));
  const bool same = !opened_.empty() && space->atoms == compiled_.space.atoms;
  compiled_.space = *std::move(space);
  if (same) return false;
  opened_.clear();
  everybody_.clear();
  for (const Atom& atom : compiled_.space.atoms) {
    if (atom.opened_by.empty()) everybody_.emplace_back(atom.mark, End{});
    for (const ResourceId& resource : atom.opened_by) opened_[resource].push_back(atom.mark);
  }
  replace_atoms(compiled_.tables, boxes_of(compiled_.space), diff);
  return true;
}

// What isolated devices may do stands in the tables whether there are any or not, so that isolating
// one changes its own entries alone.
void Compiler::follow_remediation(const Policy& policy, TablesDiff& diff) {
  Rights rights = everybody_;
  for (const ResourceId& resource : policy.response.remediation) {
    const auto opened = opened_.find(resource);
    if (opened == opened_.end()) continue;
    for (const AtomMark atom : opened->second) rights.emplace_back(atom, End{});
  }
  replace_rights(compiled_.tables, kIsolatedCohort, tidy(std::move(rights)), diff);
}

// All that depends on time and on whose a device is, from nothing.
void Compiler::begin_at(const Policy& policy, GrantTimes& times) {
  grants_.start(policy, times);
  ends_of_people_.clear();
  for (auto& [id, mine] : belongings_) {
    mine.devices.clear();
    mine.until.reset();
  }
  for (const auto& [id, device] : policy.devices) belongings_[device.person].devices.push_back(id);
  now_ = times.now();
}

std::set<PersonId> Compiler::everyone(const Policy& policy) const {
  std::set<PersonId> people;
  for (const auto& [id, person] : policy.people) people.insert(people.end(), id);
  for (const auto& [id, mine] : belongings_) people.insert(id);
  return people;
}

void Compiler::follow_devices(const Policy& policy, const PolicyEdit& undo,
                              std::set<PersonId>& touched) {
  for (const auto& [id, before] : undo.devices) {
    if (before) {
      std::erase(belongings_[before->person].devices, id);
      touched.insert(before->person);
    }
    const auto after = policy.devices.find(id);
    if (after == policy.devices.end()) continue;
    belongings_[after->second.person].devices.push_back(id);
    touched.insert(after->second.person);
  }
}

void Compiler::follow_time_and_grants(const Policy& policy, const PolicyEdit& undo,
                                      GrantTimes& times, std::set<PersonId>& touched) {
  for (auto end = ends_of_people_.begin();
       end != ends_of_people_.end() && end->first <= times.now(); ++end) {
    touched.insert(end->second);
  }
  std::set<RoleId> roles;
  for (const Who& who : grants_.update(policy, undo, times)) {
    if (const auto* person = std::get_if<PersonId>(&who)) {
      touched.insert(*person);
    } else {
      roles.insert(std::get<RoleId>(who));
    }
  }
  now_ = times.now();
  if (roles.empty()) return;
  for (const auto& [id, person] : policy.people) {
    if (std::ranges::any_of(person.roles, [&](const RoleId& role) { return roles.contains(role); }))
      touched.insert(id);
  }
}

void Compiler::rearrange(const Policy& policy, const std::set<PersonId>& people,
                         std::vector<IpAddress> leaving, GrantTimes& times, TablesDiff& diff) {
  std::map<RoleId, Rights> of_roles;
  std::vector<Cohorts::Holder> holders;
  for (const PersonId& id : people) {
    Belongings& mine = belongings_[id];
    std::ranges::move(mine.addresses, std::back_inserter(leaving));
    mine.addresses.clear();
    if (mine.until) ends_of_people_.erase({*mine.until, id});
    mine.until.reset();
    const auto found = policy.people.find(id);
    if (found == policy.people.end()) {
      belongings_.erase(id);
      continue;
    }
    const Person& person = found->second;
    if (!in_good_standing(person, times.now())) continue;
    mine.until = person.valid_until;
    if (mine.until) ends_of_people_.emplace(*mine.until, id);
    for (const DeviceId& each : mine.devices) {
      const Device& device = policy.devices.at(each);
      if (device.state != DeviceState::active) continue;
      std::ranges::copy(device.addresses, std::back_inserter(mine.addresses));
    }
    if (mine.addresses.empty()) continue;
    Rights rights = everybody_;
    const auto add = [&](const Rights& more) {
      rights.insert(rights.end(), more.begin(), more.end());
    };
    add(grants_.rights_of(policy, id, opened_, times));
    for (const RoleId& role : person.roles) {
      const auto [known, fresh] = of_roles.try_emplace(role);
      if (fresh) known->second = grants_.rights_of(policy, role, opened_, times);
      add(known->second);
    }
    holders.push_back({mine.addresses, mine.until, tidy(std::move(rights))});
  }
  cohorts_.rearrange(compiled_.tables, leaving, holders, diff);
  compiled_.next_opening = grants_.next_opening();
}

Result<Compiled> compile(const ValidPolicy& policy, Time now, const Compiled* before) {
  auto compiler = Compiler::start(policy, now, before != nullptr ? *before : Compiled{});
  if (!compiler) return std::unexpected(std::move(compiler.error()));
  return compiler->compiled();
}

}  // namespace sekisho

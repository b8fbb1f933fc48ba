#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "policy/base/text.h"
#include "policy/model/checks.h"
#include "policy/model/look_alike.h"
#include "policy/model/validate.h"
#include "policy/model/values.h"

namespace sekisho {
namespace {

void check_amount(std::string_view section, std::size_t amount, std::size_t most,
                  Findings& findings) {
  if (amount <= most) return;
  findings.add(std::string(section), std::to_string(amount) + " of them",
               "at most " + std::to_string(most) + " are allowed");
}

template <class Id, class Thing>
void check_ids(std::string_view section, const std::map<Id, Thing>& things, Findings& findings) {
  for (const auto& [id, thing] : things) check_id_of(section, id.str(), findings);
}

template <class Id, class Thing>
void check_names(std::string_view section, const std::map<Id, Thing>& things, Findings& findings) {
  for (const auto& [id, thing] : things) {
    check_words(member_path(section, id.str()), "name", thing.name, findings);
  }
}

// Two people with one name may well be; one name in two spellings is a mistake or a trick.
void check_spelling(const Policy& policy, Findings& findings) {
  std::unordered_map<std::string, const std::pair<const PersonId, Person>*> known;
  for (const auto& entry : policy.people) {
    const auto& [id, person] = entry;
    if (find_invalid_utf8(person.name)) continue;
    const auto [first, fresh] = known.emplace(folded(person.name), &entry);
    if (fresh || first->second->second.name == person.name) continue;
    findings.add(member_path(member_path("person", id.str()), "name"),
                 quote(person.name) + " and " + quote(first->second->second.name) + " of person " +
                     quote(first->second->first.str()) + " are one name in two spellings",
                 "write both alike, or tell the two people apart");
  }
}

void check_quota(std::string path, std::optional<std::int64_t> quota, Findings& findings) {
  if (!quota || (*quota >= 1 && *quota <= kMostDevicesOfPerson)) return;
  findings.add(std::move(path), std::to_string(*quota) + " is no quota of devices",
               "write 1 to " + std::to_string(kMostDevicesOfPerson) + ", or take it out");
}

void check_quotas(const Policy& policy, Findings& findings) {
  const auto& common = policy.quota.devices_per_person;
  check_quota("quota.devices_per_person", common, findings);
  std::map<PersonId, std::int64_t> devices;
  for (const auto& [id, device] : policy.devices) ++devices[device.person];
  for (const auto& [id, person] : policy.people) {
    const std::string path = member_path("person", id.str());
    check_quota(member_path(path, "device_quota"), person.device_quota, findings);
    const auto& quota = person.device_quota ? person.device_quota : common;
    const auto owned = devices.find(id);
    if (!quota || owned == devices.end() || owned->second <= *quota) continue;
    findings.add(
        person.device_quota ? member_path(path, "device_quota") : path,
        "has " + std::to_string(owned->second) + " devices, and at most " + std::to_string(*quota) +
            " are allowed by " +
            (person.device_quota ? "their own quota" : "quota.devices_per_person"),
        "remove a device, or give this person device_quota = " + std::to_string(owned->second));
  }
}

}  // namespace

void check_words(std::string_view path, std::string_view key, std::string_view text,
                 Findings& findings) {
  if (auto checked = check_text(text); !checked) {
    findings.add(member_path(path, key), checked.error().cause, checked.error().advice);
  }
}

void check_id_of(std::string_view section, std::string_view id, Findings& findings) {
  if (auto checked = check_id(id); !checked) {
    findings.add(member_path(section, id), checked.error().cause, checked.error().advice);
  }
}

void check_amounts(const Policy& policy, Findings& findings) {
  check_amount("role", policy.roles.size(), kMaxRoles, findings);
  check_amount("person", policy.people.size(), kMaxPeople, findings);
  check_amount("device", policy.devices.size(), kMaxDevices, findings);
  check_amount("resource", policy.resources.size(), kMaxResources, findings);
  check_amount("grant", policy.grants.size(), kMaxGrants, findings);
}

void check_texts(const Policy& policy, Findings& findings) {
  check_ids("role", policy.roles, findings);
  check_ids("person", policy.people, findings);
  check_ids("device", policy.devices, findings);
  check_ids("resource", policy.resources, findings);
  check_names("role", policy.roles, findings);
  check_names("person", policy.people, findings);
  check_names("resource", policy.resources, findings);
}

void check_people(const Policy& policy, Findings& findings) {
  for (const auto& [id, person] : policy.people) {
    const std::string path = member_path("person", id.str());
    for (const RoleId& role : person.roles) {
      if (policy.roles.contains(role)) continue;
      unknown(element_path(member_path(path, "roles"), role.str()), "role", role, policy.roles,
              findings);
    }
  }
  check_spelling(policy, findings);
  check_quotas(policy, findings);
}

}  // namespace sekisho

#include <map>

#include "policy/base/text.h"
#include "policy/model/checks.h"
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

void check_one_id(std::string_view section, std::string_view id, Findings& findings) {
  if (auto checked = check_id(id); !checked) {
    findings.add(member_path(section, id), checked.error().cause, checked.error().advice);
  }
}

template <class Id, class Thing>
void check_ids(std::string_view section, const std::map<Id, Thing>& things, Findings& findings) {
  for (const auto& [id, thing] : things) check_one_id(section, id.str(), findings);
}

void check_words(std::string_view path, std::string_view key, std::string_view text,
                 Findings& findings) {
  if (auto checked = check_text(text); !checked) {
    findings.add(member_path(path, key), checked.error().cause, checked.error().advice);
  }
}

template <class Id, class Thing>
void check_names(std::string_view section, const std::map<Id, Thing>& things, Findings& findings) {
  for (const auto& [id, thing] : things) {
    check_words(member_path(section, id.str()), "name", thing.name, findings);
  }
}

void check_who(std::string path, const Who& who, const Policy& policy, Findings& findings) {
  if (const auto* person = std::get_if<PersonId>(&who)) {
    if (!policy.people.contains(*person)) {
      unknown(std::move(path), "person", *person, policy.people, findings);
    }
  } else if (const auto& role = std::get<RoleId>(who); !policy.roles.contains(role)) {
    unknown(std::move(path), "role", role, policy.roles, findings);
  }
}

}  // namespace

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
}

void check_grant(const Policy& policy, const GrantId& id, const Grant& grant, Findings& findings) {
  check_one_id("grant", id.str(), findings);
  const std::string path = member_path("grant", id.str());
  check_who(member_path(path, "who"), grant.who, policy, findings);
  if (grant.resource != kInternet && !policy.resources.contains(grant.resource)) {
    unknown(member_path(path, "resource"), "resource", grant.resource, policy.resources, findings);
  }
  check_words(path, "reason", grant.reason, findings);
  if (grant.from && grant.until && *grant.until <= *grant.from) {
    findings.add(
        member_path(path, "until"),
        "ends at " + to_string(*grant.until) + ", not after it begins at " + to_string(*grant.from),
        "set a later end or take the grant out");
  }
}

void check_grants(const Policy& policy, Findings& findings) {
  for (const auto& [id, grant] : policy.grants) check_grant(policy, id, grant, findings);
}

}  // namespace sekisho

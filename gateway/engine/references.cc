#include "gateway/engine/references.h"

#include <algorithm>

namespace sekisho::engine {

namespace {

template <class Names>
void add_grants(const Policy& policy, Names names, std::vector<Reference>& found) {
  for (const auto& [id, grant] : policy.grants) {
    if (names(grant)) found.push_back({"grant." + id.str(), "grant remove " + id.str()});
  }
}

}  // namespace

std::vector<Reference> references_to(const Policy& policy, const PersonId& person) {
  std::vector<Reference> found;
  for (const auto& [id, device] : policy.devices) {
    if (device.person == person)
      found.push_back({"device." + id.str(), "device remove " + id.str()});
  }
  add_grants(policy, [&](const Grant& grant) { return grant.who == Who(person); }, found);
  if (policy.response.officer == person)
    found.push_back({"response", "response set --officer none, or another"});
  return found;
}

std::vector<Reference> references_to(const Policy&, const DeviceId&) {
  return {};
}

std::vector<Reference> references_to(const Policy& policy, const RoleId& role) {
  std::vector<Reference> found;
  for (const auto& [id, person] : policy.people) {
    if (std::ranges::find(person.roles, role) == person.roles.end()) continue;
    found.push_back({"person." + id.str(), "take the role out of person." + id.str()});
  }
  add_grants(policy, [&](const Grant& grant) { return grant.who == Who(role); }, found);
  return found;
}

// Without [resource.internet] the one that is built in takes its place.
std::vector<Reference> references_to(const Policy& policy, const ResourceId& resource) {
  std::vector<Reference> found;
  if (resource != kInternet)
    add_grants(policy, [&](const Grant& grant) { return grant.resource == resource; }, found);
  const auto& remediation = policy.response.remediation;
  if (std::ranges::find(remediation, resource) != remediation.end()) {
    std::string others;
    for (const ResourceId& other : remediation)
      if (other != resource) others += " --remediation " + other.str();
    found.push_back(
        {"response", "response set" + (others.empty() ? " --remediation none" : others)});
  }
  return found;
}

std::vector<Reference> references_to(const Policy&, const GrantId&) {
  return {};
}

}  // namespace sekisho::engine

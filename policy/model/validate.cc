#include "policy/model/validate.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "policy/model/checks.h"

namespace sekisho {

namespace {

template <class T>
void sort_once(std::vector<T>& values) {
  std::ranges::sort(values);
  const auto repeats = std::ranges::unique(values);
  values.erase(repeats.begin(), repeats.end());
}

// Lists whose order means nothing: equal policies are equal values.
void put_in_order(Person& person) {
  sort_once(person.roles);
}
void put_in_order(Device& device) {
  sort_once(device.addresses);
}
void put_in_order(Resource& resource) {
  sort_once(resource.prefixes);
  sort_once(resource.services);
}

void put_in_order(Grant& grant) {
  if (grant.conditions.hours) sort_once(grant.conditions.hours->spans);
}

void put_in_order(Response& response) {
  sort_once(response.remediation);
}

template <class Map>
void put_all_in_order(Map& objects) {
  for (auto& [id, object] : objects) put_in_order(object);
}
template <class Id, class Object>
void put_all_in_order(std::map<Id, Boxed<Object>>& changes) {
  for (auto& [id, object] : changes) {
    if (object) put_in_order(*object);
  }
}

void name_zone(const Grant& grant, const TimeZones& zones, TimeZones& named) {
  if (grant.conditions.hours) named.insert(*zones.find(grant.conditions.hours->zone));
}

void check_all(const Policy& policy, const Network& network, const TimeZones& zones,
               Findings& findings) {
  check_network(network, findings);
  check_amounts(policy, findings);
  check_texts(policy, findings);
  check_people(policy, findings);
  check_devices(policy, network, findings);
  check_resources(policy, findings);
  check_overlaps(policy, findings);
  check_grants(policy, zones, findings);
  check_response(policy, findings);
}

// What may be wrong after an edit of this policy that was valid before. Grants depend on others,
// nothing depends on them.
void check_edited(const Policy& policy, const Network& network, const TimeZones& zones,
                  const PolicyEdit& edit, Findings& findings) {
  const bool only_grants = edit.roles.empty() && edit.people.empty() && edit.devices.empty() &&
                           edit.resources.empty() && !edit.quota && !edit.response;
  if (!only_grants) return check_all(policy, network, zones, findings);
  check_amounts(policy, findings);
  for (const auto& [id, grant] : edit.grants) {
    if (grant) check_grant(policy, id, *grant, zones, findings);
  }
}

}  // namespace

Checked<ValidPolicy> validate(Policy policy, Network network, const TimeZones& zones) {
  put_all_in_order(policy.people);
  put_all_in_order(policy.devices);
  put_all_in_order(policy.resources);
  put_all_in_order(policy.grants);
  put_in_order(policy.response);
  Findings findings;
  check_all(policy, network, zones, findings);
  if (!findings.empty()) return std::unexpected(findings.take());
  TimeZones named;
  for (const auto& [id, grant] : policy.grants) name_zone(grant, zones, named);
  return ValidPolicy(std::move(policy), std::move(network), std::move(named));
}

Checked<PolicyEdit> amend(ValidPolicy& valid, PolicyEdit& edit, const TimeZones& zones) {
  put_all_in_order(edit.people);
  put_all_in_order(edit.devices);
  put_all_in_order(edit.resources);
  put_all_in_order(edit.grants);
  if (edit.response) put_in_order(*edit.response);
  PolicyEdit undo = apply(edit, valid.policy_);
  Findings findings;
  check_edited(valid.policy_, valid.network_, zones, edit, findings);
  if (!findings.empty()) {
    apply(undo, valid.policy_);
    return std::unexpected(findings.take());
  }
  for (const auto& [id, grant] : edit.grants) {
    if (grant) name_zone(*grant, zones, valid.zones_);
  }
  return undo;
}

Checked<ValidPolicy> read_valid_policy(std::string_view text, Syntax syntax, std::string_view file,
                                       Network network, const TimeZones& zones) {
  const auto document = read_document(text, syntax, file);
  if (!document) return std::unexpected(Errors{document.error()});
  auto policy = decode(*document, file);
  if (!policy) return std::unexpected(std::move(policy.error()));
  auto valid = validate(std::move(*policy), std::move(network), zones);
  if (!valid) locate(valid.error(), *document, file);
  return valid;
}

}  // namespace sekisho

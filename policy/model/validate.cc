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
void put_in_order(Policy& policy) {
  for (auto& [id, person] : policy.people) sort_once(person.roles);
  for (auto& [id, device] : policy.devices) sort_once(device.addresses);
  for (auto& [id, resource] : policy.resources) {
    sort_once(resource.prefixes);
    sort_once(resource.services);
  }
  for (auto& [id, grant] : policy.grants) {
    if (grant.conditions.hours) sort_once(grant.conditions.hours->spans);
  }
}

TimeZones named_zones(const Policy& policy, const TimeZones& zones) {
  TimeZones named;
  for (const auto& [id, grant] : policy.grants) {
    if (grant.conditions.hours) named.insert(*zones.find(grant.conditions.hours->zone));
  }
  return named;
}

}  // namespace

Checked<ValidPolicy> validate(Policy policy, Network network, const TimeZones& zones) {
  put_in_order(policy);
  Findings findings;
  check_network(network, findings);
  check_texts(policy, findings);
  check_people(policy, findings);
  check_devices(policy, network, findings);
  check_resources(policy, findings);
  check_overlaps(policy, findings);
  check_grants(policy, zones, findings);
  if (!findings.empty()) return std::unexpected(findings.take());
  TimeZones named = named_zones(policy, zones);
  return ValidPolicy(std::move(policy), std::move(network), std::move(named));
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

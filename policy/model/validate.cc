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
}

}  // namespace

Checked<ValidPolicy> validate(Policy policy, Network network) {
  put_in_order(policy);
  Findings findings;
  check_network(network, findings);
  check_texts(policy, findings);
  check_people(policy, findings);
  check_devices(policy, network, findings);
  check_resources(policy, findings);
  check_overlaps(policy, findings);
  check_grants(policy, findings);
  if (!findings.empty()) return std::unexpected(findings.take());
  return ValidPolicy(std::move(policy), std::move(network));
}

Checked<ValidPolicy> read_valid_policy(std::string_view text, Syntax syntax, std::string_view file,
                                       Network network) {
  const auto document = read_document(text, syntax, file);
  if (!document) return std::unexpected(Errors{document.error()});
  auto policy = decode(*document, file);
  if (!policy) return std::unexpected(std::move(policy.error()));
  auto valid = validate(std::move(*policy), std::move(network));
  if (!valid) locate(valid.error(), *document, file);
  return valid;
}

}  // namespace sekisho

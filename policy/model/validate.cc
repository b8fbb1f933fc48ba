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

template <class Map>
void put_all_in_order(Map& objects) {
  for (auto& [id, object] : objects) put_in_order(object);
}
template <class Id, class Object>
void put_all_in_order(std::map<Id, std::optional<Object>>& changes) {
  for (auto& [id, object] : changes) {
    if (object) put_in_order(*object);
  }
}

void check_all(const Policy& policy, const Network& network, Findings& findings) {
  check_network(network, findings);
  check_amounts(policy, findings);
  check_texts(policy, findings);
  check_people(policy, findings);
  check_devices(policy, network, findings);
  check_resources(policy, findings);
  check_overlaps(policy, findings);
  check_grants(policy, findings);
}

// What may be wrong after an edit of this policy that was valid before. Grants depend on others,
// nothing depends on them.
void check_edited(const Policy& policy, const Network& network, const PolicyEdit& edit,
                  Findings& findings) {
  const bool only_grants =
      edit.roles.empty() && edit.people.empty() && edit.devices.empty() && edit.resources.empty();
  if (!only_grants) return check_all(policy, network, findings);
  check_amounts(policy, findings);
  for (const auto& [id, grant] : edit.grants) {
    if (grant) check_grant(policy, id, *grant, findings);
  }
}

}  // namespace

Checked<ValidPolicy> validate(Policy policy, Network network) {
  put_all_in_order(policy.people);
  put_all_in_order(policy.devices);
  put_all_in_order(policy.resources);
  Findings findings;
  check_all(policy, network, findings);
  if (!findings.empty()) return std::unexpected(findings.take());
  return ValidPolicy(std::move(policy), std::move(network));
}

Checked<PolicyEdit> amend(ValidPolicy& valid, PolicyEdit& edit) {
  put_all_in_order(edit.people);
  put_all_in_order(edit.devices);
  put_all_in_order(edit.resources);
  PolicyEdit undo = apply(edit, valid.policy_);
  Findings findings;
  check_edited(valid.policy_, valid.network_, edit, findings);
  if (findings.empty()) return undo;
  apply(undo, valid.policy_);
  return std::unexpected(findings.take());
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

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/base/boxed.h"
#include "policy/base/result.h"
#include "policy/model/policy.h"

namespace sekisho {

// What one policy has that another has not: for each object that differs what it shall be, or
// nothing where it shall not be. Small where the change is small, however large the policy.
struct PolicyEdit {
  template <class Id, class Object>
  using Changes = std::map<Id, Boxed<Object>>;

  Changes<RoleId, Role> roles;
  Changes<PersonId, Person> people;
  Changes<DeviceId, Device> devices;
  Changes<ResourceId, Resource> resources;
  Changes<GrantId, Grant> grants;
  std::optional<Quota> quota;
  std::optional<Response> response;

  bool empty() const;
  bool operator==(const PolicyEdit&) const = default;
};

// The edit that leads from one to the other.
PolicyEdit difference(const Policy& from, const Policy& to);

// Carries the edit out, which afterwards holds only what it really changed. The answer takes that
// back.
PolicyEdit apply(PolicyEdit& edit, Policy& policy);

// An edit as text: a policy document of what is set, and before it a list `remove` of what goes, by
// path ("grant.sales-wiki"; "quota"). Equal edits give equal texts, and read_edit(write_edit(e)) ==
// e.
std::string write_edit(const PolicyEdit& edit);
// `file` begins the places in errors.
Checked<PolicyEdit> read_edit(std::string_view text, std::string_view file);

// The policy of a document after these edits, all as write_policy() and write_edit() wrote them.
Checked<Policy> read_edited(std::string_view document, const std::vector<std::string>& edits,
                            std::string_view file);

}  // namespace sekisho

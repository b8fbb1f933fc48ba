#pragma once

#include <string>
#include <vector>

#include "policy/model/policy.h"

// What stands in the way of removing an object: the objects that name it.
namespace sekisho::engine {

struct Reference {
  std::string object;   // "device.tanaka-laptop"
  std::string removal;  // the command, or the change, after which it names the object no more
};

std::vector<Reference> references_to(const Policy& policy, const PersonId& person);
std::vector<Reference> references_to(const Policy& policy, const DeviceId& device);
std::vector<Reference> references_to(const Policy& policy, const RoleId& role);
std::vector<Reference> references_to(const Policy& policy, const ResourceId& resource);
std::vector<Reference> references_to(const Policy& policy, const GrantId& grant);

}  // namespace sekisho::engine

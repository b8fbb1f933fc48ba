#pragma once

#include <set>
#include <string>
#include <vector>

#include "gateway/control/message.h"
#include "gateway/engine/command.h"
#include "policy/model/policy.h"
#include "policy/model/policy_edit.h"

namespace sekisho::engine {

// What a request makes of a policy, before anything is checked as a whole or done.
struct Edit {
  PolicyEdit change;
  std::string object;  // "person.tanaka"
  std::string before = {},
              after = {};  // the object as TOML; empty where it did not exist or is no more
  std::string reason = {};
  std::optional<DeviceId> profile_for = {};
  bool key_made_at_gateway = false;
  std::set<IpAddress> purge = {};  // tunnel addresses whose connections the kernel forgets
  Node::Table ended = {};          // what it ends, for the reply
};

// The operations that change one object: add, set and remove of person, device, role, resource,
// grant; quota.set, response.set. `addresses` are what a device that names none gets.
Checked<Edit> edit_object(const Policy& policy, const control::Request& request,
                          const std::vector<IpAddress>& addresses);

// quota.set and response.set: what was not given stays as it is.
Checked<Edit> edit_settings(const Policy& policy, const control::Request& request);

// person.offboard: the person stays, suspended and without devices, grants and roles; so the record
// keeps a name for them.
Checked<Edit> edit_offboarding(const Policy& policy, const control::Request& request);

// policy.apply and policy.import.
Checked<Edit> edit_document(const Policy& policy, const control::Request& request);

// The people, roles, resources and grants of `earlier` with the devices of now: a device that was
// removed does not return by a rollback, and one whose person is not in `earlier` goes.
Policy roll_back(const Policy& now, Policy earlier);

// The policy that a stored revision is.
Checked<Policy> policy_of(const Revision& revision);

// The document in a request's parameters, read by the syntax that it names.
Checked<Policy> read_document(const control::Request& request);
// Where in that document the errors of its policy stand; nothing where the request has none.
void locate_in_document(Errors& errors, const control::Request& request);

// What a request is about, where no edit says it: "person.tanaka", "policy".
std::string object_of(const control::Request& request);
// A text parameter; empty where it was not given.
const std::string& text_parameter(const control::Request& request, std::string_view name);
// A list's texts; none where it was not given.
std::vector<std::string> list_parameter(const control::Request& request, std::string_view name);
// Whether a flag was given.
bool flag_parameter(const control::Request& request, std::string_view name);
std::optional<std::int64_t> number_parameter(const control::Request& request,
                                             std::string_view name);

}  // namespace sekisho::engine

#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/control/authority.h"

// The one table of what can be asked of the gateway. The command line, the socket's checks, the
// record of operations and the tests of who may do what are all made from it.
namespace sekisho::control {

enum class OperationId {
  status,
  doctor,
  service_catalogue,
  person_list,
  person_show,
  person_add,
  person_set,
  person_remove,
  person_offboard,
  device_list,
  device_show,
  device_add,
  device_set,
  device_remove,
  device_profile,
  device_token,
  role_list,
  role_show,
  role_add,
  role_set,
  role_remove,
  resource_list,
  resource_show,
  resource_add,
  resource_set,
  resource_remove,
  grant_list,
  grant_show,
  grant_add,
  grant_set,
  grant_remove,
  quota_show,
  quota_set,
  response_show,
  response_set,
  quarantine_add,
  quarantine_list,
  quarantine_show,
  quarantine_release,
  quarantine_test,
  flag_add,
  flag_list,
  flag_show,
  flag_act,
  flag_dismiss,
  notice_show,
  policy_check,
  policy_diff,
  policy_apply,
  policy_rollback,
  policy_history,
  policy_can,
  policy_explain,
  policy_matrix,
  policy_review,
  policy_confirm,
  policy_export,
  policy_import,
  audit_list,
  audit_verify,
  notify_test,
};

enum class ParameterKind {
  text,      // one line
  list,      // lines; on the command line the option is repeated
  services,  // a list of services; "tcp:5432=reason" names an exception's reason
  number,
  flag,      // true where it is given
  document,  // a whole file; on the command line its path, "-" for standard input
};

// What a parameter's value can be, so that a shell can offer it: a word, and behind it, where
// `listed_by` names an operation, what begins a row of its list.
struct Value {
  std::string_view word;       // "suspended", "person:"
  std::string_view listed_by;  // "person.list"; kOwnList is that of the operation's own group
};
inline constexpr std::string_view kOwnList = "list";

struct Parameter {
  std::string_view name;    // in requests, and in policy documents where it is a field of an object
  std::string_view option;  // on the command line; without dashes it is positional
  ParameterKind kind = ParameterKind::text;
  bool required = false;
  std::string_view help;
  std::span<const Value> values = {};  // all there are; none where it is free

  constexpr bool is_positional() const { return !option.starts_with('-'); }
};

struct Operation {
  OperationId id;
  std::string_view group;   // "person"; empty for the commands that stand alone
  std::string_view verb;    // "add"
  Authority least;          // who may call it
  bool changes;             // whether it changes state, and so leaves a record
  std::string_view method;  // of the REST route
  std::string_view path;
  std::string_view summary;
  std::span<const Parameter> parameters;

  // "person.add", "status"
  std::string name() const;
};

std::span<const Operation> operations();
const Operation* find_operation(std::string_view name);
const Operation& operation(OperationId id);

// Whoever has the least authority or a higher one, but for auditors, who change nothing.
bool may(Authority authority, const Operation& operation);

}  // namespace sekisho::control

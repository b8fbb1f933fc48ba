#include "gateway/control/operations.h"

#include <algorithm>
#include <array>
#include <string>

#include "gateway/control/values.h"

namespace sekisho::control {

namespace {

using enum ParameterKind;
using P = Parameter;

constexpr P kId{"id", "ID", text, true, "its name: a-z 0-9 . _ -", kOwnIds};
constexpr P kReason{"reason", "--reason", text, false, "why; kept in the record"};
constexpr P kBase{"base",
                  "--base",
                  number,
                  false,
                  "the revision this change was made from, as policy export --json names it; "
                  "refused if another came since",
                  kRevisions};
constexpr P kSyntax{
    "syntax", "--syntax", text, false, "toml or json; default: by the file's name, else toml",
    kSyntaxes};
constexpr P kDocument{"document", "FILE", document, true,
                      "a policy document; - for standard input"};
constexpr P kLimit{"limit", "--limit", number, false,
                   "at most so many, 1 to 1000, newest first (default 50)"};

constexpr std::array kShow{kId};
constexpr std::array kRemove{kId, kReason};

constexpr P kName{"name", "--name", text, false, "the name people read"};
constexpr P kRoles{"roles", "--role", list, false, "a role of the person; repeat for more",
                   kRoleIds};
constexpr P kPersonState{"state", "--state", text, false, "active or suspended", kPersonStates};
constexpr P kValidUntil{"valid_until", "--valid-until", text, false,
                        "first second without access, RFC 3339; \"never\" takes it away"};
constexpr P kKind{"kind",
                  "--kind",
                  text,
                  false,
                  "owner, employee (default), part_timer, contractor or partner",
                  kPersonKinds};
constexpr P kDeviceQuota{"device_quota", "--device-quota", number, false,
                         "how many devices they may have; 0: as many as the policy's quota says"};
constexpr std::array kPersonAdd{kId,          kName,       kKind,        kRoles,
                                kPersonState, kValidUntil, kDeviceQuota, kReason};

constexpr P kDeviceState{"state", "--state", text, false, "active or blocked", kDeviceStates};
constexpr P kAddresses{
    "addresses", "--address", list, false,
    "its tunnel address, repeat for the other family; default: the next ones never used"};
constexpr P kPublicKey{"public_key", "--public-key", text, false,
                       "its WireGuard public key, base64"};
constexpr P kKeyMadeHere{"key_made_at_gateway", "--make-key-here", flag, false,
                         "make the key pair here, show it once, store nothing of it"};
constexpr P kPerson{"person", "--person", text, true, "whose it is", kPeople};
constexpr std::array kDeviceAdd{kId,        kPerson,      kPublicKey, kKeyMadeHere,
                                kAddresses, kDeviceState, kReason};
constexpr std::array kDeviceSet{
    kId,          P{"person", "--person", text, false, "whose it is", kPeople},
    kPublicKey,   kAddresses,
    kDeviceState, kReason};

constexpr std::array kRoleAdd{kId, kName, kReason};

constexpr P kClassification{
    "classification", "--classification", text, false, "confidential, internal or public",
    kClassifications};
constexpr P kPrefixes{"prefixes", "--prefix", list, false,
                      "a network it is on, v4 or v6; repeat for more"};
constexpr P kServices{"services", "--service", services, false,
                      "https, ssh, quic, tls:PORT, ssh:PORT; or an exception tcp:PORT=REASON, "
                      "udp:PORT=REASON; repeat for more"};
constexpr P kOnInternet{"internet", "--internet", flag, false,
                        "it is on all addresses of the internet, in the place of networks"};
constexpr std::array kResourceAdd{kId,         kName,     kClassification, kPrefixes,
                                  kOnInternet, kServices, kReason};

constexpr P kGrantReason{"reason", "--reason", text, true,
                         "what the access is for; part of the grant"};
constexpr P kFrom{"from", "--from", text, false, "first second of the right, RFC 3339"};
constexpr P kUntil{"until", "--until", text, false, "first second without the right, RFC 3339"};
constexpr P kHours{"hours", "--hours", list, false,
                   "open at these hours only: \"mon-fri 09:00-18:00\"; repeat for more; \"always\" "
                   "takes them away"};
constexpr P kZone{"zone", "--zone", text, false, "whose hours they are: Asia/Tokyo"};
constexpr P kSession{"session", "--session", text, false,
                     "open to a sign-in not older than this: 15m, 8h (until people can sign in "
                     "such a grant opens nothing); \"none\" takes it away"};
constexpr std::string_view kGrantedHelp =
    "what may be reached: a resource; \"internet\" is built in";
constexpr std::array kGrantAdd{kId,
                               P{"who", "--who", text, true, "person:ID or role:ID", kGrantees},
                               P{"resource", "--resource", text, true, kGrantedHelp, kResources},
                               kGrantReason,
                               kFrom,
                               kUntil,
                               kHours,
                               kZone,
                               kSession};
constexpr std::array kGrantSet{kId,
                               P{"who", "--who", text, false, "person:ID or role:ID", kGrantees},
                               P{"resource", "--resource", text, false, kGrantedHelp, kResources},
                               P{"reason", "--reason", text, false, "what the access is for"},
                               kFrom,
                               kUntil,
                               kHours,
                               kZone,
                               kSession};

constexpr std::array kQuotaSet{P{"devices_per_person", "--devices-per-person", number, true,
                                 "how many devices a person without a quota of their own may "
                                 "have; 0: any number"},
                               kReason};
constexpr std::array kResponseSet{
    P{"remediation", "--remediation", list, false,
      "a resource that an isolated device still reaches; repeat for more; \"none\": none",
      kResources},
    P{"contact", "--contact", text, false,
      "whom the user of an isolated device calls, on the notice page; \"none\": nobody"},
    P{"officer", "--officer", text, false,
      "whose devices are never quarantined by themselves; \"none\": those of every owner", kPeople},
    P{"two_people", "--two-people", text, false, "true or false: a release takes two people",
      kTruth},
    P{"low", "--low", text, false, "what a flag of low severity does: record, isolate or cut",
      kReactions},
    P{"medium", "--medium", text, false, "the same, of medium severity", kReactions},
    P{"high", "--high", text, false, "the same, of high severity", kReactions},
    P{"critical", "--critical", text, false, "the same, of critical severity", kReactions},
    P{"most_devices", "--most-devices", number, false,
      "at most so many automatic quarantines within the window; then flags ask"},
    P{"most_percent", "--most-percent", number, false,
      "the same as a share of all devices, 1 to 100; the fewer of both counts"},
    P{"window", "--window", text, false, "the guard's window: 30m, 1h, up to 168h"},
    kReason};
constexpr std::array kCatalogue{
    P{"only", "--only", list, false, "this one of it; repeat for more", kCatalogueIds}};

constexpr std::array kOffboard{
    kId, P{"yes", "--yes", flag, false, "do it; without it only what would end is said"}, kReason};

constexpr P kTarget{"target",
                    "TARGET",
                    text,
                    true,
                    "device:ID, person:ID, resource:ID or everyone; the ID alone where one thing "
                    "has it",
                    kTargets};
constexpr P kWhy{"reason", "--reason", text, true, "why; kept in the record"};
constexpr std::array kQuarantineAdd{
    kTarget, kWhy,
    P{"level", "--level", text, false,
      "isolate (default: name service, notice page and the policy's remediation are left) or cut "
      "(nothing is left, and the tunnel goes)",
      kLevels}};
constexpr std::array kQuarantineList{
    P{"past", "--past", flag, false, "those that were released, newest first"}};
constexpr std::array kQuarantineShow{kTarget};
constexpr std::array kQuarantineRelease{
    kTarget, kWhy, P{"finding", "--finding", text, true, "what was found; kept in the record"}};

constexpr P kFlagged{"target", "TARGET", text, false, "device:ID or person:ID", kFlaggable};
constexpr P kFlag{"flag", "FLAG", number, true, "its number", kFlags};
constexpr std::array kFlagAdd{
    kFlagged,
    P{"source", "--source", text, true, "who says so: clamav, wazuh, the office's siem"},
    P{"severity", "--severity", text, false, "low, medium, high (default) or critical",
      kSeverities},
    P{"detail", "--detail", text, false, "what was found"},
    P{"key", "--key", text, false, "the source's own name for it: said twice, it counts once"},
    P{"token", "--token", text, false, "from inside the tunnel: the device's token"},
    P{"address", "--address", text, false, "from inside the tunnel: the device's address"}};
constexpr std::array kFlagShow{kFlag};
constexpr std::array kFlagDecide{kFlag, kWhy};
constexpr std::array kNotice{
    P{"address", "ADDRESS", text, true, "the tunnel address of the device"}};

constexpr std::array kCheck{kDocument, kSyntax};
constexpr P kConfirm{"confirm", "--confirm", text, false,
                     "60s, 5m: return to all that is now unless `policy confirm` comes by then"};
constexpr std::array kApply{kDocument, kSyntax, kBase, kConfirm, kReason};
constexpr std::array kImport{kDocument, kSyntax, kBase, kReason};
constexpr std::array kRollback{
    P{"revision", "REVISION", number, true, "the revision to return to", kRevisions}, kBase,
    kReason};
constexpr std::array kHistory{kLimit};
constexpr P kAt{"at", "--at", text, false,
                "as of this time, RFC 3339, by the policy that was in force then; default: now"};
constexpr std::array kCan{
    P{"who", "WHO", text, true,
      "a person or a device; person:ID or device:ID where both have the name", kSubjects},
    P{"destination", "DEST:PORT", text, true,
      "an address and port, [v6]:port; /udp at the end for UDP"},
    kAt};
constexpr std::array kMatrix{
    P{"people", "--person", list, false, "this person alone; repeat for more", kPeople},
    P{"resources", "--resource", list, false, "this resource alone; repeat for more", kResources},
    kAt};
constexpr std::array kExport{
    P{"revision", "--revision", number, false, "default: the active one", kRevisions},
    P{"syntax", "--syntax", text, false, "toml or json; default: toml", kSyntaxes}};

using enum OperationId;
using enum Authority;

constexpr std::array kOperations{
    Operation{status,
              "",
              "status",
              auditor,
              false,
              "GET",
              "/status",
              "Say whether the gateway is enforcing, and what",
              {}},
    Operation{doctor,
              "",
              "doctor",
              auditor,
              false,
              "GET",
              "/doctor",
              "Look for what is wrong and say the command that mends it",
              {}},
    Operation{service_catalogue, "", "service-catalogue", auditor, false, "GET",
              "/service-catalogue",
              "Print ready resources for what a full tunnel breaks on the first day", kCatalogue},

    Operation{
        person_list, "person", "list", auditor, false, "GET", "/people", "List the people", {}},
    Operation{person_show, "person", "show", auditor, false, "GET", "/people/{id}",
              "Show one person", kShow},
    Operation{person_add, "person", "add", administrator, true, "POST", "/people", "Add a person",
              kPersonAdd},
    Operation{person_set, "person", "set", administrator, true, "PATCH", "/people/{id}",
              "Change a person", kPersonAdd},
    Operation{person_remove, "person", "remove", administrator, true, "DELETE", "/people/{id}",
              "Remove a person who has neither devices nor grants left", kRemove},
    Operation{person_offboard, "person", "offboard", administrator, true, "POST",
              "/people/{id}/offboard",
              "End a person: devices, grants, roles and live connections, in one step", kOffboard},

    Operation{device_list,
              "device",
              "list",
              auditor,
              false,
              "GET",
              "/devices",
              "List the devices with their last handshake",
              {}},
    Operation{device_show, "device", "show", auditor, false, "GET", "/devices/{id}",
              "Show one device", kShow},
    Operation{device_add, "device", "add", administrator, true, "POST", "/devices",
              "Add a device by its public key; prints its profile", kDeviceAdd},
    Operation{device_set, "device", "set", administrator, true, "PATCH", "/devices/{id}",
              "Change a device: --state blocked cuts it off now", kDeviceSet},
    Operation{device_remove, "device", "remove", administrator, true, "DELETE", "/devices/{id}",
              "Remove a device for good", kRemove},
    Operation{device_profile, "device", "profile", administrator, false, "GET",
              "/devices/{id}/profile",
              "Print a device's WireGuard profile, without its private key", kShow},
    Operation{device_token, "device", "token", administrator, true, "POST", "/devices/{id}/token",
              "Make the token with which a device may flag itself; it is shown once", kRemove},

    Operation{role_list, "role", "list", auditor, false, "GET", "/roles", "List the roles", {}},
    Operation{role_show, "role", "show", auditor, false, "GET", "/roles/{id}", "Show one role",
              kShow},
    Operation{role_add, "role", "add", administrator, true, "POST", "/roles", "Add a role",
              kRoleAdd},
    Operation{role_set, "role", "set", administrator, true, "PATCH", "/roles/{id}", "Change a role",
              kRoleAdd},
    Operation{role_remove, "role", "remove", administrator, true, "DELETE", "/roles/{id}",
              "Remove a role that nobody has", kRemove},

    Operation{resource_list,
              "resource",
              "list",
              auditor,
              false,
              "GET",
              "/resources",
              "List the resources",
              {}},
    Operation{resource_show, "resource", "show", auditor, false, "GET", "/resources/{id}",
              "Show one resource", kShow},
    Operation{resource_add, "resource", "add", administrator, true, "POST", "/resources",
              "Add a resource: what can be granted", kResourceAdd},
    Operation{resource_set, "resource", "set", administrator, true, "PATCH", "/resources/{id}",
              "Change a resource", kResourceAdd},
    Operation{resource_remove, "resource", "remove", administrator, true, "DELETE",
              "/resources/{id}", "Remove a resource that no grant names", kRemove},

    Operation{grant_list, "grant", "list", auditor, false, "GET", "/grants", "List the grants", {}},
    Operation{grant_show, "grant", "show", auditor, false, "GET", "/grants/{id}", "Show one grant",
              kShow},
    Operation{grant_add, "grant", "add", administrator, true, "POST", "/grants",
              "Let a person or a role reach a resource", kGrantAdd},
    Operation{grant_set, "grant", "set", administrator, true, "PATCH", "/grants/{id}",
              "Change a grant", kGrantSet},
    Operation{grant_remove, "grant", "remove", administrator, true, "DELETE", "/grants/{id}",
              "Withdraw a grant; flows that lose their right end now", kRemove},

    Operation{quota_show,
              "quota",
              "show",
              auditor,
              false,
              "GET",
              "/quota",
              "Show how many devices a person may have",
              {}},
    Operation{quota_set, "quota", "set", administrator, true, "PATCH", "/quota",
              "Set how many devices a person may have", kQuotaSet},

    Operation{response_show,
              "response",
              "show",
              auditor,
              false,
              "GET",
              "/response",
              "Show what happens when a device is flagged",
              {}},
    Operation{response_set, "response", "set", administrator, true, "PATCH", "/response",
              "Set what happens when a device is flagged", kResponseSet},

    Operation{quarantine_add, "quarantine", "add", administrator, true, "POST", "/quarantines",
              "Put a device, a person, a resource or everyone off the network, now",
              kQuarantineAdd},
    Operation{quarantine_list, "quarantine", "list", auditor, false, "GET", "/quarantines",
              "List what is quarantined", kQuarantineList},
    Operation{quarantine_show, "quarantine", "show", auditor, false, "GET", "/quarantines/{target}",
              "Show one quarantine", kQuarantineShow},
    Operation{quarantine_release, "quarantine", "release", officer, true, "POST",
              "/quarantines/{target}/release",
              "Let somebody back; where the policy says so, two people have to",
              kQuarantineRelease},
    Operation{quarantine_test,
              "quarantine",
              "test",
              administrator,
              true,
              "POST",
              "/quarantines/test",
              "A drill: cut off an address that nobody has, and say how long it took",
              {}},

    Operation{flag_add, "flag", "add", portal, true, "POST", "/flags",
              "Say that a device is compromised; the policy says what that does", kFlagAdd},
    Operation{flag_list, "flag", "list", auditor, false, "GET", "/flags",
              "List the flags, newest first", kHistory},
    Operation{flag_show, "flag", "show", auditor, false, "GET", "/flags/{flag}", "Show one flag",
              kFlagShow},
    Operation{flag_act, "flag", "act", administrator, true, "POST", "/flags/{flag}/act",
              "Quarantine what a flag is about, though nothing was done by itself", kFlagDecide},
    Operation{flag_dismiss, "flag", "dismiss", administrator, true, "POST", "/flags/{flag}/dismiss",
              "Say that a flag was nothing", kFlagDecide},
    Operation{notice_show, "notice", "show", portal, false, "GET", "/notices/{address}",
              "Say what the notice page shows to the device at an address", kNotice},

    Operation{policy_check, "policy", "check", auditor, false, "POST", "/policy/check",
              "Say every mistake in a policy document", kCheck},
    Operation{
        policy_diff, "policy", "diff", auditor, false, "POST", "/policy/diff",
        "Say what a policy document would change: who gains, who loses, which connections end",
        kCheck},
    Operation{policy_apply, "policy", "apply", administrator, true, "PUT", "/policy",
              "Make a policy document the policy in force", kApply},
    Operation{policy_rollback, "policy", "rollback", administrator, true, "POST",
              "/policy/rollback",
              "Return to an earlier revision; devices stay as they are, but for those of people it "
              "does not have",
              kRollback},
    Operation{policy_history, "policy", "history", auditor, false, "GET", "/policy/revisions",
              "List the revisions", kHistory},
    Operation{policy_can, "policy", "can", auditor, false, "GET", "/policy/can",
              "Would this pass, and why (exit code 7: no)", kCan},
    Operation{policy_explain, "policy", "explain", auditor, false, "GET", "/policy/explain",
              "Would this pass, and all that counts for it (exit code 7: no)", kCan},
    Operation{policy_matrix, "policy", "matrix", auditor, false, "GET", "/policy/matrix",
              "Show who may reach what by the policy, quarantine aside, up to 20000 pairs",
              kMatrix},
    Operation{policy_review,
              "policy",
              "review",
              auditor,
              false,
              "GET",
              "/policy/review",
              "Find grants that nobody would miss: duplicate, shadowed, useless",
              {}},
    Operation{policy_confirm,
              "policy",
              "confirm",
              administrator,
              true,
              "POST",
              "/policy/confirm",
              "Keep the policy that was applied with --confirm",
              {}},
    Operation{policy_export, "policy", "export", auditor, false, "GET", "/policy",
              "Print the policy document of a revision", kExport},
    Operation{policy_import, "policy", "import", administrator, true, "PATCH", "/policy",
              "Add the objects of a document to the policy; nothing existing is changed", kImport},

    Operation{audit_list, "audit", "list", auditor, false, "GET", "/operations",
              "List what was done, by whom, when", kHistory},
    Operation{audit_verify,
              "audit",
              "verify",
              auditor,
              false,
              "GET",
              "/operations/verify",
              "Check that no record of an operation was changed or removed",
              {}},

    Operation{notify_test,
              "notify",
              "test",
              administrator,
              true,
              "POST",
              "/notify/test",
              "Send a test notice by every mail address and webhook; status says what became of it",
              {}},
};

// Operation ids index the table.
static_assert([] {
  for (std::size_t i = 0; i < kOperations.size(); ++i) {
    if (static_cast<std::size_t>(kOperations[i].id) != i) return false;
  }
  return true;
}());

}  // namespace

std::string Operation::name() const {
  return group.empty() ? std::string(verb) : std::string(group) + "." + std::string(verb);
}

std::span<const Operation> operations() {
  return kOperations;
}

const Operation* find_operation(std::string_view name) {
  const auto found = std::ranges::find_if(
      kOperations, [&](const Operation& candidate) { return candidate.name() == name; });
  return found == kOperations.end() ? nullptr : &*found;
}

const Operation& operation(OperationId id) {
  return kOperations[static_cast<std::size_t>(id)];
}

bool may(Authority authority, const Operation& operation) {
  if (authority == auditor && operation.changes) return false;
  return authority >= operation.least && authority != nobody;
}

std::string_view to_string(Authority authority) {
  switch (authority) {
    case nobody:
      return "nobody";
    case portal:
      return "portal";
    case auditor:
      return "auditor";
    case administrator:
      return "administrator";
    case officer:
      return "officer";
  }
  return "nobody";
}

}  // namespace sekisho::control

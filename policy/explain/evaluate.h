#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/compile/tables.h"
#include "policy/model/hold.h"
#include "policy/model/validate.h"

// The reference: what the policy says of one flow, computed from the document alone, without atoms,
// cohorts or numbers. The compiled tables and the kernel must agree with it.
namespace sekisho {

enum class Verdict { refuse, permit };

// What the two sides send first, as far as a verdict depends on it.
enum class Opening { nothing, tls, ssh, quic, other };

struct Flow {
  IpAddress source;  // the inner source: a tunnel address
  IpAddress destination;
  Protocol protocol = Protocol::tcp;
  Port port;                           // destination; ignored for ICMP
  Opening opening = Opening::nothing;  // `nothing`: ask only whether the flow may begin
};

enum class Reason {
  unknown_device,  // no device has this source address
  device_blocked,
  person_suspended,
  person_expired,
  protocol_not_offered,   // neither TCP nor UDP: nothing can be granted
  no_resource,            // no resource covers the destination
  no_service,             // a resource does, none of the strictest classification offers this port
  no_grant,               // offered, but not granted to this person
  weaker_classification,  // granted on a resource here, but a stricter one covers the address too
  session_needed,         // granted, to who has signed in freshly; nobody can yet
  outside_hours,          // granted, at other hours of the week
  grant_not_begun,
  grant_ended,
  wrong_opening,  // granted, but the first bytes are not what the service asks for
  granted,
  gateway_service,  // the gateway's own DNS or notice page, open to every device in good standing
  quarantined,      // the device, its person or everybody is held
  resource_quarantined,  // nobody reaches what is here
  remediation,           // the device is isolated, and this is what helps it
};

struct Decision {
  Verdict verdict = Verdict::refuse;
  Reason reason = Reason::unknown_device;
  Check check = Check::none;  // what the flow must prove, where it may begin
  std::optional<PersonId> person = {};
  std::optional<DeviceId> device = {};
  std::optional<ResourceId> resource = {};
  std::optional<GrantId> grant =
      {};  // the deciding grant: of several open ones that which stays open longest
  std::optional<Time> until = {};  // permitted: the first second without; none: without end
};

Decision evaluate(const ValidPolicy& policy, const Flow& flow, Time now,
                  const Quarantined& quarantined = {});

// What a decision is made of, for who wants to see all of it.

// A resource at the flow's destination. Those of the strictest classification decide.
struct ResourceHere {
  ResourceId id;
  Classification classification = Classification::public_;
  std::optional<Check> check;  // nothing: it does not offer the flow's port
};
std::vector<ResourceHere> resources_here(const ValidPolicy& policy, const Flow& flow);

enum class GrantState { active, without_session, outside_hours, coming, ended };
GrantState state_of(const ValidPolicy& policy, const Grant& grant, Time now);
// The first second without it, of a grant that is active `now`; none: without end.
std::optional<Time> end_of(const ValidPolicy& policy, const Grant& grant, Time now);
bool lasts_longer(const ValidPolicy& policy, const GrantId& a, const GrantId& b, Time now);
// Whether it is to the person or to a role of theirs.
bool is_for(const Grant& grant, const PersonId& id, const Person& person);

std::string_view to_string(Reason reason);
// One sentence for a person: "tanaka may reach wiki (internal) by https: grant sales-wiki".
std::string explain(const ValidPolicy& policy, const Flow& flow, const Decision& decision);

}  // namespace sekisho

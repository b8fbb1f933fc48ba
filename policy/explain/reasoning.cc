#include "policy/explain/reasoning.h"

#include <fmt/format.h>

#include <algorithm>

namespace sekisho {
namespace {

std::string check_named(Check check) {
  switch (check) {
    case Check::none:
      return "as an exception, whatever is spoken";
    case Check::tls:
      return "for TLS";
    case Check::ssh:
      return "for SSH";
    case Check::quic:
      return "for QUIC";
  }
  return "";
}

std::string finding_of(const ResourceHere& resource, Classification strictest) {
  const std::string covers =
      "(" + std::string(to_string(resource.classification)) + ") covers the destination";
  if (resource.classification != strictest) return covers + "; a stricter one decides";
  return covers + (resource.check ? " and offers the port " + check_named(*resource.check)
                                  : " and does not offer the port");
}

std::string finding_of(const ValidPolicy& policy, const Grant& grant, bool decides, Time at) {
  const std::string on = "on " + grant.resource.str() + " to " + to_string(grant.who) + ": ";
  const auto hours = [&] { return grant.conditions.hours->to_string(); };
  switch (state_of(policy, grant, at)) {
    case GrantState::ended:
      return on + "ended at " + to_string(*grant.until);
    case GrantState::coming:
      return on + "begins at " + to_string(*grant.from);
    case GrantState::outside_hours:
      return on + "open at other hours only, " + hours();
    case GrantState::without_session:
      return on + "asks for a sign-in within " + to_string(*grant.conditions.session);
    case GrantState::active:
      break;
  }
  std::string text = on + "open";
  if (grant.until) text += " until " + to_string(*grant.until);
  if (grant.conditions.hours) text += ", " + hours();
  return decides ? text : text + "; a stricter resource decides here";
}

void tell_standing(const Policy& policy, const DeviceId& id, std::vector<Step>& steps) {
  const Device& device = policy.devices.at(id);
  const Person& person = policy.people.at(device.person);
  steps.push_back({"device." + id.str(),
                   "is " + device.person.str() + "'s, " + std::string(to_string(device.state))});
  std::string standing = "is " + std::string(to_string(person.state));
  if (person.valid_until) standing += ", valid until " + to_string(*person.valid_until);
  std::string roles;
  for (const RoleId& role : person.roles) roles += (roles.empty() ? "" : ", ") + role.str();
  if (!roles.empty()) standing += ", roles: " + roles;
  steps.push_back({"person." + device.person.str(), standing});
}

void tell_hold(Hold hold, const DeviceId& id, std::vector<Step>& steps) {
  if (hold == Hold::none) return;
  steps.push_back(
      {"device." + id.str(), hold == Hold::isolate
                                 ? "is isolated: the gateway's own services and remediation alone"
                                 : "is cut off: nothing, and no tunnel"});
}

}  // namespace

std::vector<Step> reasoning(const ValidPolicy& valid, const Flow& flow, Time at,
                            const Quarantined& quarantined) {
  const Policy& policy = valid.policy();
  std::vector<Step> steps;
  const Decision decision = evaluate(valid, flow, at, quarantined);
  if (!decision.device) return steps;
  tell_standing(policy, *decision.device, steps);
  tell_hold(quarantined.on(*decision.device, policy.devices.at(*decision.device)), *decision.device,
            steps);
  if (decision.reason == Reason::gateway_service) return steps;

  std::vector<ResourceHere> here = resources_here(valid, flow);
  if (here.empty()) return steps;
  std::ranges::stable_sort(here, std::ranges::greater{}, &ResourceHere::classification);
  const Classification strictest = here.front().classification;
  for (const ResourceHere& resource : here) {
    steps.push_back({"resource." + resource.id.str(), finding_of(resource, strictest)});
  }
  const Person& person = policy.people.at(*decision.person);
  for (const ResourceHere& resource : here) {
    if (!resource.check) continue;
    for (const auto& [id, grant] : policy.grants) {
      if (grant.resource != resource.id || !is_for(grant, *decision.person, person)) continue;
      const bool decides = resource.classification == strictest;
      steps.push_back({"grant." + id.str(), finding_of(valid, grant, decides, at)});
    }
  }
  return steps;
}

std::vector<std::string> elements_of(const Tables& tables, const Flow& flow) {
  std::vector<std::string> lines;
  const int family = flow.source.family() == Family::v4 ? 4 : 6;
  const auto cohort = tables.cohorts.find(flow.source);
  if (cohort == tables.cohorts.end()) return lines;
  const std::uint16_t number = cohort->second.cohort.value();
  lines.push_back(fmt::format("cohort{}: {} : {:#010x}", family, flow.source.to_string(), number));
  const auto atom = std::ranges::find_if(tables.atoms, [&](const auto& entry) {
    const auto& [where, mark] = entry;
    return where.protocol == flow.protocol && where.ports.contains(flow.port) &&
           where.addresses.contains(flow.destination);
  });
  if (atom == tables.atoms.end()) return lines;
  const auto& [where, mark] = *atom;
  lines.push_back(fmt::format("atoms{}: {}-{} . {} . {} : {:#010x}", family,
                              where.addresses.first.to_string(), where.addresses.last.to_string(),
                              flow.protocol == Protocol::tcp ? "tcp" : "udp",
                              where.ports.to_string(), mark.opening()));
  const bool granted = tables.grants.contains({cohort->second.cohort, mark});
  lines.push_back(fmt::format("grants: {:#010x} . {:#010x} {}", number, mark.verified(),
                              granted ? "is there" : "is not there"));
  return lines;
}

}  // namespace sekisho

#include "policy/explain/evaluate.h"

#include <algorithm>
#include <vector>

#include "policy/compile/internet.h"

// Written to be read against the rule book, not to be fast: every question is a loop over the
// document.
namespace sekisho {
namespace {

bool in_any(std::span<const Prefix> prefixes, const IpAddress& address) {
  return std::ranges::any_of(prefixes,
                             [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool is_gateway(const Network& network, const IpAddress& address) {
  return std::ranges::count(network.gateway_addresses(), address) > 0;
}

bool is_gateway_service(const Network& network, const Flow& flow) {
  return is_gateway(network, flow.destination) &&
         std::ranges::any_of(kGatewayServices, [&](const GatewayService& service) {
           return service.protocol == flow.protocol && service.port == flow.port;
         });
}

bool never_reachable(const Network& network, const IpAddress& address) {
  return is_gateway(network, address) || in_any(never_destinations(), address);
}

// A pool address belongs only to resources that name it or a part of the pool on purpose.
bool covers(const Resource& resource, const Network& network, const IpAddress& address) {
  return std::ranges::any_of(resource.prefixes, [&](const Prefix& prefix) {
    return prefix.contains(address) && std::ranges::none_of(network.pools, [&](const Prefix& pool) {
             return pool.contains(address) && !pool.contains(prefix);
           });
  });
}

bool is_globally_reachable(const IpAddress& address) {
  const SpecialUse* deciding = nullptr;
  for (const SpecialUse& row : special_use_registry()) {
    if (!row.prefix.contains(address)) continue;
    if (deciding == nullptr || deciding->prefix.length() < row.prefix.length()) deciding = &row;
  }
  return in_any(unicast_space(), address) && (deciding == nullptr || deciding->globally_reachable);
}

bool is_internet(const Policy& policy, const Network& network, const IpAddress& address) {
  for (const auto& [id, resource] : policy.resources) {
    if (in_any(resource.prefixes, address)) return false;
  }
  return !in_any(network.pools, address) &&
         (in_any(network.public_prefixes, address) || is_globally_reachable(address));
}

std::optional<Check> offered(const std::vector<Service>& services, const Flow& flow) {
  for (const Service& service : services) {
    if (service.protocol() == flow.protocol && service.ports.contains(flow.port)) {
      return check_of(service.kind);
    }
  }
  return std::nullopt;
}

bool within_hours(const ValidPolicy& valid, const Grant& grant, Time now) {
  const auto& hours = grant.conditions.hours;
  return !hours || is_open(*hours, valid.zones().at(hours->zone), now);
}

bool fits(Opening opening, Check check) {
  if (opening == Opening::nothing) return true;
  switch (check) {
    case Check::none:
      return true;
    case Check::tls:
      return opening == Opening::tls;
    case Check::ssh:
      return opening == Opening::ssh;
    case Check::quic:
      return opening == Opening::quic;
  }
  return false;
}

// What the grants of one person say of some resources.
struct Granted {
  std::optional<GrantId> active, without_session, closed, coming, ended;
};

Granted grants_on(const ValidPolicy& valid, const PersonId& id,
                  const std::vector<ResourceHere>& resources, Time now) {
  const Person& person = valid.policy().people.at(id);
  Granted result;
  for (const auto& [grant_id, grant] : valid.policy().grants) {
    if (std::ranges::count(resources, grant.resource, &ResourceHere::id) == 0) continue;
    if (!is_for(grant, id, person)) continue;
    switch (state_of(valid, grant, now)) {
      case GrantState::ended:
        result.ended = grant_id;
        break;
      case GrantState::coming:
        result.coming = grant_id;
        break;
      case GrantState::outside_hours:
        result.closed = grant_id;
        break;
      case GrantState::without_session:
        result.without_session = grant_id;
        break;
      case GrantState::active:
        if (!result.active || lasts_longer(valid, grant_id, *result.active, now))
          result.active = grant_id;
        break;
    }
  }
  return result;
}

Decision decide(Decision decision, Verdict verdict, Reason reason,
                const std::optional<ResourceId>& resource = {},
                const std::optional<GrantId>& grant = {}) {
  decision.verdict = verdict;
  decision.reason = reason;
  decision.resource = resource;
  decision.grant = grant;
  return decision;
}

// Some resource of the strictest classification offers the port: has the person a grant on one?
Decision by_grants(const ValidPolicy& valid, const Flow& flow, Time now, Decision decision,
                   const std::vector<ResourceHere>& strictest,
                   const std::vector<ResourceHere>& weaker) {
  const Policy& policy = valid.policy();
  const Granted granted = grants_on(valid, *decision.person, strictest, now);
  if (granted.active) {
    decision.check = *strictest.front().check;
    decision.until = earlier(end_of(valid, policy.grants.at(*granted.active), now),
                             policy.people.at(*decision.person).valid_until);
    const bool right = fits(flow.opening, decision.check);
    return decide(decision, right ? Verdict::permit : Verdict::refuse,
                  right ? Reason::granted : Reason::wrong_opening,
                  policy.grants.at(*granted.active).resource, granted.active);
  }
  // The one that is nearest to open says why it is not.
  const auto refuse = [&](Reason reason, const std::optional<GrantId>& grant) {
    return decide(decision, Verdict::refuse, reason, policy.grants.at(*grant).resource, grant);
  };
  if (granted.without_session) return refuse(Reason::session_needed, granted.without_session);
  if (granted.closed) return refuse(Reason::outside_hours, granted.closed);
  if (granted.coming) return refuse(Reason::grant_not_begun, granted.coming);
  if (granted.ended) return refuse(Reason::grant_ended, granted.ended);
  if (const auto elsewhere = grants_on(valid, *decision.person, weaker, now).active) {
    return decide(decision, Verdict::refuse, Reason::weaker_classification, strictest.front().id,
                  elsewhere);
  }
  return decide(decision, Verdict::refuse, Reason::no_grant, strictest.front().id);
}

// What quarantine leaves an isolated device.
Decision by_remediation(const ValidPolicy& valid, const Flow& flow, const Decision& held,
                        const std::vector<ResourceHere>& strictest) {
  Decision decision = held;
  for (const ResourceHere& resource : strictest) {
    if (std::ranges::count(valid.policy().response.remediation, resource.id) == 0) continue;
    decision.check = *resource.check;
    decision.until = valid.policy().people.at(*decision.person).valid_until;
    const bool right = fits(flow.opening, decision.check);
    return decide(decision, right ? Verdict::permit : Verdict::refuse,
                  right ? Reason::remediation : Reason::wrong_opening, resource.id);
  }
  return decide(decision, Verdict::refuse, Reason::quarantined);
}

Decision by_destination(const ValidPolicy& valid, const Flow& flow, Time now,
                        const Decision& decision, const Quarantined& quarantined, Hold hold) {
  const std::vector<ResourceHere> here = resources_here(valid, flow);
  if (here.empty()) return decide(decision, Verdict::refuse, Reason::no_resource);
  const Classification strictest_here =
      std::ranges::max_element(here, {}, &ResourceHere::classification)->classification;
  std::vector<ResourceHere> strictest;
  std::vector<ResourceHere> weaker;
  std::optional<ResourceId> without_service;
  for (const ResourceHere& resource : here) {
    const bool decides = resource.classification == strictest_here;
    if (resource.check) (decides ? strictest : weaker).push_back(resource);
    if (!resource.check && decides && !without_service) without_service = resource.id;
  }
  if (quarantined.closes(flow.destination, flow.protocol, flow.port)) {
    return decide(decision, Verdict::refuse, Reason::resource_quarantined, here.front().id);
  }
  if (strictest.empty()) {
    return decide(decision, Verdict::refuse, Reason::no_service, without_service);
  }
  if (hold == Hold::isolate) return by_remediation(valid, flow, decision, strictest);
  return by_grants(valid, flow, now, decision, strictest, weaker);
}

}  // namespace

std::vector<ResourceHere> resources_here(const ValidPolicy& valid, const Flow& flow) {
  const Policy& policy = valid.policy();
  const Network& network = valid.network();
  if (never_reachable(network, flow.destination)) return {};
  std::vector<ResourceHere> found;
  const bool internet = is_internet(policy, network, flow.destination);
  for (const auto& [id, resource] : policy.resources) {
    if (resource.internet ? internet : covers(resource, network, flow.destination)) {
      found.push_back({id, resource.classification, offered(resource.services, flow)});
    }
  }
  if (internet) {
    found.push_back({kInternet, Classification::public_, offered(internet_services(policy), flow)});
  }
  return found;
}

bool is_for(const Grant& grant, const PersonId& id, const Person& person) {
  if (const auto* to_person = std::get_if<PersonId>(&grant.who)) return *to_person == id;
  return std::ranges::count(person.roles, std::get<RoleId>(grant.who)) > 0;
}

GrantState state_of(const ValidPolicy& valid, const Grant& grant, Time now) {
  if (grant.until && *grant.until <= now) return GrantState::ended;
  if (grant.from && now < *grant.from) return GrantState::coming;
  if (!within_hours(valid, grant, now)) return GrantState::outside_hours;
  return grant.conditions.session ? GrantState::without_session : GrantState::active;
}

std::optional<Time> end_of(const ValidPolicy& valid, const Grant& grant, Time now) {
  const auto& hours = grant.conditions.hours;
  if (!hours) return grant.until;
  return earlier(grant.until, open_periods(*hours, valid.zones().at(hours->zone), now).front().end);
}

bool lasts_longer(const ValidPolicy& valid, const GrantId& a, const GrantId& b, Time now) {
  const auto end_a = end_of(valid, valid.policy().grants.at(a), now);
  const auto end_b = end_of(valid, valid.policy().grants.at(b), now);
  return end_b && (!end_a || *end_a > *end_b);
}

Decision evaluate(const ValidPolicy& valid, const Flow& flow, Time now,
                  const Quarantined& quarantined) {
  const Policy& policy = valid.policy();
  Decision decision;
  const auto device = std::ranges::find_if(policy.devices, [&](const auto& entry) {
    return std::ranges::count(entry.second.addresses, flow.source) > 0;
  });
  if (device == policy.devices.end()) return decision;
  decision.device = device->first;
  decision.person = device->second.person;
  const Person& person = policy.people.at(device->second.person);

  const auto refuse = [&](Reason reason) { return decide(decision, Verdict::refuse, reason); };
  if (device->second.state != DeviceState::active) return refuse(Reason::device_blocked);
  if (person.state != PersonState::active) return refuse(Reason::person_suspended);
  if (person.valid_until && *person.valid_until <= now) return refuse(Reason::person_expired);
  const Hold hold = quarantined.on(device->first, device->second);
  if (hold == Hold::cut) return refuse(Reason::quarantined);
  if (flow.protocol != Protocol::tcp && flow.protocol != Protocol::udp) {
    return refuse(Reason::protocol_not_offered);
  }
  if (is_gateway_service(valid.network(), flow)) {
    decision.until = person.valid_until;
    return decide(decision, Verdict::permit, Reason::gateway_service);
  }
  return by_destination(valid, flow, now, decision, quarantined, hold);
}

}  // namespace sekisho

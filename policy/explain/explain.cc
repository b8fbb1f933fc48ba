#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "policy/explain/evaluate.h"

namespace sekisho {
namespace {

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::icmp:
      return "ICMP";
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::icmpv6:
      return "ICMPv6";
  }
  assert(false);
  return {};
}

std::string_view first_bytes(Check check) {
  switch (check) {
    case Check::none:
      return "anything";
    case Check::tls:
      return "a TLS handshake";
    case Check::ssh:
      return "an SSH greeting";
    case Check::quic:
      return "a QUIC long header";
  }
  assert(false);
  return {};
}

// "wiki (internal)"
std::string named(const Policy& policy, const ResourceId& id) {
  const auto resource = policy.resources.find(id);
  const Classification classification = resource != policy.resources.end()
                                            ? resource->second.classification
                                            : Classification::public_;
  return fmt::format("{} ({})", id.str(), to_string(classification));
}

// "TCP 443"
std::string port_of(const Flow& flow) {
  return fmt::format("{} {}", protocol_name(flow.protocol), flow.port.value());
}

// "https"
std::string service_of(const Policy& policy, const ResourceId& id, const Flow& flow) {
  const auto services =
      id == kInternet ? internet_services(policy) : policy.resources.at(id).services;
  const auto service = std::ranges::find_if(services, [&](const Service& candidate) {
    return candidate.protocol() == flow.protocol && candidate.ports.contains(flow.port);
  });
  return service != services.end() ? service->name() : port_of(flow);
}

// What one sentence needs; only those that a reason has are asked for.
class Words {
 public:
  Words(const Policy& policy, const Flow& flow, const Decision& decision)
      : policy_(policy), flow_(flow), decision_(decision) {}

  std::string person() const { return decision_.person->str(); }
  std::string device() const { return decision_.device->str(); }
  std::string resource() const { return named(policy_, *decision_.resource); }
  std::string service() const { return service_of(policy_, *decision_.resource, flow_); }
  std::string grant_id() const { return decision_.grant->str(); }
  const Grant& grant() const { return policy_.grants.at(*decision_.grant); }
  std::string granted_resource() const { return named(policy_, grant().resource); }
  std::string target() const { return flow_.destination.to_string(); }
  std::string until() const {
    return grant().until ? " until " + to_string(*grant().until) : std::string{};
  }
  // ", mon-fri 09:00-18:00, Asia/Tokyo"
  std::string hours() const {
    const auto& hours = grant().conditions.hours;
    return hours ? ", " + hours->to_string() : std::string{};
  }

 private:
  const Policy& policy_;
  const Flow& flow_;
  const Decision& decision_;
};

}  // namespace

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::unknown_device:
      return "unknown_device";
    case Reason::device_blocked:
      return "device_blocked";
    case Reason::person_suspended:
      return "person_suspended";
    case Reason::person_expired:
      return "person_expired";
    case Reason::protocol_not_offered:
      return "protocol_not_offered";
    case Reason::no_resource:
      return "no_resource";
    case Reason::no_service:
      return "no_service";
    case Reason::no_grant:
      return "no_grant";
    case Reason::weaker_classification:
      return "weaker_classification";
    case Reason::session_needed:
      return "session_needed";
    case Reason::outside_hours:
      return "outside_hours";
    case Reason::grant_not_begun:
      return "grant_not_begun";
    case Reason::grant_ended:
      return "grant_ended";
    case Reason::wrong_opening:
      return "wrong_opening";
    case Reason::granted:
      return "granted";
    case Reason::gateway_service:
      return "gateway_service";
    case Reason::quarantined:
      return "quarantined";
    case Reason::resource_quarantined:
      return "resource_quarantined";
    case Reason::remediation:
      return "remediation";
  }
  assert(false);
  return {};
}

std::string explain(const ValidPolicy& policy, const Flow& flow, const Decision& decision) {
  const Words say(policy.policy(), flow, decision);
  switch (decision.reason) {
    case Reason::unknown_device:
      return fmt::format("no device has the address {}", flow.source.to_string());
    case Reason::device_blocked:
      return fmt::format("the device {} of {} is blocked", say.device(), say.person());
    case Reason::person_suspended:
      return fmt::format("{} is suspended", say.person());
    case Reason::person_expired:
      return fmt::format("{} was valid until {}", say.person(),
                         to_string(*policy.policy().people.at(*decision.person).valid_until));
    case Reason::protocol_not_offered:
      return fmt::format("{} cannot be granted: only TCP and UDP can",
                         protocol_name(flow.protocol));
    case Reason::no_resource:
      return fmt::format("no resource covers {}", say.target());
    case Reason::no_service:
      return fmt::format("{} covers {} and does not offer {}", say.resource(), say.target(),
                         port_of(flow));
    case Reason::no_grant:
      return fmt::format("{} has no grant on {}, which covers {}", say.person(), say.resource(),
                         say.target());
    case Reason::weaker_classification:
      return fmt::format(
          "grant {} on {} does not open {}: {} covers it too, and {} has no grant on that",
          say.grant_id(), say.granted_resource(), say.target(), say.resource(), say.person());
    case Reason::session_needed:
      return fmt::format(
          "grant {} on {} asks for a sign-in within {}, and nobody can sign in yet: it opens "
          "nothing",
          say.grant_id(), say.resource(), to_string(*say.grant().conditions.session));
    case Reason::outside_hours:
      return fmt::format("grant {} on {} is open at other hours only{}", say.grant_id(),
                         say.resource(), say.hours());
    case Reason::grant_not_begun:
      return fmt::format("grant {} on {} begins at {}", say.grant_id(), say.resource(),
                         to_string(*say.grant().from));
    case Reason::grant_ended:
      return fmt::format("grant {} on {} ended at {}", say.grant_id(), say.resource(),
                         to_string(*say.grant().until));
    case Reason::wrong_opening:
      return fmt::format("{} may reach {} by {}, but the flow does not begin with {}", say.person(),
                         say.resource(), say.service(), first_bytes(decision.check));
    case Reason::granted:
      return fmt::format("{} may reach {} by {}: grant {}{}{}", say.person(), say.resource(),
                         say.service(), say.grant_id(), say.until(), say.hours());
    case Reason::gateway_service:
      return fmt::format("{} may use the gateway's own {}, as every device in good standing may",
                         say.device(), flow.port == kNameService ? "name service" : "notice page");
    case Reason::quarantined:
      return fmt::format("{} of {} is quarantined", say.device(), say.person());
    case Reason::resource_quarantined:
      return fmt::format("{} is quarantined: nobody reaches it", say.resource());
    case Reason::remediation:
      return fmt::format("{} is isolated, and may reach {} by {} to be put right", say.device(),
                         say.resource(), say.service());
  }
  assert(false);
  return {};
}

}  // namespace sekisho

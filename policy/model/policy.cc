#include "policy/model/policy.h"

#include <cassert>

#include "policy/base/text.h"

namespace sekisho {
namespace {

constexpr PortRange kHttpsPort = PortRange::single(443);
constexpr PortRange kSshPort = PortRange::single(22);

std::string_view to_string(ServiceKind kind) {
  switch (kind) {
    case ServiceKind::tls:
      return "tls";
    case ServiceKind::ssh:
      return "ssh";
    case ServiceKind::quic:
      return "quic";
    case ServiceKind::tcp:
      return "tcp";
    case ServiceKind::udp:
      return "udp";
  }
  assert(false);
  return {};
}

}  // namespace

std::string Service::name() const {
  if (kind == ServiceKind::tls && ports == kHttpsPort) return "https";
  if (kind == ServiceKind::ssh && ports == kSshPort) return "ssh";
  if (kind == ServiceKind::quic) return "quic";
  return std::string(to_string(kind)) + ":" + ports.to_string();
}

Result<Service> Service::parse(std::string_view name) {
  if (name == "https") return Service{ServiceKind::tls, kHttpsPort};
  if (name == "ssh") return Service{ServiceKind::ssh, kSshPort};
  if (name == "quic") return Service{ServiceKind::quic, kHttpsPort};
  const std::size_t colon = name.find(':');
  for (const auto kind : {ServiceKind::tls, ServiceKind::ssh, ServiceKind::tcp, ServiceKind::udp}) {
    if (colon == std::string_view::npos || name.substr(0, colon) != to_string(kind)) continue;
    const auto ports = PortRange::parse(name.substr(colon + 1));
    if (!ports) return std::unexpected(ports.error());
    return Service{kind, *ports};
  }
  return fail(ErrorCode::invalid, "service", quote(name) + " is not a service",
              "write https, ssh, quic, tls:PORT, ssh:PORT, tcp:PORT or udp:PORT");
}

std::vector<Service> internet_services(const Policy& policy) {
  const auto listed = policy.resources.find(kInternet);
  if (listed != policy.resources.end()) return listed->second.services;
  return {Service{.kind = ServiceKind::tls, .ports = PortRange::single(443)},
          Service{.kind = ServiceKind::ssh, .ports = PortRange::single(22)}};
}

std::string_view to_string(PersonState state) {
  switch (state) {
    case PersonState::suspended:
      return "suspended";
    case PersonState::active:
      return "active";
  }
  assert(false);
  return {};
}

std::string_view to_string(PersonKind kind) {
  switch (kind) {
    case PersonKind::partner:
      return "partner";
    case PersonKind::contractor:
      return "contractor";
    case PersonKind::part_timer:
      return "part_timer";
    case PersonKind::employee:
      return "employee";
    case PersonKind::owner:
      return "owner";
  }
  assert(false);
  return {};
}

std::string_view to_string(DeviceState state) {
  switch (state) {
    case DeviceState::blocked:
      return "blocked";
    case DeviceState::active:
      return "active";
  }
  assert(false);
  return {};
}

std::string_view to_string(Classification classification) {
  switch (classification) {
    case Classification::public_:
      return "public";
    case Classification::internal:
      return "internal";
    case Classification::confidential:
      return "confidential";
  }
  assert(false);
  return {};
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::low:
      return "low";
    case Severity::medium:
      return "medium";
    case Severity::high:
      return "high";
    case Severity::critical:
      return "critical";
  }
  assert(false);
  return {};
}

std::string_view to_string(Reaction reaction) {
  switch (reaction) {
    case Reaction::isolate:
      return "isolate";
    case Reaction::cut:
      return "cut";
    case Reaction::record:
      return "record";
  }
  assert(false);
  return {};
}

std::string to_string(const Who& who) {
  if (const auto* person = std::get_if<PersonId>(&who)) return "person:" + person->str();
  return "role:" + std::get<RoleId>(who).str();
}

std::string to_string(std::chrono::minutes duration) {
  constexpr std::chrono::minutes kHour{60};
  if (duration.count() != 0 && duration % kHour == std::chrono::minutes(0)) {
    return std::to_string(duration / kHour) + "h";
  }
  return std::to_string(duration.count()) + "m";
}

}  // namespace sekisho

#include <algorithm>

#include "policy/model/checks.h"
#include "policy/model/validate.h"
#include "policy/model/values.h"

namespace sekisho {
namespace {

void check_internet(const std::string& path, const Resource& internet, Findings& findings) {
  if (!internet.prefixes.empty()) {
    findings.add(member_path(path, "prefixes"),
                 "the internet is built in: what it covers follows from the other resources",
                 "take the prefixes out, or choose another name for this resource");
  }
  if (internet.internet) {
    findings.add(member_path(path, "internet"), "the internet is built in", "take this out");
  }
}

// A resource of its own on the addresses of the internet.
void check_on_internet(const std::string& path, const Resource& resource, Findings& findings) {
  if (resource.prefixes.empty()) return;
  findings.add(member_path(path, "prefixes"),
               "a resource on the internet is wherever the internet is",
               "take the prefixes out, or internet = true");
}

void check_public(const std::string& path, const Resource& resource, Findings& findings) {
  if (resource.classification == Classification::public_) return;
  findings.add(member_path(path, "classification"), "the internet is public",
               "write classification = \"public\"");
}

void check_prefixes(const std::string& path, const Resource& resource, Findings& findings) {
  const std::string prefixes = member_path(path, "prefixes");
  if (resource.prefixes.empty()) {
    findings.add(prefixes, "a resource without addresses is reached by nobody",
                 "list its networks, write internet = true, or take the resource out");
  }
  if (resource.prefixes.size() > kMaxPrefixesOfResource) {
    findings.add(prefixes, std::to_string(resource.prefixes.size()) + " of them",
                 "at most " + std::to_string(kMaxPrefixesOfResource) + " are allowed");
  }
  for (const Prefix& prefix : resource.prefixes) {
    if (const auto why = unroutable(prefix); !why.empty()) {
      findings.add(element_path(prefixes, prefix.to_string()), "lies in " + std::string(why),
                   "take it out: nothing there can be reached through the gateway");
    }
  }
}

void check_service(const std::string& path, const Service& service, Findings& findings) {
  const bool sound = service.ports.first != Port() && service.ports.first <= service.ports.last &&
                     (service.kind != ServiceKind::quic || service.ports == PortRange::single(443));
  if (!sound) findings.add(path, "has impossible ports");
  const std::string reason = member_path(path, "reason");
  if (!service.is_exception()) {
    if (service.reason.empty()) return;
    findings.add(reason, "only exceptions (tcp:PORT, udp:PORT) carry a reason",
                 "write \"" + service.name() + "\" alone");
  } else if (service.reason.empty()) {
    findings.add(reason, "an exception must say why it is made",
                 "write { service = \"" + service.name() + "\", reason = \"...\" }");
  } else if (auto checked = check_text(service.reason); !checked) {
    findings.add(reason, checked.error().cause, checked.error().advice);
  }
}

void check_services(const std::string& path, const Resource& resource, Findings& findings) {
  const std::string services = member_path(path, "services");
  if (resource.services.empty()) {
    findings.add(services, "a resource without services is reached by nobody",
                 "list them, such as [\"https\", \"ssh\"], or take the resource out");
  }
  if (resource.services.size() > kMaxServicesOfResource) {
    findings.add(services, std::to_string(resource.services.size()) + " of them",
                 "at most " + std::to_string(kMaxServicesOfResource) + " are allowed");
  }
  std::vector<const Service*> by_port;
  for (const Service& service : resource.services) {
    check_service(element_path(services, service.name()), service, findings);
    by_port.push_back(&service);
  }
  std::ranges::sort(by_port, {}, [](const Service* service) {
    return std::pair(service->protocol(), service->ports);
  });
  // The one so far that reaches farthest; whoever begins before its end shares a port with it.
  const Service* farthest = nullptr;
  for (const Service* service : by_port) {
    const bool same = farthest != nullptr && farthest->protocol() == service->protocol();
    if (same && farthest->ports.overlaps(service->ports)) {
      findings.add(element_path(services, service->name()),
                   "covers a port that " + quote(farthest->name()) + " covers too",
                   "a port of a resource has one service: keep one of the two");
    }
    if (!same || farthest->ports.last < service->ports.last) farthest = service;
  }
}

}  // namespace

void check_resources(const Policy& policy, Findings& findings) {
  for (const auto& [id, resource] : policy.resources) {
    const std::string path = member_path("resource", id.str());
    if (id == kInternet) {
      check_internet(path, resource, findings);
      check_public(path, resource, findings);
    } else if (resource.internet) {
      check_on_internet(path, resource, findings);
      check_public(path, resource, findings);
    } else {
      check_prefixes(path, resource, findings);
    }
    check_services(path, resource, findings);
  }
}

}  // namespace sekisho

#include "tests/model/random_flow.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace sekisho::model {
namespace {

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

// Outside all resources, public and not, and where nothing may ever be sent.
const std::vector<IpAddress>& landmarks() {
  static const std::vector<IpAddress> all{
      address("8.8.8.8"),          address("203.0.113.5"),  address("198.51.100.200"),
      address("192.0.0.9"),        address("192.0.0.8"),    address("100.64.1.1"),
      address("172.20.1.1"),       address("127.0.0.1"),    address("169.254.169.254"),
      address("224.0.0.251"),      address("240.0.0.1"),    address("255.255.255.255"),
      address("0.0.0.0"),          address("2606:4700::1"), address("2001:db8:2f::1"),
      address("2001:db8:f::1"),    address("2002::1"),      address("2001:20::1"),
      address("64:ff9b::1"),       address("fd99::1"),      address("::1"),
      address("fe80::1"),          address("ff02::1"),      address("::ffff:8.8.8.8"),
      address("::ffff:10.20.30.7")};
  return all;
}

IpAddress inside(Random& random, const Prefix& prefix) {
  std::array<std::uint8_t, 16> bytes{};
  const AddressRange range = prefix.range();
  const auto first = range.first.bytes();
  const auto last = range.last.bytes();
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto free = static_cast<std::uint8_t>(first[i] ^ last[i]);
    bytes[i] = static_cast<std::uint8_t>(first[i] | (random.below(256) & free));
  }
  return IpAddress::from_bytes({bytes.data(), first.size()});
}

IpAddress around(Random& random, const Prefix& prefix) {
  const AddressRange range = prefix.range();
  switch (random.below(6)) {
    case 0:
      return range.first;
    case 1:
      return range.last;
    case 2:
      return range.first.previous().value_or(range.first);
    case 3:
      return range.last.next().value_or(range.last);
    default:
      return inside(random, prefix);
  }
}

IpAddress random_source(Random& random, const ValidPolicy& policy, PersonId& person) {
  if (random.percent(95)) {
    const auto device = random.pick_from(policy.policy().devices);
    person = device->second.person;
    return random.pick(device->second.addresses);
  }
  return random.percent(70) ? inside(random, random.pick(policy.network().pools))
                            : random.pick(landmarks());
}

// What the person was ever granted, at any time; any resource where there is nothing.
ResourceId granted_resource(Random& random, const Policy& policy, const PersonId& person) {
  std::vector<ResourceId> candidates;
  for (const auto& [id, grant] : policy.grants) {
    const auto* role = std::get_if<RoleId>(&grant.who);
    const auto known = policy.people.find(person);
    const bool fits = role == nullptr ? std::get<PersonId>(grant.who) == person
                                      : known != policy.people.end() &&
                                            std::ranges::count(known->second.roles, *role) > 0;
    if (fits) candidates.push_back(grant.resource);
  }
  if (!candidates.empty()) return random.pick(candidates);
  return random.pick_from(policy.resources)->first;
}

void aim_port(Random& random, const std::vector<Service>& services, Flow& flow) {
  static const std::vector<Port> others{Port(22), Port(25),  Port(53),
                                        Port(80), Port(443), Port(8443)};
  if (services.empty() || random.percent(8)) {
    flow.port = random.pick(others);
    flow.protocol = random.percent(70) ? Protocol::tcp : Protocol::udp;
    return;
  }
  const Service& service = random.pick(services);
  flow.protocol = service.protocol();
  const PortRange& ports = service.ports;
  auto port = static_cast<int>(random.between(ports.first.value(), ports.last.value()));
  if (random.percent(30)) port = random.percent(50) ? ports.first.value() : ports.last.value();
  if (random.percent(8)) port += random.percent(50) ? 1 : -1;
  flow.port = Port(static_cast<std::uint16_t>(port));
  if (random.percent(5)) {
    flow.protocol = flow.protocol == Protocol::tcp ? Protocol::udp : Protocol::tcp;
  }
  static const std::vector<Opening> openings{Opening::tls, Opening::ssh, Opening::quic,
                                             Opening::other};
  if (random.percent(45)) return;
  if (random.percent(35)) {
    flow.opening = random.pick(openings);
    return;
  }
  switch (service.kind) {
    case ServiceKind::tls:
      flow.opening = Opening::tls;
      break;
    case ServiceKind::ssh:
      flow.opening = Opening::ssh;
      break;
    case ServiceKind::quic:
      flow.opening = Opening::quic;
      break;
    case ServiceKind::tcp:
    case ServiceKind::udp:
      flow.opening = Opening::other;
      break;
  }
}

void aim_at_resource(Random& random, const Policy& policy, const ResourceId& id, Flow& flow) {
  if (id == kInternet) {
    flow.destination = random.pick(landmarks());
    aim_port(random, internet_services(policy), flow);
    return;
  }
  const Resource& resource = policy.resources.at(id);
  if (resource.internet) {
    flow.destination = random.pick(landmarks());
    aim_port(random, resource.services, flow);
    return;
  }
  flow.destination = around(random, random.pick(resource.prefixes));
  aim_port(random, resource.services, flow);
}

// A part of a resource that lies under another of stricter classification.
struct Part {
  Prefix prefix;
  std::vector<Service> common;  // what both offer
};

std::vector<Part> under_stricter(const Policy& policy, const ResourceId& id) {
  std::vector<Part> parts;
  if (id == kInternet) return parts;
  const Resource& weaker = policy.resources.at(id);
  for (const auto& [other, stricter] : policy.resources) {
    if (stricter.classification <= weaker.classification) continue;
    std::vector<Service> common;
    std::ranges::set_intersection(stricter.services, weaker.services, std::back_inserter(common));
    for (const Prefix& over : stricter.prefixes) {
      for (const Prefix& under : weaker.prefixes) {
        if (over.contains(under)) parts.push_back({under, common});
        if (under.contains(over)) parts.push_back({over, common});
      }
    }
  }
  return parts;
}

// At such a part of what the person was granted, if a few tries find one.
void aim_under_stricter(Random& random, const Policy& policy, const PersonId& person, Flow& flow) {
  ResourceId id;
  std::vector<Part> parts;
  for (int tries = 0; tries < 4 && parts.empty(); ++tries) {
    id = granted_resource(random, policy, person);
    parts = under_stricter(policy, id);
  }
  aim_at_resource(random, policy, id, flow);
  if (parts.empty()) return;
  const Part& part = random.pick(parts);
  flow.destination = random.percent(50) ? inside(random, part.prefix) : around(random, part.prefix);
  if (!part.common.empty() && random.percent(85)) aim_port(random, part.common, flow);
}

void aim_at_gateway(Random& random, const Network& network, Flow& flow) {
  flow.destination = random.pick(network.gateway_addresses());
  flow.port = random.percent(70) ? Port(53) : Port(443);
  flow.protocol = random.percent(50) ? Protocol::udp : Protocol::tcp;
}

}  // namespace

Flow random_flow(Random& random, const ValidPolicy& policy) {
  Flow flow;
  PersonId person;
  flow.source = random_source(random, policy, person);
  const auto aim = random.below(100);
  if (aim < 36) {
    aim_under_stricter(random, policy.policy(), person, flow);
  } else if (aim < 68) {
    aim_at_resource(random, policy.policy(), granted_resource(random, policy.policy(), person),
                    flow);
  } else if (aim < 82) {
    aim_at_resource(random, policy.policy(), random.pick_from(policy.policy().resources)->first,
                    flow);
  } else if (aim < 90) {
    aim_at_gateway(random, policy.network(), flow);
  } else if (aim < 94) {
    flow.destination = inside(random, random.pick(policy.network().pools));
    aim_port(random, internet_services(policy.policy()), flow);
  } else {
    flow.destination = random.pick(landmarks());
    aim_port(random, internet_services(policy.policy()), flow);
  }
  if (random.percent(4)) {
    flow.protocol = flow.destination.family() == Family::v4 ? Protocol::icmp : Protocol::icmpv6;
  }
  return flow;
}

std::string to_string(const Flow& flow) {
  static constexpr std::array kOpenings{"nothing", "tls", "ssh", "quic", "other"};
  std::string text = flow.source.to_string() + " -> " + flow.destination.to_string();
  text += " protocol " + std::to_string(static_cast<int>(flow.protocol));
  text += " port " + std::to_string(flow.port.value());
  return text + " opening " + kOpenings.at(static_cast<std::size_t>(flow.opening));
}

}  // namespace sekisho::model

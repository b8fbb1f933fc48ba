#include "tests/model/random_policy.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/zoneinfo.h"

namespace sekisho::model {
namespace {

constexpr std::string_view kPool4 = "10.66.0.0/24";
constexpr std::string_view kPool6 = "fd66::/64";

Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

// Nested in one another, and some around or inside the pools and what may never be reached.
const std::vector<Prefix>& prefixes() {
  static const std::vector<Prefix> all = [] {
    std::vector<Prefix> list;
    for (const std::string_view text :
         {"10.0.0.0/8",         "10.20.0.0/16",          "10.20.30.0/24",
          "10.20.30.0/25",      "10.20.30.64/26",        "10.20.30.7/32",
          "10.20.31.0/24",      "192.168.5.0/24",        "192.168.5.128/25",
          "198.51.100.0/25",    "93.184.216.0/24",       "93.184.216.34/32",
          "10.66.0.0/28",       "10.66.0.0/24",          "fd00::/8",
          "fd20::/32",          "fd20:0:30::/48",        "fd20:0:30::/120",
          "fd20:0:30::7/128",   "2001:db8:20::/48",      "2001:db8:20:1::/64",
          "2606:2800:220::/48", "2606:2800:220::34/128", "fd66::/124"}) {
      list.push_back(prefix(text));
    }
    return list;
  }();
  return all;
}

Service service(std::string_view name) {
  Service parsed = Service::parse(name).value();
  if (parsed.is_exception()) parsed.reason = "an old machine";
  return parsed;
}

// Resources of one classification may overlap, and then must ask the same check of one port: so
// each classification has its own list, in itself without contradiction.
const std::vector<Service>& services_for(Classification classification) {
  static const auto parse = [](std::initializer_list<std::string_view> names) {
    std::vector<Service> list;
    for (const std::string_view name : names) list.push_back(service(name));
    return list;
  };
  static const auto open = parse({"https", "ssh", "quic", "tls:8000-8010", "tcp:5432"});
  static const auto internal =
      parse({"https", "ssh", "ssh:2222", "tls:8005", "udp:443", "tcp:5000-5010", "udp:53"});
  static const auto closed = parse({"https", "ssh", "tcp:444-450", "tls:8000-8008", "tls:8005-8010",
                                    "quic", "tls:2222", "tls:5432", "tcp:5005"});
  switch (classification) {
    case Classification::public_:
      return open;
    case Classification::internal:
      return internal;
    case Classification::confidential:
      return closed;
  }
  throw std::logic_error("no such classification");
}

// A port of a resource has one service.
std::vector<Service> random_services(Random& random, Classification classification) {
  const std::vector<Service>& candidates = services_for(classification);
  std::vector<Service> chosen;
  for (const Service& candidate : candidates) {
    const bool clashes = std::ranges::any_of(chosen, [&](const Service& other) {
      return other.protocol() == candidate.protocol() && other.ports.overlaps(candidate.ports);
    });
    if (!clashes && random.percent(45)) chosen.push_back(candidate);
  }
  if (chosen.empty()) chosen.push_back(random.pick(candidates));
  std::ranges::sort(chosen);
  return chosen;
}

Classification random_classification(Random& random) {
  return static_cast<Classification>(random.below(3));
}

PublicKey random_key(Random& random) {
  KeyBytes bytes;
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.below(256));
  return PublicKey(bytes);
}

void add_people(Random& random, Policy& policy) {
  for (const std::string_view role : {"sales", "engineering", "guests"}) {
    policy.roles.emplace(RoleId(std::string(role)), Role{.name = std::string(role)});
  }
  const auto count = random.between(3, 6);
  for (std::uint64_t i = 0; i < count; ++i) {
    Person person{.name = "Person " + std::to_string(i), .roles = {}};
    for (const auto& [id, role] : policy.roles) {
      if (random.percent(40)) person.roles.push_back(id);
    }
    person.state = random.percent(93) ? PersonState::active : PersonState::suspended;
    if (random.percent(20)) person.valid_until = random_moment(random);
    person.kind = static_cast<PersonKind>(random.below(5));
    if (random.percent(20)) person.device_quota = static_cast<std::int64_t>(random.between(2, 5));
    policy.people.emplace(PersonId("p" + std::to_string(i)), std::move(person));
  }
}

// The n-th address of a pool; n from 0, small.
IpAddress address_in(const Prefix& pool, unsigned n) {
  IpAddress address = pool.address();
  for (unsigned i = 0; i < n; ++i) address = *address.next();
  return address;
}

void add_devices(Random& random, Policy& policy, const Network& network) {
  unsigned host = 2;  // the first address is the gateway's
  for (const auto& [person, value] : policy.people) {
    const auto count = random.between(1, 2);
    for (std::uint64_t i = 0; i < count; ++i, ++host) {
      Device device{.person = person, .public_key = random_key(random), .addresses = {}};
      for (const Prefix& pool : network.pools) device.addresses.push_back(address_in(pool, host));
      if (device.addresses.size() > 1 && random.percent(25)) {
        device.addresses.erase(random.pick_from(device.addresses));
      }
      std::ranges::sort(device.addresses);
      device.state = random.percent(93) ? DeviceState::active : DeviceState::blocked;
      policy.devices.emplace(DeviceId("d" + std::to_string(host)), std::move(device));
    }
  }
}

}  // namespace

std::optional<Time> random_moment(Random& random) {
  return kNow + std::chrono::seconds(static_cast<int>(random.below(41)) - 20);
}

Network random_network(Random& random) {
  Network network;
  if (random.percent(95)) network.pools.push_back(prefix(kPool4));
  if (network.pools.empty() || random.percent(95)) network.pools.push_back(prefix(kPool6));
  if (random.percent(80)) {
    network.public_prefixes = {prefix("198.51.100.0/24"), prefix("2001:db8:20::/44")};
  }
  return network;
}

Resource random_resource(Random& random, const Network&, Classification classification) {
  Resource resource{
      .name = "A resource", .classification = classification, .prefixes = {}, .services = {}};
  if (classification == Classification::public_ && random.percent(25)) {
    resource.internet = true;
    resource.services = random_services(random, classification);
    return resource;
  }
  const auto count = random.between(1, 4);
  for (std::uint64_t i = 0; i < count; ++i) resource.prefixes.push_back(random.pick(prefixes()));
  if (random.percent(2)) resource.prefixes.push_back(prefix("0.0.0.0/0"));
  std::ranges::sort(resource.prefixes);
  const auto repeats = std::ranges::unique(resource.prefixes);
  resource.prefixes.erase(repeats.begin(), repeats.end());
  resource.services = random_services(random, classification);
  return resource;
}

WeeklyHours random_hours(Random& random) {
  static const std::vector<std::string> kZones{"UTC", "Asia/Tokyo", "Europe/Berlin",
                                               "America/New_York"};
  WeeklyHours hours{.spans = {}, .zone = random.pick(kZones)};
  const auto count = random.between(1, 3);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Mostly beginning or ending at kNow, which is 08:00 UTC of a Friday in winter.
    const auto hour = [&](int shift) {
      return std::chrono::minutes(
          60 * static_cast<int>((random.pick(std::vector<int>{8, 17, 9, 3}) + shift) % 24));
    };
    DailyHours span{.days = static_cast<std::uint8_t>(random.between(1, 127)),
                    .begin = hour(0),
                    .end = hour(static_cast<int>(random.between(0, 9)))};
    if (random.percent(60)) span.days |= 1U << 4;
    if (span.end == std::chrono::minutes(0)) span.end = std::chrono::minutes(24 * 60);
    if (span.end <= span.begin) span.end += std::chrono::minutes(24 * 60);
    if (span.end - span.begin >= std::chrono::minutes(24 * 60)) continue;
    hours.spans.push_back(span);
  }
  if (hours.spans.empty()) hours.spans.push_back(DailyHours::parse("mon-fri 09:00-18:00").value());
  std::ranges::sort(hours.spans);
  const auto repeats = std::ranges::unique(hours.spans);
  hours.spans.erase(repeats.begin(), repeats.end());
  if (covers_whole_week(hours)) hours.spans.resize(1);
  return hours;
}

void make_fit(Random& random, const Policy& policy, Grant& grant) {
  const auto resource = policy.resources.find(grant.resource);
  if (resource == policy.resources.end() ||
      resource->second.classification != Classification::confidential) {
    return;
  }
  if (std::holds_alternative<RoleId>(grant.who)) grant.who = random.pick_from(policy.people)->first;
  if (!grant.until) {
    grant.until = std::max(kNow, grant.from.value_or(kNow)) +
                  std::chrono::seconds(random.between(1, 1'000'000));
  }
}

Grant random_grant(Random& random, const Policy& policy) {
  Grant grant{.who = PersonId{}, .resource = kInternet, .reason = "work"};
  if (random.percent(60)) {
    grant.who = random.pick_from(policy.people)->first;
  } else {
    grant.who = random.pick_from(policy.roles)->first;
  }
  if (!policy.resources.empty() && random.percent(90)) {
    grant.resource = random.pick_from(policy.resources)->first;
  }
  if (random.percent(35)) grant.conditions.hours = random_hours(random);
  if (random.percent(16)) grant.conditions.session = std::chrono::minutes(15);
  if (random.percent(30)) grant.from = random_moment(random);
  if (random.percent(35)) grant.until = random_moment(random);
  if (grant.from && grant.until && *grant.from >= *grant.until) {
    std::swap(grant.from, grant.until);
    if (grant.from == grant.until) grant.until.reset();
  }
  make_fit(random, policy, grant);
  return grant;
}

void make_fit(const Policy& policy, Response& response) {
  std::erase_if(response.remediation, [&](const ResourceId& id) {
    const auto resource = policy.resources.find(id);
    return id == kInternet || resource == policy.resources.end() || resource->second.internet ||
           resource->second.classification == Classification::confidential;
  });
}

Response random_response(Random& random, const Policy& policy) {
  Response response;
  for (const auto& [id, resource] : policy.resources)
    if (random.percent(50)) response.remediation.push_back(id);
  make_fit(policy, response);
  if (random.percent(50)) response.contact = "佐藤 03-0000-0000";
  if (random.percent(30)) response.officer = random.pick_from(policy.people)->first;
  response.two_people = random.percent(50);
  for (const Severity severity : kSeverities)
    response.reaction(severity) = static_cast<Reaction>(random.below(3));
  response.most_devices = static_cast<std::int64_t>(random.between(1, 9));
  response.most_percent = static_cast<std::int64_t>(random.between(1, 100));
  response.window = std::chrono::minutes(random.between(1, 10'000));
  return response;
}

Policy random_policy(Random& random, const Network& network) {
  Policy policy;
  if (random.percent(20)) policy.quota.devices_per_person = 2;
  add_people(random, policy);
  add_devices(random, policy, network);
  const auto resources = random.between(2, 6);
  for (std::uint64_t i = 0; i < resources; ++i) {
    policy.resources.emplace(ResourceId("r" + std::to_string(i)),
                             random_resource(random, network, random_classification(random)));
  }
  if (random.percent(20)) {
    policy.resources.emplace(
        kInternet, Resource{.name = "Internet",
                            .classification = Classification::public_,
                            .prefixes = {},
                            .services = random_services(random, Classification::public_)});
  }
  const auto grants = random.between(4, 14);
  for (std::uint64_t i = 0; i < grants; ++i) {
    policy.grants.emplace(GrantId("g" + std::to_string(i)), random_grant(random, policy));
  }
  if (random.percent(40)) policy.response = random_response(random, policy);
  return policy;
}

ValidPolicy checked(Policy policy, const Network& network) {
  static const TimeZones all = zones();
  auto valid = validate(std::move(policy), network, all);
  if (valid) return std::move(*valid);
  std::string what = "the generator made a policy that is not valid:";
  for (const Error& error : valid.error()) what += "\n  " + to_string(error);
  throw std::logic_error(what);
}

ValidPolicy random_valid_policy(Random& random) {
  const Network network = random_network(random);
  return checked(random_policy(random, network), network);
}

bool has_mixed_overlap(const Policy& policy) {
  for (const auto& [a, one] : policy.resources) {
    for (const auto& [b, other] : policy.resources) {
      if (one.classification == other.classification) continue;
      for (const Prefix& prefix : one.prefixes) {
        const bool meets = std::ranges::any_of(
            other.prefixes, [&](const Prefix& candidate) { return candidate.overlaps(prefix); });
        if (meets) return true;
      }
    }
  }
  return false;
}

}  // namespace sekisho::model

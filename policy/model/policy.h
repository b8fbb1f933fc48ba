#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/base/boxed.h"
#include "policy/base/ip.h"
#include "policy/base/keys.h"
#include "policy/base/ports.h"
#include "policy/base/strong_id.h"
#include "policy/base/time.h"
#include "policy/model/hours.h"

// The policy document: what the officer says, as data. The same model for TOML and JSON.
// Zero values are the stricter choice throughout.
namespace sekisho {

using PersonId = StrongId<struct PersonTag>;
using DeviceId = StrongId<struct DeviceTag>;
using RoleId = StrongId<struct RoleTag>;
using ResourceId = StrongId<struct ResourceTag>;
using GrantId = StrongId<struct GrantTag>;

enum class PersonState { suspended, active };
// Farthest from the business first (rule book, article 2).
enum class PersonKind { partner, contractor, part_timer, employee, owner };
enum class DeviceState { blocked, active };
// Ordered by strictness (rule book, article 6).
enum class Classification { public_, internal, confidential };

// What a destination port must prove to be before bytes go both ways (design: first payload bytes).
enum class ServiceKind {
  tls,   // TCP, both sides open with a TLS handshake record
  ssh,   // TCP, both sides open with "SSH-"
  quic,  // UDP, opens with a QUIC long header
  tcp,   // an exception: any TCP
  udp,   // an exception: any UDP
};

// "https" is tls on 443 and "ssh" is ssh on 22; "quic" is always UDP 443.
struct Service {
  ServiceKind kind = ServiceKind::tls;
  PortRange ports;
  std::string reason = {};  // exceptions (tcp, udp) must have one, others must not

  Protocol protocol() const {
    return kind == ServiceKind::quic || kind == ServiceKind::udp ? Protocol::udp : Protocol::tcp;
  }
  bool is_exception() const { return kind == ServiceKind::tcp || kind == ServiceKind::udp; }
  // "https", "ssh", "quic", "tls:8443", "tcp:5000-5010": the text that documents use.
  std::string name() const;
  static Result<Service> parse(std::string_view name);
  auto operator<=>(const Service&) const = default;
};

struct Person {
  std::string name;
  std::vector<RoleId> roles;  // sorted, no repeats
  PersonState state = PersonState::suspended;
  std::optional<Time> valid_until = {};
  PersonKind kind = PersonKind::partner;
  std::optional<std::int64_t> device_quota = {};  // in the place of the policy's
  bool operator==(const Person&) const = default;
};

struct Device {
  PersonId person;
  PublicKey public_key;
  std::vector<IpAddress> addresses;  // tunnel addresses: at most one of each family; sorted
  DeviceState state = DeviceState::blocked;
  bool operator==(const Device&) const = default;
};

struct Role {
  std::string name;
  bool operator==(const Role&) const = default;
};

struct Resource {
  std::string name;
  Classification classification = Classification::confidential;
  std::vector<Prefix> prefixes;   // sorted; v4 and v6 together
  std::vector<Service> services;  // sorted
  bool internet = false;          // it is on the addresses of `internet`, and has no prefixes
  bool operator==(const Resource&) const = default;
};

using Who = std::variant<PersonId, RoleId>;

// What must hold, besides a grant's beginning and end, for it to open anything: all of these.
struct Conditions {
  Boxed<WeeklyHours> hours = {};
  // A sign-in not older than this. Nobody can sign in yet, so such a grant opens nothing.
  std::optional<std::chrono::minutes> session = {};
  bool operator==(const Conditions&) const = default;
};

struct Grant {
  Who who;
  ResourceId resource;
  std::string reason;
  std::optional<Time> from = {};   // included
  std::optional<Time> until = {};  // excluded: the first second without the right
  Conditions conditions = {};
  bool operator==(const Grant&) const = default;
};

// The built-in resource: global unicast outside the special-use registries and outside every listed
// resource. It is never given prefixes; a document may list it to choose its services (default
// https, ssh). Resources with `internet` are on the same addresses, with services and grants of
// their own.
inline const ResourceId kInternet{"internet"};

// How many devices a person may have who has no quota of their own. None: any number.
struct Quota {
  std::optional<std::int64_t> devices_per_person = {};
  bool operator==(const Quota&) const = default;
};

// How bad what was found on a device is, and what the gateway does about it by itself.
enum class Severity { low, medium, high, critical };
inline constexpr std::array kSeverities{Severity::low, Severity::medium, Severity::high,
                                        Severity::critical};
enum class Reaction {
  isolate,  // only DNS, the portal and the remediation resources are left
  cut,      // nothing is left
  record,   // a record, and no more
};

// What happens when a device is found to be unwell.
struct Response {
  std::vector<ResourceId> remediation = {};  // what an isolated device still reaches; sorted
  std::string contact = {};                  // whom its user calls; empty: nobody is named
  // Whose devices are never quarantined automatically. None: those of every owner.
  std::optional<PersonId> officer = {};
  bool two_people = false;                                  // a release takes two people
  std::array<Reaction, kSeverities.size()> reactions = {};  // by severity
  // The guard: no more automatic quarantines within `window` than this many devices, or this share
  // of all of them (percent, at least one device), whichever is fewer.
  std::int64_t most_devices = 3;
  std::int64_t most_percent = 10;
  std::chrono::minutes window{60};

  Reaction& reaction(Severity severity) { return reactions[static_cast<std::size_t>(severity)]; }
  Reaction reaction(Severity severity) const {
    return reactions[static_cast<std::size_t>(severity)];
  }
  bool operator==(const Response&) const = default;
};

struct Policy {
  std::map<PersonId, Person> people;
  std::map<DeviceId, Device> devices;
  std::map<RoleId, Role> roles;
  std::map<ResourceId, Resource> resources;
  std::map<GrantId, Grant> grants;
  Quota quota = {};
  Response response = {};
  bool operator==(const Policy&) const = default;
};

// The services of `internet`: as the policy lists them, or https and ssh.
std::vector<Service> internet_services(const Policy& policy);

std::string_view to_string(PersonState state);
std::string_view to_string(PersonKind kind);
std::string_view to_string(DeviceState state);
std::string_view to_string(Classification classification);
std::string_view to_string(Severity severity);
std::string_view to_string(Reaction reaction);
// "person:tanaka" or "role:sales"
std::string to_string(const Who& who);
// "15m", "8h"
std::string to_string(std::chrono::minutes duration);

}  // namespace sekisho

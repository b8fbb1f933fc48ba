#include "tests/model/policy_builder.h"

#include <algorithm>

#include "tests/model/random_policy.h"

namespace sekisho::model {
namespace {

template <class Id>
Id id_of(std::string_view text) {
  return Id(std::string(text));
}

}  // namespace

PolicyBuilder::PolicyBuilder() {
  network.pools = {prefix("10.66.0.0/24"), prefix("fd66::/64")};
}

PolicyBuilder& PolicyBuilder::person(std::string_view id,
                                     std::initializer_list<std::string_view> roles,
                                     std::optional<Time> valid_until) {
  Person person{.name = std::string(id),
                .roles = {},
                .state = PersonState::active,
                .valid_until = valid_until};
  for (const std::string_view role : roles) {
    person.roles.push_back(id_of<RoleId>(role));
    policy.roles.emplace(person.roles.back(), Role{.name = std::string(role)});
  }
  std::ranges::sort(person.roles);
  policy.people.insert_or_assign(id_of<PersonId>(id), std::move(person));
  return *this;
}

PolicyBuilder& PolicyBuilder::device(std::string_view id, std::string_view owner,
                                     std::initializer_list<std::string_view> addresses) {
  if (!policy.people.contains(id_of<PersonId>(owner))) person(owner);
  Device device{.person = id_of<PersonId>(owner), .public_key = {}, .addresses = {}};
  KeyBytes key{0x42};
  std::ranges::copy(id.substr(0, 16), key.begin() + 1);
  device.public_key = PublicKey(key);
  for (const std::string_view text : addresses) device.addresses.push_back(address(text));
  std::ranges::sort(device.addresses);
  device.state = DeviceState::active;
  policy.devices.insert_or_assign(id_of<DeviceId>(id), std::move(device));
  return *this;
}

PolicyBuilder& PolicyBuilder::resource(std::string_view id, Classification classification,
                                       std::initializer_list<std::string_view> prefixes,
                                       std::initializer_list<std::string_view> services) {
  Resource resource{
      .name = std::string(id), .classification = classification, .prefixes = {}, .services = {}};
  for (const std::string_view text : prefixes) resource.prefixes.push_back(prefix(text));
  for (const std::string_view name : services) {
    Service service = Service::parse(name).value();
    if (service.is_exception()) service.reason = "an old machine";
    resource.services.push_back(std::move(service));
  }
  std::ranges::sort(resource.prefixes);
  std::ranges::sort(resource.services);
  policy.resources.insert_or_assign(id_of<ResourceId>(id), std::move(resource));
  return *this;
}

PolicyBuilder& PolicyBuilder::grant(std::string_view id, std::string_view who,
                                    std::string_view resource, std::optional<Time> from,
                                    std::optional<Time> until) {
  Grant grant{.who = id_of<PersonId>(who),
              .resource = id_of<ResourceId>(resource),
              .reason = "work",
              .from = from,
              .until = until};
  constexpr std::string_view kRole = "role:";
  if (who.starts_with(kRole)) {
    const auto role = id_of<RoleId>(who.substr(kRole.size()));
    policy.roles.emplace(role, Role{.name = role.str()});
    grant.who = role;
  }
  policy.grants.insert_or_assign(id_of<GrantId>(id), std::move(grant));
  return *this;
}

ValidPolicy PolicyBuilder::valid() const {
  return checked(policy, network);
}

IpAddress address(std::string_view text) {
  return IpAddress::parse(text).value();
}

Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

AddressRange range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return prefix(text).range();
  return {address(text.substr(0, dash)), address(text.substr(dash + 1))};
}

}  // namespace sekisho::model

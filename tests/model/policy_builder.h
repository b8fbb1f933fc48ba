#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "policy/model/validate.h"

namespace sekisho::model {

// Policies for tests, one object a line. Pools 10.66.0.0/24 and fd66::/64, the gateway 10.66.0.1
// and fd66::1. Texts that do not parse end the program.
class PolicyBuilder {
 public:
  PolicyBuilder();

  PolicyBuilder& person(std::string_view id, std::initializer_list<std::string_view> roles = {},
                        std::optional<Time> valid_until = {});
  // Its owner is made where there is none yet.
  PolicyBuilder& device(std::string_view id, std::string_view person,
                        std::initializer_list<std::string_view> addresses);
  PolicyBuilder& resource(std::string_view id, Classification classification,
                          std::initializer_list<std::string_view> prefixes,
                          std::initializer_list<std::string_view> services);
  // `who` is the id of a person, or "role:" and the id of a role.
  PolicyBuilder& grant(std::string_view id, std::string_view who, std::string_view resource,
                       std::optional<Time> from = {}, std::optional<Time> until = {});

  // Throws std::logic_error with all mistakes where the policy is not valid.
  ValidPolicy valid() const;

  Policy policy;
  Network network;
};

IpAddress address(std::string_view text);
Prefix prefix(std::string_view text);
// "10.0.0.1" is that one address, "10.0.0.1-10.0.0.9" and "10.0.0.0/24" a range.
AddressRange range(std::string_view text);

}  // namespace sekisho::model

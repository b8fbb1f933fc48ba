#include "policy/compile/ruleset.h"

#include <algorithm>
#include <utility>

#include "policy/compile/ruleset_chains.h"

namespace sekisho {

namespace {

using namespace nft;

std::vector<Counter> counters() {
  return {
      {"outside_pool", "packets from outside the tunnel with a tunnel address: always dropped"},
      {"opened", "packets sent to log group 5: what was read of the group must come to this"},
      {"hellos", "packets sent to log group 6: what was read of the group must come to this"},
      {"refused", "packets sent to log group 7: what was read of the group must come to this"},
      {"refused_unlogged", "refusals beyond the log limit of a device"},
  };
}

std::vector<Set> policy_sets() {
  const std::string cohort = "tunnel address -> cohort: 1 to 0xffff, devices with equal rights";
  const std::string atom = "destination -> atom: 0x10000 or more, the check in bits 2 and 3";
  return {
      {.name = cohort_map(Family::v4),
       .comment = cohort,
       .key = {Field::ipv4_addr},
       .to_mark = true,
       .timeout = true},
      {.name = cohort_map(Family::v6),
       .comment = cohort,
       .key = {Field::ipv6_addr},
       .to_mark = true,
       .timeout = true},
      {.name = atom_map(Family::v4),
       .comment = atom,
       .key = {Field::ipv4_addr, Field::inet_proto, Field::inet_service},
       .to_mark = true,
       .interval = true},
      {.name = atom_map(Family::v6),
       .comment = atom,
       .key = {Field::ipv6_addr, Field::inet_proto, Field::inet_service},
       .to_mark = true,
       .interval = true},
      {.name = kGrantsSet,
       .comment = "cohort . atom with both proof bits: whoever is here passes, nobody else",
       .key = {Field::mark, Field::mark},
       .timeout = true},
  };
}

Set device_set(std::string name, Family family, std::string comment,
               std::optional<std::chrono::seconds> timeout) {
  return {.name = std::move(name) + (family == Family::v4 ? "4" : "6"),
          .comment = std::move(comment),
          .key = {family == Family::v4 ? Field::ipv4_addr : Field::ipv6_addr},
          .timeout = timeout.has_value(),
          .dynamic = true,
          .size = 65535,
          .default_timeout = timeout};
}

std::vector<Set> sets() {
  std::vector<Set> all = policy_sets();
  for (const Family family : {Family::v4, Family::v6}) {
    all.push_back(device_set("flows", family, "one in 16 of the live flows of a device", {}));
    all.push_back(device_set("held", family, "devices over the limit: nothing new for 10 s",
                             std::chrono::seconds(10)));
    all.push_back(device_set("quiet", family, "refusals logged per device: the rest is counted",
                             std::chrono::minutes(1)));
  }
  return all;
}

}  // namespace

const char* cohort_map(Family family) {
  return family == Family::v4 ? "cohort4" : "cohort6";
}
const char* atom_map(Family family) {
  return family == Family::v4 ? "atoms4" : "atoms6";
}

Ruleset make_ruleset(const Network& network) {
  Ruleset ruleset{
      .table = kTableName,
      .comment = "Sekisho: VPN traffic alone. The rules never change, what they look up does.",
      .counters = counters(),
      .sets = sets(),
      .chains = edge_chains(network)};
  for (auto* chains : {flow_chains, check_chains, refusal_chains}) {
    std::ranges::move(chains(), std::back_inserter(ruleset.chains));
  }
  return ruleset;
}

}  // namespace sekisho

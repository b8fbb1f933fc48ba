#pragma once

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "policy/base/text.h"
#include "policy/model/mistakes.h"
#include "policy/model/network.h"
#include "policy/model/policy.h"

// The parts of validate(). Each notes what is wrong with its objects. Inside policy/model only.
namespace sekisho {

class Findings {
 public:
  void add(std::string path, std::string cause, std::string advice = {}) {
    mistakes_.add(std::move(path), {}, std::move(cause), std::move(advice));
  }
  bool full() const { return mistakes_.full(); }
  bool empty() const { return mistakes_.empty(); }
  Errors take() { return mistakes_.take({}); }

 private:
  Mistakes mistakes_;
};

// Notes that `path` names something that does not exist.
template <class Id, class Thing>
void unknown(std::string path, std::string_view kind, const Id& id,
             const std::map<Id, Thing>& things, Findings& findings) {
  std::string advice;
  if (!findings.full()) {
    std::vector<std::string_view> candidates;
    if constexpr (std::is_same_v<Id, ResourceId>) candidates.push_back(kInternet.str());
    for (const auto& [candidate, thing] : things) candidates.push_back(candidate.str());
    advice = suggestion(id.str(), candidates);
  }
  if (advice.empty()) advice = "add [" + member_path(kind, id.str()) + "] or take this out";
  findings.add(std::move(path), "there is no " + std::string(kind) + " " + quote(id.str()),
               std::move(advice));
}

void check_id_of(std::string_view section, std::string_view id, Findings& findings);
// Notes what is wrong with a name or a reason.
void check_words(std::string_view path, std::string_view key, std::string_view text,
                 Findings& findings);

void check_network(const Network& network, Findings& findings);
void check_amounts(const Policy& policy, Findings& findings);
// Names and texts: what decode() asks too, for policies that no document gave.
void check_texts(const Policy& policy, Findings& findings);
void check_people(const Policy& policy, Findings& findings);
void check_devices(const Policy& policy, const Network& network, Findings& findings);
void check_resources(const Policy& policy, Findings& findings);
// Resources of one classification that ask different proofs of the same flow.
void check_overlaps(const Policy& policy, Findings& findings);
void check_grants(const Policy& policy, const TimeZones& zones, Findings& findings);
// One of them, its id and texts too.
void check_grant(const Policy& policy, const GrantId& id, const Grant& grant,
                 const TimeZones& zones, Findings& findings);
void check_response(const Policy& policy, Findings& findings);

// Addresses that no packet through a router carries as its destination: "this network", loopback,
// link-local, multicast, reserved, and IPv4-mapped (IANA special-purpose registries, RFC 6890).
// Says which of them holds all of `prefix`; empty where none does.
std::string_view unroutable(const Prefix& prefix);

}  // namespace sekisho

#include <chrono>
#include <string>

#include "policy/base/text.h"
#include "policy/model/checks.h"

namespace sekisho {
namespace {

constexpr std::chrono::minutes kShortestWindow{1};
constexpr std::chrono::minutes kLongestWindow{7 * 24 * 60};

// What is still open to a device that may be in other hands must be little, and no secret.
void check_remediation(const Policy& policy, Findings& findings) {
  for (const ResourceId& id : policy.response.remediation) {
    const std::string path = element_path("response.remediation", id.str());
    const auto resource = policy.resources.find(id);
    if (id == kInternet || (resource != policy.resources.end() && resource->second.internet)) {
      findings.add(path,
                   "resource " + quote(id.str()) +
                       " is all addresses of the internet: a device that reaches them is not "
                       "isolated",
                   "name a resource that has prefixes");
    } else if (resource == policy.resources.end()) {
      unknown(path, "resource", id, policy.resources, findings);
    } else if (resource->second.classification == Classification::confidential) {
      findings.add(
          path, "resource " + quote(id.str()) + " is confidential: no isolated device may reach it",
          "take it out");
    }
  }
}

void check_guard(const Response& response, Findings& findings) {
  if (response.most_devices < 1) {
    findings.add("response.most_devices",
                 std::to_string(response.most_devices) + " is no number of devices",
                 "write 1 or more; to quarantine nothing automatically, set the severities to "
                 "record");
  }
  if (response.most_percent < 1 || response.most_percent > 100) {
    findings.add("response.most_percent",
                 std::to_string(response.most_percent) + " is no share of the devices",
                 "write 1 to 100");
  }
  if (response.window < kShortestWindow || response.window > kLongestWindow) {
    findings.add("response.window", to_string(response.window) + " is too short or too long",
                 "write a time from 1m to 168h");
  }
}

}  // namespace

void check_response(const Policy& policy, Findings& findings) {
  const Response& response = policy.response;
  check_remediation(policy, findings);
  if (!response.contact.empty()) check_words("response", "contact", response.contact, findings);
  if (response.officer && !policy.people.contains(*response.officer)) {
    unknown("response.officer", "person", *response.officer, policy.people, findings);
  }
  check_guard(response, findings);
}

}  // namespace sekisho

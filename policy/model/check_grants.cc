#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/model/checks.h"
#include "policy/model/validate.h"
#include "policy/model/values.h"

namespace sekisho {
namespace {

void check_who(std::string path, const Who& who, const Policy& policy, Findings& findings) {
  if (const auto* person = std::get_if<PersonId>(&who)) {
    if (!policy.people.contains(*person)) {
      unknown(std::move(path), "person", *person, policy.people, findings);
    }
  } else if (const auto& role = std::get<RoleId>(who); !policy.roles.contains(role)) {
    unknown(std::move(path), "role", role, policy.roles, findings);
  }
}

// What is confidential is for people who were named, for a time that was set (rule book, article
// 6).
void check_confidential(const std::string& path, const Grant& grant, const Policy& policy,
                        Findings& findings) {
  const auto resource = policy.resources.find(grant.resource);
  if (resource == policy.resources.end() ||
      resource->second.classification != Classification::confidential) {
    return;
  }
  const std::string what = "resource " + quote(grant.resource.str()) + " is confidential: ";
  if (std::holds_alternative<RoleId>(grant.who)) {
    findings.add(member_path(path, "who"), what + "a grant on it names a person, not a role",
                 "write one grant for each person, with who = \"person:ID\"");
  }
  if (!grant.until) {
    findings.add(member_path(path, "until"), what + "a grant on it has an end",
                 "write until = 2027-03-31, the first day without it");
  }
}

void check_span(const std::string& path, const DailyHours& span, Findings& findings) {
  const auto canonical = DailyHours::parse(span.to_string());
  if (!canonical || *canonical != span) findings.add(path, "has impossible hours");
}

void check_hours(const std::string& path, const WeeklyHours& hours, const TimeZones& zones,
                 Findings& findings) {
  const std::string spans = member_path(path, "hours");
  for (const DailyHours& span : hours.spans) check_span(spans, span, findings);
  if (hours.spans.empty()) {
    findings.add(spans, "no hours: the grant would never open anything",
                 "list them, such as [\"mon-fri 09:00-18:00\"], or take hours and zone out");
  } else if (covers_whole_week(hours)) {
    findings.add(spans, "every minute of the week", "take hours and zone out");
  }
  if (zones.contains(hours.zone)) return;
  std::string advice;
  if (!findings.full()) {
    std::vector<std::string_view> names;
    for (const auto& [name, zone] : zones) names.emplace_back(name);
    advice = suggestion(hours.zone, names);
  }
  if (zones.empty()) advice = "this gateway has none: install Debian's package tzdata";
  if (advice.empty()) advice = "write a name of the IANA database, such as Asia/Tokyo";
  findings.add(member_path(path, "zone"), "there is no time zone " + quote(hours.zone),
               std::move(advice));
}

void check_session(const std::string& path, std::chrono::minutes session, Findings& findings) {
  constexpr std::chrono::minutes kShortest{1};
  constexpr std::chrono::minutes kLongest{24 * 60};
  if (session >= kShortest && session <= kLongest) return;
  findings.add(member_path(path, "session"),
               "a sign-in " + to_string(session) + " old is not what makes one fresh",
               "write a time from 1m to 24h");
}

}  // namespace

void check_grant(const Policy& policy, const GrantId& id, const Grant& grant,
                 const TimeZones& zones, Findings& findings) {
  check_id_of("grant", id.str(), findings);
  const std::string path = member_path("grant", id.str());
  check_who(member_path(path, "who"), grant.who, policy, findings);
  if (grant.resource != kInternet && !policy.resources.contains(grant.resource)) {
    unknown(member_path(path, "resource"), "resource", grant.resource, policy.resources, findings);
  }
  check_words(path, "reason", grant.reason, findings);
  if (grant.from && grant.until && *grant.until <= *grant.from) {
    findings.add(
        member_path(path, "until"),
        "ends at " + to_string(*grant.until) + ", not after it begins at " + to_string(*grant.from),
        "set a later end or take the grant out");
  }
  check_confidential(path, grant, policy, findings);
  if (grant.conditions.hours) check_hours(path, *grant.conditions.hours, zones, findings);
  if (grant.conditions.session) check_session(path, *grant.conditions.session, findings);
}

void check_grants(const Policy& policy, const TimeZones& zones, Findings& findings) {
  for (const auto& [id, grant] : policy.grants) check_grant(policy, id, grant, zones, findings);
}

}  // namespace sekisho

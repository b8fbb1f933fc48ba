#include "gateway/engine/quarantine_views.h"

#include <algorithm>
#include <utility>

#include "gateway/engine/edit.h"
#include "policy/base/text.h"
#include "policy/model/values.h"

namespace sekisho::engine {

namespace {

Node text(std::string_view value) {
  return {std::string(value)};
}

bool exists(const QuarantineTarget& target, const Policy& policy) {
  if (const auto* id = std::get_if<PersonId>(&target)) return policy.people.contains(*id);
  if (const auto* id = std::get_if<DeviceId>(&target)) return policy.devices.contains(*id);
  if (const auto* id = std::get_if<ResourceId>(&target))
    return *id == kInternet || policy.resources.contains(*id);
  return true;
}

Result<Hold> level_of(const std::string& level) {
  if (level.empty() || level == "isolate") return Hold::isolate;
  if (level == "cut") return Hold::cut;
  return fail(ErrorCode::invalid, "level", quote(level) + " is no level",
              "give isolate (name service, notice page and remediation are left) or cut (nothing)");
}

Result<void> check_given(const control::Request& request, std::string_view name,
                         std::string advice) {
  const std::string& given = text_parameter(request, name);
  if (auto checked = check_text(given); !checked) {
    return fail(ErrorCode::invalid, std::string(name), checked.error().cause, std::move(advice));
  }
  return {};
}

}  // namespace

Result<QuarantineTarget> target_of(const control::Request& request, const Policy& policy) {
  const std::string& name = text_parameter(request, "target");
  if (name == "everyone" || name.find(':') != std::string::npos) return parse_target(name);
  std::vector<QuarantineTarget> meant;
  for (QuarantineTarget target :
       {QuarantineTarget{DeviceId(name)}, QuarantineTarget{PersonId(name)},
        QuarantineTarget{ResourceId(name)}}) {
    if (exists(target, policy)) meant.push_back(std::move(target));
  }
  if (meant.size() == 1) return meant.front();
  if (meant.empty()) {
    return fail(ErrorCode::not_found, "target", quote(name) + " is no device, person or resource",
                "give device:ID, person:ID, resource:ID or everyone; list them: device list");
  }
  std::string which;
  for (const QuarantineTarget& target : meant) {
    which += (which.empty() ? "" : " or ") + to_string(target);
  }
  return fail(ErrorCode::invalid, "target", quote(name) + " names more than one", "give " + which);
}

Result<Quarantine> quarantine_of(const control::Request& request, const Policy& policy) {
  auto target = target_of(request, policy);
  if (!target) return std::unexpected(std::move(target.error()));
  if (!exists(*target, policy)) {
    const std::string name = to_string(*target);
    return fail(ErrorCode::not_found, name, "does not exist",
                "list what there is: " + name.substr(0, name.find(':')) + " list");
  }
  const auto level = level_of(text_parameter(request, "level"));
  if (!level) return std::unexpected(level.error());
  if (std::holds_alternative<ResourceId>(*target) && request.parameters.find("level") != nullptr) {
    return fail(ErrorCode::invalid, "level", "a resource has none: nobody reaches it",
                "leave --level out");
  }
  if (auto given = check_given(request, "reason", "say why, in one line: --reason TEXT"); !given) {
    return std::unexpected(std::move(given.error()));
  }
  Quarantine quarantine{.target = *std::move(target),
                        .level = *level,
                        .reason = text_parameter(request, "reason"),
                        .by = {},
                        .devices = {},
                        .keys = {}};
  if (std::holds_alternative<ResourceId>(quarantine.target)) quarantine.level = Hold::cut;
  return quarantine;
}

Result<void> check_release(const control::Request& request) {
  if (auto given =
          check_given(request, "reason", "say why it may be let back, in one line: --reason TEXT");
      !given) {
    return given;
  }
  return check_given(request, "finding",
                     "say what was found, in one line: --finding \"false alarm, ...\"");
}

Node show_quarantine(const Quarantine& quarantine) {
  const bool resource = std::holds_alternative<ResourceId>(quarantine.target);
  Node::Array devices;
  for (const DeviceId& id : quarantine.devices) devices.push_back(text(id.str()));
  Node::Table shown{{"target", text(to_string(quarantine.target))},
                    {"level", resource ? Node{} : text(to_string(quarantine.level))},
                    {"since", text(to_string(quarantine.since))},
                    {"by", text(quarantine.by)},
                    {"automatic", {quarantine.automatic}},
                    {"two_people", {quarantine.two_people}},
                    {"reason", text(quarantine.reason)},
                    {"devices", {std::move(devices)}}};
  if (const auto& release = quarantine.release) {
    shown.emplace_back("release_asked_by", text(release->by));
    shown.emplace_back("release_asked_at", text(to_string(release->at)));
    shown.emplace_back("release_asked_finding", text(release->finding));
  }
  return {std::move(shown)};
}

Node show_quarantines(const std::vector<Quarantine>& quarantines) {
  Node::Array rows;
  for (const Quarantine& each : quarantines) rows.push_back(show_quarantine(each));
  return {std::move(rows)};
}

control::Reply show_notice(const Policy& policy, const std::vector<Quarantine>& quarantines,
                           const std::string& address) {
  const auto asked = IpAddress::parse(address);
  if (!asked) {
    Error error = asked.error();
    error.object = "address";
    return std::unexpected(Errors{std::move(error)});
  }
  const auto found = std::ranges::find_if(policy.devices, [&](const auto& device) {
    return std::ranges::count(device.second.addresses, *asked) > 0;
  });
  if (found == policy.devices.end()) return Node{Node::Table{{"state", text("unknown")}}};
  const auto& [id, device] = *found;
  std::optional<Time> since;
  for (const Quarantine& each : quarantines) {
    if (quarantined_by({each}).on(id, device) != Hold::none) since = earlier(since, each.since);
  }
  Node::Table notice{{"state", text(since ? "isolated" : "free")},
                     {"device", text(id.str())},
                     {"person", text(device.person.str())},
                     {"since", since ? text(to_string(*since)) : Node{}}};
  const std::string& contact = policy.response.contact;
  if (!contact.empty()) notice.emplace_back("contact", text(contact));
  return Node{std::move(notice)};
}

std::string as_toml(const Quarantine& quarantine) {
  Node shown = show_quarantine(quarantine);
  auto& table = std::get<Node::Table>(shown.value);
  std::erase_if(table, [](const auto& member) {
    return std::holds_alternative<std::monostate>(member.second.value);
  });
  Node::Array keys;
  for (const PublicKey& key : quarantine.keys) keys.push_back(text(key.to_string()));
  table.emplace_back("keys", Node{std::move(keys)});
  return write_toml(shown);
}

std::string write_text(const std::string& value) {
  return quote(value);
}

std::vector<Quarantine> with(std::vector<Quarantine> all, const Quarantine& one) {
  const auto same = std::ranges::find(all, one.target, &Quarantine::target);
  if (same == all.end()) {
    all.push_back(one);
  } else {
    *same = one;
  }
  return all;
}

std::vector<Quarantine> without(std::vector<Quarantine> all, const QuarantineTarget& target) {
  std::erase_if(all, [&](const Quarantine& each) { return each.target == target; });
  return all;
}

Finding quarantine_finding(const std::vector<Quarantine>& quarantines, std::size_t flags_asking) {
  constexpr std::size_t kMostNamed = 5;
  Finding finding{.subject = "quarantine", .good = flags_asking == 0, .finding = {}, .mend = {}};
  std::string waiting;
  std::string names;
  for (std::size_t i = 0; i < quarantines.size(); ++i) {
    const std::string target = to_string(quarantines[i].target);
    if (i < kMostNamed) names += (i == 0 ? "" : ", ") + target;
    if (i == kMostNamed) names += ", ...";
    if (quarantines[i].release) waiting += (waiting.empty() ? "" : ", ") + target;
  }
  finding.finding = quarantines.empty()
                        ? "nobody is held"
                        : std::to_string(quarantines.size()) + " in force: " + names;
  if (flags_asking > 0) {
    finding.finding += "; " + std::to_string(flags_asking) + " flags wait for the officer";
    finding.mend = "sekisho flag list, then: sekisho flag act|dismiss NUMBER --reason TEXT";
  }
  if (!waiting.empty()) finding.finding += "; a second person has to release: " + waiting;
  return finding;
}

Error not_quarantined(const QuarantineTarget& target) {
  return {ErrorCode::not_found,
          to_string(target),
          "is not quarantined",
          {},
          "list what is: sekisho quarantine list"};
}

Errors still_to_do(const QuarantineTarget& target, const std::string& done, const Errors& errors) {
  Errors told;
  for (const Error& error : errors) {
    told.push_back({error.code, to_string(target),
                    "is held as far as could be (" + done + "), but: " + to_string(error),
                    error.place,
                    "it is tried again every second and holds meanwhile unless the gateway is "
                    "restarted; see: sekisho status"});
  }
  return told;
}

std::vector<IpAddress> unused_addresses(const Network& network, const Policy& policy) {
  std::vector<IpAddress> unused;
  for (const Prefix& pool : network.pools) {
    // The very last of an IPv4 network is its broadcast address.
    auto address = pool.range().last.previous();
    if (address && *address != pool.range().first) unused.push_back(*address);
  }
  const auto gateway = network.gateway_addresses();
  std::erase_if(unused, [&](const IpAddress& address) {
    return std::ranges::count(gateway, address) > 0 ||
           std::ranges::any_of(policy.devices, [&](const auto& device) {
             return std::ranges::count(device.second.addresses, address) > 0;
           });
  });
  return unused;
}

}  // namespace sekisho::engine

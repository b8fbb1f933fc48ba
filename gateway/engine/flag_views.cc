#include "gateway/engine/flag_views.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/engine/edit.h"
#include "gateway/notice/notice.h"
#include "policy/base/text.h"
#include "policy/model/values.h"

namespace sekisho::engine {

namespace {

Node text(std::string_view value) {
  return {std::string(value)};
}

Result<Severity> severity_of(const std::string& word) {
  if (word.empty()) return Severity::high;
  for (const Severity severity : kSeverities) {
    if (word == to_string(severity)) return severity;
  }
  return fail(ErrorCode::invalid, "severity", quote(word) + " is no severity",
              "give low, medium, high or critical");
}

// What a source says stands in records and on screens: one plain line, cut where it is longer.
std::string plain(const std::string& said) {
  return notice::plain(said, kMaxTextBytes);
}

}  // namespace

Result<Flag> flag_of(const control::Request& request, Time now) {
  const std::string& source = text_parameter(request, "source");
  if (auto checked = check_text(source); !checked) {
    return fail(ErrorCode::invalid, "source", checked.error().cause,
                "say who flags it: --source clamav");
  }
  const auto severity = severity_of(text_parameter(request, "severity"));
  if (!severity) return std::unexpected(severity.error());
  const std::string& key = text_parameter(request, "key");
  if (auto checked = check_text(key); !key.empty() && !checked) {
    return fail(ErrorCode::invalid, "key", checked.error().cause, checked.error().advice);
  }
  return Flag{.number = {},
              .time = now,
              .source = source,
              .key = key,
              .severity = *severity,
              .detail = plain(text_parameter(request, "detail")),
              .device = {},
              .person = {},
              .outcome = {},
              .by = {}};
}

Result<void> name_flagged(Flag& flag, const QuarantineTarget& target, const Policy& policy) {
  const auto missing = [&] {
    return fail(ErrorCode::not_found, to_string(target), "does not exist",
                "give device:ID or person:ID; list them: device list");
  };
  if (const auto* id = std::get_if<DeviceId>(&target)) {
    const auto device = policy.devices.find(*id);
    if (device == policy.devices.end()) return missing();
    flag.device = *id;
    flag.person = device->second.person;
    flag.public_key = device->second.public_key;
    return {};
  }
  const auto* person = std::get_if<PersonId>(&target);
  if (person == nullptr) {
    return fail(ErrorCode::invalid, to_string(target), "cannot be flagged",
                "flag a device or a person; quarantine it: quarantine add " + to_string(target));
  }
  if (!policy.people.contains(*person)) return missing();
  flag.person = *person;
  return {};
}

Result<FlagNumber> flag_number(const control::Request& request) {
  const std::int64_t number = number_parameter(request, "flag").value_or(0);
  if (number > 0) return FlagNumber(static_cast<std::uint64_t>(number));
  return fail(ErrorCode::invalid, "flag", std::to_string(number) + " is no number of a flag",
              "list what there is: sekisho flag list");
}

Node show_flag(const Flag& flag) {
  const auto or_nothing = [](const std::string& value) {
    return value.empty() ? Node{} : Node{value};
  };
  Node::Table shown;
  if (flag.number) {
    shown.emplace_back("flag", Node{static_cast<std::int64_t>(flag.number.value())});
  }
  const std::array<Node::Member, 10> rest{{{"time", text(to_string(flag.time))},
                                           {"device", or_nothing(flag.device.str())},
                                           {"person", text(flag.person.str())},
                                           {"source", text(flag.source)},
                                           {"severity", text(to_string(flag.severity))},
                                           {"detail", or_nothing(flag.detail)},
                                           {"key", or_nothing(flag.key)},
                                           {"by", text(flag.by)},
                                           {"state", text(to_string(flag.state))},
                                           {"outcome", text(flag.outcome)}}};
  std::ranges::copy(rest, std::back_inserter(shown));
  return {std::move(shown)};
}

std::string as_toml(const Flag& flag) {
  Node shown = show_flag(flag);
  std::erase_if(std::get<Node::Table>(shown.value), [](const auto& member) {
    return std::holds_alternative<std::monostate>(member.second.value);
  });
  return write_toml(shown);
}

std::string flagged(const Flag& flag) {
  return flag.device.empty() ? "person." + flag.person.str() : "device." + flag.device.str();
}

Error no_flag(FlagNumber number) {
  return {ErrorCode::not_found,
          "flag." + std::to_string(number.value()),
          "does not exist",
          {},
          "list what there is: sekisho flag list"};
}

Hold hold_by(Reaction action) {
  return action == Reaction::cut ? Hold::cut : Hold::isolate;
}

Quarantine quarantine_for(const Flag& flag, Hold level) {
  Quarantine quarantine{
      .target = flag.device.empty() ? QuarantineTarget{flag.person} : QuarantineTarget{flag.device},
      .level = level,
      .reason = plain(flag.source + ": " +
                      (flag.detail.empty() ? std::string(to_string(flag.severity)) : flag.detail)),
      .by = flag.by,
      .devices = {},
      .keys = {}};
  quarantine.automatic = true;
  return quarantine;
}

bool is_officer(const Policy& policy, const PersonId& person) {
  if (policy.response.officer) return *policy.response.officer == person;
  const auto found = policy.people.find(person);
  return found != policy.people.end() && found->second.kind == PersonKind::owner;
}

std::size_t most_automatic(const Policy& policy) {
  const auto all = static_cast<std::int64_t>(policy.devices.size());
  const std::int64_t share = all * policy.response.most_percent / 100;
  return static_cast<std::size_t>(
      std::max<std::int64_t>(1, std::min(policy.response.most_devices, share)));
}

}  // namespace sekisho::engine

#include <algorithm>
#include <utility>

#include "gateway/engine/engine.h"

// The end of a person: all that is theirs in one step, and before it what that is.
namespace sekisho::engine {

namespace {

template <class Id>
Node names_of(const std::vector<Id>& ids) {
  Node::Array names;
  for (const Id& id : ids) names.push_back({id.str()});
  return {std::move(names)};
}

}  // namespace

Checked<Edit> edit_offboarding(const Policy& policy, const control::Request& request) {
  const PersonId id(text_parameter(request, "id"));
  Edit edit{
      .change = {}, .object = "person." + id.str(), .reason = text_parameter(request, "reason")};
  const auto found = policy.people.find(id);
  if (found == policy.people.end()) {
    return std::unexpected(Errors{{ErrorCode::not_found,
                                   edit.object,
                                   "does not exist",
                                   {},
                                   "list what there is: person list"}});
  }
  std::vector<DeviceId> devices;
  for (const auto& [device_id, device] : policy.devices) {
    if (device.person != id) continue;
    devices.push_back(device_id);
    edit.change.devices[device_id] = std::nullopt;
    edit.purge.insert(device.addresses.begin(), device.addresses.end());
  }
  std::vector<GrantId> grants;
  for (const auto& [grant_id, grant] : policy.grants) {
    if (grant.who != Who(id)) continue;
    grants.push_back(grant_id);
    edit.change.grants[grant_id] = std::nullopt;
  }
  Person ended = found->second;
  const std::vector<RoleId> roles = std::exchange(ended.roles, {});
  ended.state = PersonState::suspended;
  edit.change.people[id] = ended;
  edit.ended = {
      {"devices", names_of(devices)}, {"grants", names_of(grants)}, {"roles", names_of(roles)}};
  edit.before = write_toml({edit.ended});
  return edit;
}

// Without --yes only what would end is said, with the connections that live now.
Effects Engine::offboard(const Asked& asked, Time now) {
  auto edit = edit_offboarding(active_->policy.policy(), asked.request);
  if (!edit || flag_parameter(asked.request, "yes")) return begin(asked, std::move(edit), now);
  return await(ReadFlows{}, [this, id = asked.id, edit = *std::move(edit)](Outcome outcome, Time) {
    if (!outcome) return answer(id, std::unexpected(Errors{std::move(outcome.error())}));
    const auto& flows = std::get<std::vector<LiveFlow>>(*outcome);
    const auto live = std::ranges::count_if(
        flows, [&](const LiveFlow& flow) { return edit.purge.contains(flow.source); });
    Node::Table preview{{"object", {edit.object}}, {"changed", {false}}};
    std::ranges::copy(edit.ended, std::back_inserter(preview));
    preview.emplace_back("connections", Node{static_cast<std::int64_t>(live)});
    return answer(id, Node{std::move(preview)});
  });
}

}  // namespace sekisho::engine

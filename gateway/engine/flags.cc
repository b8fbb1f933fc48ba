#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/engine/engine.h"
#include "gateway/engine/flag_views.h"
#include "gateway/engine/notices.h"
#include "gateway/engine/quarantine_views.h"
#include "gateway/engine/views.h"

// Flags from outside: an antivirus, an EDR, a SIEM says that a device is bad, and the policy says
// what that does. A guard keeps a mistaken source from putting everybody off the network.
namespace sekisho::engine {

using control::Authority;
using control::OperationId;

namespace {

// Of one device, from inside the tunnel: what is more is refused.
constexpr int kMostFlags = 30, kMostRecorded = 3;
constexpr std::chrono::minutes kIn{1};

Error no_token() {
  return {ErrorCode::not_permitted,
          "token",
          "is not one of the device at this address",
          {},
          "make one (sekisho device token ID) and give it to that device alone"};
}

const std::pair<const DeviceId, Device>* device_at(const Policy& policy, const IpAddress& address) {
  const auto found = std::ranges::find_if(policy.devices, [&](const auto& device) {
    return std::ranges::count(device.second.addresses, address) > 0;
  });
  return found == policy.devices.end() ? nullptr : &*found;
}

notice::Severity severity_of(Severity severity) {
  switch (severity) {
    case Severity::low:
      return notice::Severity::low;
    case Severity::medium:
      return notice::Severity::medium;
    case Severity::high:
      return notice::Severity::high;
    case Severity::critical:
      return notice::Severity::critical;
  }
  return notice::Severity::critical;
}

}  // namespace

Effects Engine::flag(const Asked& asked, Time now) {
  const RequestId id = asked.id;
  switch (asked.request.operation) {
    case OperationId::flag_add:
      return add_flag(asked, now);
    case OperationId::flag_list: {
      const auto limit = limit_of(asked.request);
      if (!limit) return answer(id, std::unexpected(limit.error()));
      return await(ReadFlags{*limit}, [this, id](Outcome outcome, Time) -> Effects {
        if (!outcome) return answer(id, std::unexpected(Errors{std::move(outcome.error())}));
        Node::Array rows;
        for (const Flag& each : std::get<std::vector<Flag>>(*outcome)) {
          rows.push_back(show_flag(each));
        }
        return answer(id, Node{std::move(rows)});
      });
    }
    case OperationId::flag_show: {
      const auto number = flag_number(asked.request);
      if (!number) return answer(id, std::unexpected(Errors{number.error()}));
      return await(ReadFlag{*number},
                   [this, id, number = *number](Outcome outcome, Time) -> Effects {
                     if (!outcome) {
                       return answer(id, std::unexpected(Errors{std::move(outcome.error())}));
                     }
                     const auto& found = std::get<std::optional<Flag>>(*outcome);
                     if (!found) return answer(id, std::unexpected(Errors{no_flag(number)}));
                     return answer(id, show_flag(*found));
                   });
    }
    default:
      return decide_flag(asked);
  }
}

Effects Engine::make_token(const Asked& asked) {
  const DeviceId id(text_parameter(asked.request, "id"));
  const Entry entry{.actor = asked.actor,
                    .operation = control::operation(asked.request.operation).name(),
                    .object = "device." + id.str(),
                    .reason = text_parameter(asked.request, "reason")};
  if (!active_->policy.policy().devices.contains(id)) {
    return reject(asked, entry,
                  {{ErrorCode::not_found,
                    entry.object,
                    "does not exist",
                    {},
                    "list what there is: device list"}});
  }
  return await(MakeToken{id, entry}, [this, asked, id, entry](Outcome outcome, Time) -> Effects {
    if (!outcome) return reject(asked, entry, {std::move(outcome.error())});
    return answer(asked.id, Node{Node::Table{{"device", {id.str()}},
                                             {"token", {std::get<std::string>(*outcome)}}}});
  });
}

Effects Engine::add_flag(const Asked& asked, Time now) {
  if (asked.actor.authority == Authority::portal) return hear_device(asked, now);
  Entry entry{.actor = asked.actor, .operation = "flag.add", .object = "flag"};
  auto flag = flag_of(asked.request, now);
  if (!flag) return reject(asked, std::move(entry), {std::move(flag.error())});
  flag->by = asked.actor.name;
  for (const std::string_view name : {"token", "address"}) {
    if (asked.request.parameters.find(name) == nullptr) continue;
    return reject(asked, std::move(entry),
                  {{ErrorCode::invalid,
                    std::string(name),
                    "is for devices, which speak through the portal",
                    {},
                    "say whom: flag add device:ID --source NAME"}});
  }
  const Policy& policy = active_->policy.policy();
  const auto target = target_of(asked.request, policy);
  if (!target) return reject(asked, std::move(entry), {target.error()});
  if (auto named = name_flagged(*flag, *target, policy); !named) {
    return reject(asked, std::move(entry), {std::move(named.error())});
  }
  return recognise(asked, *std::move(flag), now);
}

// A device's own word, from the portal: the token says whose, and must fit the address that
// WireGuard vouches for. Of what is turned down no more than the first few are recorded, so that
// nobody fills the disk from inside the tunnel; nor does it count against who has the token. A
// token only ever makes things stricter, so it stays good while its device or person is held.
Effects Engine::hear_device(const Asked& asked, Time now) {
  const auto address = IpAddress::parse(text_parameter(asked.request, "address"));
  const auto* device = address ? device_at(active_->policy.policy(), *address) : nullptr;
  const DeviceId id = device == nullptr ? DeviceId() : device->first;
  const Entry entry{.actor = asked.actor,
                    .operation = "flag.add",
                    .object = device == nullptr ? "flag" : "device." + id.str()};
  const auto turn_down = [this, asked, entry, id](Error error, Time at) {
    if (++heard(id, at).turned_down <= kMostRecorded)
      return reject(asked, entry, {std::move(error)});
    return answer(asked.id, std::unexpected(Errors{std::move(error)}));
  };
  auto flag = flag_of(asked.request, now);
  if (!flag) return turn_down(std::move(flag.error()), now);
  if (device == nullptr) return turn_down(no_token(), now);
  flag->device = id;
  flag->person = device->second.person;
  flag->public_key = device->second.public_key;
  flag->by = "device:" + id.str();
  return await(FindToken{text_parameter(asked.request, "token")},
               [this, asked, flag = *std::move(flag), turn_down](Outcome outcome, Time at) {
                 if (!outcome) return turn_down(std::move(outcome.error()), at);
                 if (std::get<std::optional<DeviceId>>(*outcome) != flag.device) {
                   return turn_down(no_token(), at);
                 }
                 return recognise(asked, flag, at);
               });
}

Engine::Heard& Engine::heard(const DeviceId& device, Time now) {
  Heard& heard = heard_[device];
  if (now < heard.since || now >= heard.since + kIn) heard = {.since = now};
  return heard;
}

// A source may say a thing twice: the second time is answered as the first.
Effects Engine::recognise(const Asked& asked, Flag flag, Time now) {
  if (flag.key.empty()) return weigh(asked, std::move(flag), now);
  return await(FindFlag{flag.device, flag.person, flag.source, flag.key},
               [this, asked, flag](Outcome outcome, Time at) -> Effects {
                 const auto* found =
                     outcome ? std::get_if<std::optional<Flag>>(&*outcome) : nullptr;
                 // A disk that cannot be read keeps no compromised device on the network.
                 if (found == nullptr || !*found || !is_repeated(**found, flag, at)) {
                   return weigh(asked, flag, at);
                 }
                 Node shown = show_flag(**found);
                 std::get<Node::Table>(shown.value).emplace_back("repeated", Node{true});
                 return answer(asked.id, std::move(shown));
               });
}

// Whether what came of the flag before still stands, so that there is nothing more to do for this
// one: who was let back since is put off again.
bool Engine::is_repeated(const Flag& before, const Flag& flag, Time now) const {
  if (flag.severity > before.severity) return false;
  const Reaction action = active_->policy.policy().response.reaction(flag.severity);
  Quarantine quarantine = quarantine_for(before, hold_by(action));
  switch (before.state) {
    case FlagState::dismissed:
      return true;
    case FlagState::asking:  // unless there is no need to ask any more
      catch_devices(quarantine, active_->policy.policy());
      return action == Reaction::record || why_ask_first(flag, quarantine, now);
    case FlagState::recorded:
      return action == Reaction::record;
    case FlagState::acted:
      return is_held(quarantine);
  }
  return false;
}

// Whether it has a hold of its own that is no weaker: one of its person or of everyone may be
// released without a thought of it.
bool Engine::is_held(const Quarantine& quarantine) const {
  const Quarantine* own = find_quarantine(quarantine.target);
  return own != nullptr && own->level >= quarantine.level;
}

Effects Engine::weigh(const Asked& asked, Flag flag, Time now) {
  const Policy& policy = active_->policy.policy();
  const Reaction action = policy.response.reaction(flag.severity);
  Quarantine quarantine = quarantine_for(flag, hold_by(action));
  quarantine.since = now;
  catch_devices(quarantine, policy);
  if (action == Reaction::record) {
    flag.state = FlagState::recorded;
    flag.outcome = "the policy records flags of this severity";
  } else if (is_held(quarantine)) {
    flag.state = FlagState::acted;
    flag.outcome = "it is quarantined already";
  } else if (auto why = why_ask_first(flag, quarantine, now)) {
    flag.state = FlagState::asking;
    flag.outcome = *std::move(why);
  } else {
    return act_on(asked, std::move(flag), std::move(quarantine), now);
  }
  if (asked.actor.authority == Authority::portal && ++heard(flag.device, now).taken > kMostFlags) {
    return answer(asked.id,
                  std::unexpected(
                      Errors{{ErrorCode::failed,
                              flagged(flag),
                              "speaks more than " + std::to_string(kMostFlags) + " times a minute",
                              {},
                              "send a thing once, with a key"}}));
  }
  return keep_flag(asked, flag, {});
}

// It is put off the network by itself.
Effects Engine::act_on(const Asked& asked, Flag flag, Quarantine quarantine, Time now) {
  flag.state = FlagState::acted;
  flag.outcome = std::string("it was ") + (quarantine.level == Hold::cut ? "cut off" : "isolated");
  Entry entry{.actor = asked.actor,
              .operation = "quarantine.add",
              .object = to_string(quarantine.target),
              .reason = quarantine.reason};
  succeed_former(quarantine, entry);
  return contain(
      std::move(quarantine), entry,
      [this, asked, flag](const Containment& done, Time) -> Effects {
        Flag kept = flag;
        if (!done.errors.empty()) kept.outcome += ", but: " + to_string(done.errors.front());
        return keep_flag(asked, kept, show_proof(done.proof, moment_));
      },
      now);
}

// Why the officer has to say so first; nothing where it may be done at once.
std::optional<std::string> Engine::why_ask_first(const Flag& flag, const Quarantine& quarantine,
                                                 Time now) const {
  const Policy& policy = active_->policy.policy();
  if (is_officer(policy, flag.person)) {
    return "it is the officer's own: nothing is done by itself, decide with flag act or flag "
           "dismiss";
  }
  const std::size_t most = most_automatic(policy);
  std::set<DeviceId> devices(quarantine.devices.begin(), quarantine.devices.end());
  for (const AutomaticQuarantine& each : automatic_) {
    // One that is yet to come was before the clock was set back.
    if (each.since + policy.response.window <= now) continue;
    devices.insert(each.devices.begin(), each.devices.end());
  }
  if (devices.size() <= most) return std::nullopt;
  return "it would be device " + std::to_string(devices.size()) + " in " +
         to_string(policy.response.window) + " and the guard allows " + std::to_string(most) +
         " without being asked: decide with flag act or flag dismiss";
}

Effects Engine::keep_flag(const Asked& asked, const Flag& flag, std::optional<Node> proof) {
  const Entry entry{.actor = asked.actor,
                    .operation = "flag.add",
                    .object = flagged(flag),
                    .after = as_toml(flag),
                    .reason = flag.detail};
  return await(
      StoreFlag{flag, entry},
      [this, asked, flag, entry, proof = std::move(proof)](Outcome outcome, Time) -> Effects {
        Flag kept = flag;
        if (!outcome) {
          Error error = std::move(outcome.error());
          error.cause = flag.outcome + "; the flag itself was not kept: " + error.cause;
          return reject(asked, entry, {std::move(error)});
        }
        kept.number = std::get<FlagNumber>(*outcome);
        if (kept.state == FlagState::asking) ++flags_asking_;
        Entry told = entry;
        told.after = as_toml(kept);
        Effects effects;
        effects.emplace_back(
            Notify{notice_of(told, notice::Kind::flag, severity_of(kept.severity))});
        Node shown = show_flag(kept);
        auto& table = std::get<Node::Table>(shown.value);
        table.emplace_back("repeated", Node{false});
        if (proof) table.emplace_back("proof", *proof);
        effects.emplace_back(Answer{asked.id, std::move(shown)});
        return effects;
      });
}

}  // namespace sekisho::engine

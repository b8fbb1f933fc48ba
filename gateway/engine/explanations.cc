#include "gateway/engine/explanations.h"

#include <algorithm>
#include <utility>

#include "gateway/engine/edit.h"
#include "gateway/engine/views.h"
#include "policy/base/text.h"
#include "policy/explain/matrix.h"
#include "policy/explain/reasoning.h"
#include "policy/explain/review.h"

namespace sekisho::engine {

namespace {

Node text(std::string_view value) {
  return {std::string(value)};
}

Node number(std::uint64_t value) {
  return {static_cast<std::int64_t>(value)};
}

struct Destination {
  IpAddress address;
  Protocol protocol = Protocol::tcp;
  Port port;
};

Result<Destination> parse_destination(std::string_view given) {
  const auto wrong = [&](std::string cause) {
    return fail(ErrorCode::invalid, "destination",
                "\"" + std::string(given) + "\": " + std::move(cause),
                "write 203.0.113.7:443, [2001:db8::7]:443 or 203.0.113.7:443/udp");
  };
  Destination destination;
  std::string_view rest = given;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view protocol = rest.substr(slash + 1);
    if (protocol != "tcp" && protocol != "udp") return wrong("the protocol is neither tcp nor udp");
    destination.protocol = protocol == "udp" ? Protocol::udp : Protocol::tcp;
    rest = rest.substr(0, slash);
  }
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return wrong("the port is missing");
  std::string_view host = rest.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  auto address = IpAddress::parse(host);
  if (!address) return wrong(address.error().cause);
  auto port = PortRange::parse(rest.substr(colon + 1));
  if (!port || port->first != port->last) return wrong("the port is not a number from 1 to 65535");
  destination.address = *address;
  destination.port = port->first;
  return destination;
}

// Who is asked for: "tanaka", "person:tanaka", "device:laptop".
struct Subject {
  std::optional<PersonId> person;
  std::optional<DeviceId> device;
};

Result<Subject> parse_who(const Policy& policy, const std::string& who) {
  const bool only_person = who.starts_with("person:");
  const bool only_device = who.starts_with("device:");
  const std::string name = only_person || only_device ? who.substr(who.find(':') + 1) : who;
  const bool person = !only_device && policy.people.contains(PersonId(name));
  const bool device = !only_person && policy.devices.contains(DeviceId(name));
  if (person && device) {
    return fail(ErrorCode::invalid, "who", quote(name) + " is a person and a device",
                "write person:" + name + " or device:" + name);
  }
  if (person) return Subject{.person = PersonId(name), .device = {}};
  if (device) return Subject{.person = {}, .device = DeviceId(name)};
  return fail(ErrorCode::not_found, "who", "there is no person and no device " + quote(who),
              "list them: person list, device list");
}

// The tunnel address to ask for: of the device, or of a device of the person, an active one that is
// held least. None where no such device has an address of the family.
std::optional<IpAddress> source_of(const Policy& policy, const Quarantined& quarantined,
                                   const Subject& subject, Family family) {
  std::optional<IpAddress> source;
  auto least = std::pair(DeviceState::blocked, Hold::cut);
  for (const auto& [id, device] : policy.devices) {
    if (id != subject.device && device.person != subject.person) continue;
    const auto address = std::ranges::find(device.addresses, family, &IpAddress::family);
    if (address == device.addresses.end()) continue;
    const auto its = std::pair(device.state, quarantined.on(id, device));
    if (source && its >= least) continue;
    source = *address;
    least = its;
  }
  return source;
}

template <class Id>
Node id_or_nothing(const std::optional<Id>& id) {
  return id ? text(id->str()) : Node{};
}

Node time_or_nothing(const std::optional<Time>& time) {
  return time ? text(to_string(*time)) : Node{};
}

template <class Items>
Node texts(const Items& items) {
  Node::Array nodes;
  for (const auto& item : items) {
    if constexpr (requires { item.str(); }) {
      nodes.push_back(text(item.str()));
    } else {
      nodes.push_back(text(item));
    }
  }
  return {std::move(nodes)};
}

// What is asked for; without a flow where no device could send it.
struct Asking {
  Subject who;
  std::optional<Flow> flow;
  Family family = Family::v4;
};

Checked<Asking> asking_of(const ValidPolicy& policy, const Quarantined& quarantined,
                          const control::Request& request) {
  const auto to = parse_destination(text_parameter(request, "destination"));
  if (!to) return std::unexpected(Errors{to.error()});
  const auto who = parse_who(policy.policy(), text_parameter(request, "who"));
  if (!who) return std::unexpected(Errors{who.error()});
  Asking asking{.who = *who, .flow = {}, .family = to->address.family()};
  if (const auto source = source_of(policy.policy(), quarantined, *who, asking.family)) {
    asking.flow = Flow{
        .source = *source, .destination = to->address, .protocol = to->protocol, .port = to->port};
  }
  return asking;
}

Node::Table show_no_device(const Asking& asking) {
  const std::string version = asking.family == Family::v4 ? "IPv4" : "IPv6";
  return {{"answer", {false}},
          {"reason", text("no_device")},
          {"explanation",
           text(asking.who.person
                    ? asking.who.person->str() + " has no device with an " + version + " address"
                    : asking.who.device->str() + " has no " + version + " address")},
          {"person", id_or_nothing(asking.who.person)},
          {"device", id_or_nothing(asking.who.device)}};
}

Node::Table show_decision(const ValidPolicy& policy, const Flow& flow, const Decision& decision) {
  return {
      {"answer", {decision.verdict == Verdict::permit}},
      {"reason", text(to_string(decision.reason))},
      {"explanation", text(explain(policy, flow, decision))},
      {"person", id_or_nothing(decision.person)},
      {"device", id_or_nothing(decision.device)},
      {"resource", id_or_nothing(decision.resource)},
      {"grant", id_or_nothing(decision.grant)},
      {"until", decision.verdict == Verdict::permit ? time_or_nothing(decision.until) : Node{}}};
}

// The objects that a matrix is asked of; all where none is named.
template <class Id, class Known>
Checked<std::vector<Id>> chosen(const control::Request& request, std::string_view parameter,
                                std::string_view kind, const std::vector<Id>& all,
                                const Known& known) {
  const std::vector<std::string> names = list_parameter(request, parameter);
  if (names.empty()) return all;
  std::vector<Id> ids;
  Errors errors;
  for (const std::string& name : names) {
    if (known(Id(name))) {
      ids.emplace_back(name);
    } else {
      errors.push_back({ErrorCode::not_found,
                        std::string(kind) + "." + name,
                        "does not exist",
                        {},
                        "list what there is: " + std::string(kind) + " list"});
    }
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return ids;
}

Node::Array show_access(const std::vector<AccessChange>& changes) {
  Node::Array rows;
  for (const AccessChange& change : changes) {
    rows.push_back(
        {Node::Table{{"people", texts(change.people)},
                     {"change", text(to_string(change.kind))},
                     {"resource", text(change.resource.str())},
                     {"services", texts(change.services)},
                     {"only_at", change.where.empty() ? Node{} : texts(change.where)},
                     {"before", change.before.empty() ? Node{} : text(to_string(change.before))},
                     {"after", change.after.empty() ? Node{} : text(to_string(change.after))}}});
  }
  return rows;
}

Node::Array show_ended(const Policy& policy, const std::vector<LiveFlow>& flows,
                       const std::vector<std::size_t>& ended) {
  Node::Array rows;
  for (const std::size_t index : ended) {
    const LiveFlow& flow = flows[index];
    const auto device = std::ranges::find_if(policy.devices, [&](const auto& entry) {
      return std::ranges::count(entry.second.addresses, flow.source) > 0;
    });
    const bool known = device != policy.devices.end();
    rows.push_back({Node::Table{{"device", known ? text(device->first.str()) : Node{}},
                                {"person", known ? text(device->second.person.str()) : Node{}},
                                {"protocol", text(flow.protocol == Protocol::tcp ? "tcp" : "udp")},
                                {"source", text(flow.source.to_string())},
                                {"source_port", number(flow.source_port.value())},
                                {"destination", text(flow.destination.to_string())},
                                {"destination_port", number(flow.port.value())},
                                {"bytes", number(flow.bytes)}}});
  }
  return rows;
}

}  // namespace

Checked<Node> can(const ValidPolicy& policy, const Quarantined& quarantined,
                  const control::Request& request, Time at) {
  const auto asking = asking_of(policy, quarantined, request);
  if (!asking) return std::unexpected(asking.error());
  if (!asking->flow) return Node{show_no_device(*asking)};
  return Node{
      show_decision(policy, *asking->flow, evaluate(policy, *asking->flow, at, quarantined))};
}

Checked<Node> explain_flow(const ValidPolicy& policy, const Quarantined& quarantined,
                           const control::Request& request, Time at, const Tables* in_kernel) {
  const auto asking = asking_of(policy, quarantined, request);
  if (!asking) return std::unexpected(asking.error());
  Node::Array steps;
  if (!asking->flow) {
    Node::Table result = show_no_device(*asking);
    result.emplace_back("steps", Node{std::move(steps)});
    return Node{std::move(result)};
  }
  const Flow& flow = *asking->flow;
  Node::Table result = show_decision(policy, flow, evaluate(policy, flow, at, quarantined));
  for (const Step& step : reasoning(policy, flow, at, quarantined)) {
    steps.push_back({Node::Table{{"object", text(step.object)}, {"finding", text(step.finding)}}});
  }
  result.emplace_back("steps", Node{std::move(steps)});
  if (in_kernel != nullptr) result.emplace_back("elements", texts(elements_of(*in_kernel, flow)));
  return Node{std::move(result)};
}

Checked<Node> show_matrix(const ValidPolicy& valid, const Compiled* compiled,
                          const control::Request& request, Time at) {
  const Policy& policy = valid.policy();
  std::vector<PersonId> all_people;
  for (const auto& [id, person] : policy.people) all_people.push_back(id);
  std::vector<ResourceId> all_resources;
  for (const auto& [id, resource] : policy.resources) all_resources.push_back(id);
  if (!policy.resources.contains(kInternet)) all_resources.push_back(kInternet);
  const auto people = chosen(request, "people", "person", all_people,
                             [&](const PersonId& id) { return policy.people.contains(id); });
  if (!people) return std::unexpected(people.error());
  const auto resources = chosen(
      request, "resources", "resource", all_resources,
      [&](const ResourceId& id) { return id == kInternet || policy.resources.contains(id); });
  if (!resources) return std::unexpected(resources.error());
  if (people->size() * resources->size() > kMostCells) {
    return std::unexpected(
        Errors{{ErrorCode::invalid,
                "matrix",
                std::to_string(people->size()) + " people by " + std::to_string(resources->size()) +
                    " resources are more than can be shown",
                {},
                "ask for some of them: --person, --resource"}});
  }
  const Result<AtomSpace> anew = compiled == nullptr ? cut(valid, {}) : AtomSpace{};
  if (!anew) return std::unexpected(Errors{anew.error()});
  const AtomSpace& space = compiled == nullptr ? *anew : compiled->space;
  Node::Array rows;
  for (const MatrixCell& cell : matrix({valid, space}, *people, *resources, at)) {
    rows.push_back({Node::Table{
        {"person", text(cell.person.str())},
        {"resource", text(cell.resource.str())},
        {"reach", text(to_string(cell.reach))},
        {"reason", text(cell.reason ? to_string(*cell.reason) : std::string_view("no_device"))},
        {"grant", id_or_nothing(cell.grant)},
        {"until", time_or_nothing(cell.until)}}});
  }
  return Node{std::move(rows)};
}

Node show_review(Version version, Time now) {
  Node::Array rows;
  for (const GrantFinding& finding : review(version, now)) {
    rows.push_back({Node::Table{{"grant", text(finding.grant.str())},
                                {"finding", text(to_string(finding.kind))},
                                {"why", text(finding.why)},
                                {"by", texts(finding.by)}}});
  }
  return {std::move(rows)};
}

Node show_changes(const ValidPolicy& before, const Compiled& compiled, const Comparison& to,
                  const std::vector<LiveFlow>& flows, Time now) {
  return {Node::Table{
      {"objects", show_difference(before.policy(), to.after.policy())},
      {"access",
       {show_access(
           access_changes({before, compiled.space}, {to.after, to.compiled.space}, to.edit, now))}},
      {"flows", {show_ended(before.policy(), flows, ended(compiled, to.compiled, flows))}}}};
}

}  // namespace sekisho::engine

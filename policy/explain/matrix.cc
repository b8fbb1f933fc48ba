#include "policy/explain/matrix.h"

#include <algorithm>
#include <map>
#include <set>

#include "policy/compile/destination_space.h"
#include "policy/explain/boxes.h"

namespace sekisho {
namespace {

struct Point {
  IpAddress address;
  Protocol protocol = Protocol::tcp;
  Port port;
};

// One destination of the source in each atom and family, and one of each service outside all atoms.
std::vector<Point> points_of(const Source& source, const AtomSpace& space) {
  std::vector<Point> points;
  std::set<std::pair<AtomMark, Family>> seen;
  const auto add = [&](const Destinations& box) {
    points.push_back({box.addresses.first, box.protocol, box.ports.first});
  };
  for (const Service& service : source.services) {
    for (const AddressRange& range : source.addresses) {
      const Destinations asked{range, service.protocol(), service.ports};
      Boxes taken;
      for (const Atom& atom : space.atoms) {
        for (const Destinations& box : atom.where) {
          if (!meet(box, asked)) continue;
          taken.push_back(box);
          if (seen.insert({atom.mark, range.first.family()}).second) add(common(box, asked));
        }
      }
      const Boxes closed = without({asked}, taken);
      if (!closed.empty()) add(closed.front());
    }
  }
  return points;
}

std::vector<IpAddress> addresses_of(const Policy& policy, const PersonId& person) {
  std::vector<IpAddress> addresses;
  for (const auto& [id, device] : policy.devices) {
    if (device.person != person || device.state != DeviceState::active) continue;
    addresses.insert(addresses.end(), device.addresses.begin(), device.addresses.end());
  }
  return addresses;
}

std::optional<Time> sooner(const std::optional<Time>& a, const std::optional<Time>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

MatrixCell cell_of(const ValidPolicy& policy, const PersonId& person,
                   const std::vector<IpAddress>& from, const ResourceId& resource,
                   const std::vector<Point>& to, Time at) {
  MatrixCell cell{.person = person, .resource = resource};
  std::size_t asked = 0;
  std::size_t open = 0;
  for (const Point& point : to) {
    const auto source = std::ranges::find(from, point.address.family(), &IpAddress::family);
    if (source == from.end()) continue;
    const Flow flow{.source = *source,
                    .destination = point.address,
                    .protocol = point.protocol,
                    .port = point.port};
    const Decision decision = evaluate(policy, flow, at);
    ++asked;
    const bool first_open = decision.verdict == Verdict::permit && open++ == 0;
    if (decision.verdict == Verdict::permit) cell.until = sooner(cell.until, decision.until);
    if (first_open || asked == 1) {
      cell.reason = decision.reason;
      cell.grant = decision.grant;
    }
  }
  if (open > 0) cell.reach = open == asked ? MatrixCell::Reach::open : MatrixCell::Reach::part;
  // Somebody without a device there has a standing all the same.
  if (asked == 0 && !from.empty()) cell.reason = Reason::no_resource;
  return cell;
}

}  // namespace

std::vector<MatrixCell> matrix(Version version, const std::vector<PersonId>& people,
                               const std::vector<ResourceId>& resources, Time at) {
  std::map<ResourceId, std::vector<Point>> points;
  const std::set<ResourceId> asked(resources.begin(), resources.end());
  for (const Source& source : sources_of(version.policy)) {
    if (asked.contains(source.id)) points[source.id] = points_of(source, version.space);
  }
  std::vector<MatrixCell> cells;
  for (const PersonId& person : people) {
    const std::vector<IpAddress> from = addresses_of(version.policy.policy(), person);
    for (const ResourceId& resource : resources) {
      cells.push_back(cell_of(version.policy, person, from, resource, points[resource], at));
    }
  }
  return cells;
}

std::string_view to_string(MatrixCell::Reach reach) {
  switch (reach) {
    case MatrixCell::Reach::closed:
      return "closed";
    case MatrixCell::Reach::part:
      return "part";
    case MatrixCell::Reach::open:
      return "open";
  }
  return "closed";
}

}  // namespace sekisho

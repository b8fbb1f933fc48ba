#include "policy/compile/destination_space.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "policy/compile/internet.h"

namespace sekisho {
namespace {

using Ranges = std::vector<AddressRange>;

void append(Ranges& ranges, std::span<const Prefix> prefixes) {
  for (const Prefix& prefix : prefixes) ranges.push_back(prefix.range());
}

// Where no resource leads, whatever it says.
Ranges closed_ranges(const Network& network) {
  Ranges closed;
  append(closed, never_destinations());
  for (const IpAddress& address : network.gateway_addresses()) closed.push_back({address, address});
  return closed;
}

bool is_unicast(const Prefix& prefix) {
  return std::ranges::any_of(unicast_space(),
                             [&](const Prefix& space) { return space.contains(prefix); });
}

// Unicast space as the registries leave it. Shorter prefixes first, so that the longest decides.
Ranges globally_reachable() {
  Ranges reachable;
  append(reachable, unicast_space());
  std::vector<SpecialUse> rows(special_use_registry().begin(), special_use_registry().end());
  std::ranges::stable_sort(rows, {}, [](const SpecialUse& row) { return row.prefix.length(); });
  for (const SpecialUse& row : rows) {
    if (!row.globally_reachable) {
      reachable = subtract(std::move(reachable), {row.prefix.range()});
    } else if (is_unicast(row.prefix)) {
      reachable.push_back(row.prefix.range());
    }
  }
  return reachable;
}

Ranges internet_addresses(const Policy& policy, const Network& network) {
  static const Ranges reachable = globally_reachable();
  Ranges internet = reachable;
  append(internet, network.public_prefixes);

  Ranges elsewhere = closed_ranges(network);
  append(elsewhere, network.pools);
  for (const auto& [id, resource] : policy.resources) append(elsewhere, resource.prefixes);
  return subtract(std::move(internet), std::move(elsewhere));
}

Source gateway_services(const Network& network) {
  Source services;
  for (const GatewayService& service : kGatewayServices) {
    services.services.push_back(
        {.kind = service.protocol == Protocol::tcp ? ServiceKind::tcp : ServiceKind::udp,
         .ports = {service.port, service.port},
         .reason = "the gateway's own"});
  }
  for (const IpAddress& address : network.gateway_addresses()) {
    services.addresses.push_back({address, address});
  }
  services.addresses = join(std::move(services.addresses));
  return services;
}

// The first or the last address of one of a source's ranges.
struct Edge {
  IpAddress at;
  bool closes = false;
  std::uint32_t source = 0;
  auto operator<=>(const Edge&) const = default;
};

std::vector<Edge> edges_of(const std::vector<Source>& sources) {
  std::vector<Edge> edges;
  for (std::uint32_t i = 0; i < sources.size(); ++i) {
    for (const AddressRange& range : sources[i].addresses) {
      edges.push_back({range.first, false, i});
      edges.push_back({range.last, true, i});
    }
  }
  std::ranges::sort(edges);
  return edges;
}

SourceSet strictest_of(const SourceSet& covering, const std::vector<Source>& sources) {
  Classification strictest = Classification::public_;
  for (const auto i : covering) {
    if (!sources[i].held) strictest = std::max(strictest, sources[i].classification);
  }
  SourceSet result;
  std::ranges::copy_if(covering, std::back_inserter(result), [&](std::uint32_t i) {
    return !sources[i].held && sources[i].classification == strictest;
  });
  return result;
}

Cover cover_of(const SourceSet& covering, const std::vector<Source>& sources) {
  Cover cover{.strictest = strictest_of(covering, sources), .networks = {}, .held = {}};
  std::ranges::copy_if(covering, std::back_inserter(cover.networks),
                       [&](std::uint32_t i) { return sources[i].network; });
  std::ranges::copy_if(covering, std::back_inserter(cover.held),
                       [&](std::uint32_t i) { return sources[i].held; });
  return cover;
}

// Collects slices in ascending order, joining neighbours with the same cover.
class SliceWriter {
 public:
  void add(const AddressRange& addresses, Cover cover) {
    const auto [entry, fresh] = indexes_.try_emplace(std::move(cover), result_.covers.size());
    if (fresh) result_.covers.push_back(entry->first);
    if (!result_.slices.empty()) {
      Slice& last = result_.slices.back();
      if (last.cover == entry->second && last.addresses.last.next() == addresses.first) {
        last.addresses.last = addresses.last;
        return;
      }
    }
    result_.slices.push_back({addresses, entry->second});
  }
  Slices take() { return std::move(result_); }

 private:
  Slices result_;
  std::map<Cover, std::size_t> indexes_;
};

}  // namespace

// A prefix inside a pool was named on purpose; a wider one only happens to contain the pool.
std::vector<AddressRange> addresses_of(const Resource& resource, const Network& network) {
  Ranges on_purpose;
  Ranges in_passing;
  for (const Prefix& prefix : resource.prefixes) {
    const bool inside = std::ranges::any_of(
        network.pools, [&](const Prefix& pool) { return pool.contains(prefix); });
    (inside ? on_purpose : in_passing).push_back(prefix.range());
  }
  Ranges pools;
  append(pools, network.pools);
  Ranges reached = subtract(std::move(in_passing), std::move(pools));
  reached.insert(reached.end(), on_purpose.begin(), on_purpose.end());
  return subtract(std::move(reached), closed_ranges(network));
}

std::vector<Source> sources_of(const ValidPolicy& policy, const std::vector<Destinations>& held) {
  const Network& network = policy.network();
  std::vector<Source> sources{gateway_services(network)};
  const Ranges internet = internet_addresses(policy.policy(), network);
  for (const auto& [id, resource] : policy.policy().resources) {
    if (id == kInternet) continue;
    sources.push_back({id, !resource.internet, false, resource.classification, resource.services,
                       resource.internet ? internet : addresses_of(resource, network)});
  }
  sources.push_back({kInternet, false, false, Classification::public_,
                     internet_services(policy.policy()), internet});
  // Places with the same ports are one source.
  std::map<std::pair<Protocol, PortRange>, Ranges> by_ports;
  for (const Destinations& place : held)
    by_ports[{place.protocol, place.ports}].push_back(place.addresses);
  for (auto& [ports, addresses] : by_ports) {
    Source source;
    source.held = true;
    source.services.push_back(
        {.kind = ports.first == Protocol::tcp ? ServiceKind::tcp : ServiceKind::udp,
         .ports = ports.second,
         .reason = "held"});
    source.addresses = join(std::move(addresses));
    sources.push_back(std::move(source));
  }
  return sources;
}

// Walks the edges in order of address; between two edges the covering sources are the same.
Slices slice(const std::vector<Source>& sources) {
  SliceWriter writer;
  SourceSet covering;
  std::optional<IpAddress> from;  // where the slice begins that the covering sources share
  for (const Edge& edge : edges_of(sources)) {
    const auto place = std::ranges::lower_bound(covering, edge.source);
    if (!edge.closes) {
      if (!covering.empty() && *from < edge.at) {
        writer.add({*from, *edge.at.previous()}, cover_of(covering, sources));
      }
      covering.insert(place, edge.source);
      from = edge.at;
    } else {
      // Several ranges may end here: the first of them has written the slice.
      if (from && *from <= edge.at) {
        writer.add({*from, edge.at}, cover_of(covering, sources));
      }
      covering.erase(place);
      from = edge.at.next();
    }
  }
  return writer.take();
}

}  // namespace sekisho

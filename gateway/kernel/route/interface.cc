#include "gateway/kernel/route/interface.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <compare>

#include "gateway/kernel/netlink/attributes.h"

namespace sekisho::kernel {
namespace {

// Behind any metric that a person would choose.
constexpr std::uint32_t kLastResortMetric = 1U << 30;

std::uint8_t af(Family family) {
  return family == Family::v4 ? AF_INET : AF_INET6;
}

std::optional<IpAddress> address_of(std::uint8_t family,
                                    std::optional<std::span<const std::uint8_t>> bytes) {
  if (!bytes) return std::nullopt;
  const std::size_t wanted = family == AF_INET ? 4 : 16;
  if (bytes->size() != wanted) return std::nullopt;
  return IpAddress::from_bytes(*bytes);
}

void put(Message& message, std::uint16_t type, const IpAddress& address) {
  mnl_attr_put(message.header(), type, address.bytes().size(), address.bytes().data());
}

struct Address {
  IpAddress address;
  int length = 0;
  std::string text() const { return address.to_string() + "/" + std::to_string(length); }
  auto operator<=>(const Address&) const = default;
};

Message address_message(std::uint16_t type, std::uint16_t flags, std::uint32_t link,
                        const Address& address) {
  Message message(type, flags);
  auto* header = message.extra<ifaddrmsg>();
  header->ifa_family = af(address.address.family());
  header->ifa_prefixlen = static_cast<std::uint8_t>(address.length);
  header->ifa_scope = RT_SCOPE_UNIVERSE;
  header->ifa_index = link;
  put(message, IFA_LOCAL, address.address);
  put(message, IFA_ADDRESS, address.address);
  // Nobody else can hold it, so there is nothing to detect.
  if (type == RTM_NEWADDR) mnl_attr_put_u32(message.header(), IFA_FLAGS, IFA_F_NODAD);
  return message;
}

Result<std::vector<Address>> read_addresses(Socket& socket, std::uint32_t link) {
  Message ask(RTM_GETADDR, 0);
  ask.extra<ifaddrmsg>()->ifa_index = link;
  std::vector<Address> addresses;
  const auto done = socket.dump(
      ask, "addresses", [&] { addresses.clear(); },
      [&](const nlmsghdr& message) -> Result<void> {
        if (message.nlmsg_len < kHeaderLength + sizeof(ifaddrmsg)) return {};
        const auto& header = *static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
        const Attributes values = Attributes::of(message, sizeof header);
        auto address = address_of(header.ifa_family, values.find(IFA_LOCAL));
        if (!address) address = address_of(header.ifa_family, values.find(IFA_ADDRESS));
        if (address && header.ifa_index == link && header.ifa_scope == RT_SCOPE_UNIVERSE) {
          addresses.push_back({*address, header.ifa_prefixlen});
        }
        return {};
      });
  if (!done) return std::unexpected(done.error());
  return addresses;
}

struct Route {
  Prefix to;
  std::uint32_t link = 0;  // 0: unreachable
  std::uint32_t metric = 0;
  std::uint32_t table = RT_TABLE_MAIN;
  auto operator<=>(const Route&) const = default;
};

std::string to_string(const Route& route, const std::string& interface) {
  return "route " + route.to.to_string() + (route.link == 0 ? " unreachable" : " to " + interface);
}

Message route_message(std::uint16_t type, std::uint16_t flags, const Route& route) {
  Message message(type, flags);
  auto* header = message.extra<rtmsg>();
  const bool unreachable = route.link == 0;
  header->rtm_family = af(route.to.family());
  header->rtm_dst_len = static_cast<std::uint8_t>(route.to.length());
  header->rtm_protocol = kRouteProtocol;
  header->rtm_type = unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
  const bool has_scope = route.to.family() == Family::v4 && !unreachable;
  header->rtm_scope = has_scope ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  mnl_attr_put_u32(message.header(), RTA_TABLE, route.table);
  put(message, RTA_DST, route.to.address());
  if (!unreachable) mnl_attr_put_u32(message.header(), RTA_OIF, route.link);
  if (route.metric != 0) mnl_attr_put_u32(message.header(), RTA_PRIORITY, route.metric);
  return message;
}

std::vector<Route> wanted_routes(const std::optional<Link>& link, const Tunnel& tunnel) {
  // The kernel gives an IPv6 route without a metric 1024 (IP6_RT_PRIO_USER).
  const auto metric = [](const Prefix& pool) { return pool.family() == Family::v4 ? 0U : 1024U; };
  std::vector<Route> routes;
  for (const Prefix& pool : tunnel.pools) {
    routes.push_back({.to = pool, .link = 0, .metric = kLastResortMetric});
    if (link) routes.push_back({.to = pool, .link = link->index, .metric = metric(pool)});
  }
  return routes;
}

std::optional<Route> read_route(const nlmsghdr& message) {
  if (message.nlmsg_len < kHeaderLength + sizeof(rtmsg)) return std::nullopt;
  const auto& header = *static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
  if (header.rtm_protocol != kRouteProtocol) return std::nullopt;
  const Attributes values = Attributes::of(message, sizeof header);
  const auto to = address_of(header.rtm_family, values.find(RTA_DST));
  if (!to || header.rtm_dst_len > to->bits()) return std::nullopt;
  Route route{.to = Prefix::covering(*to, header.rtm_dst_len)};
  if (header.rtm_type == RTN_UNICAST) route.link = values.u32(RTA_OIF).value_or(0);
  route.metric = values.u32(RTA_PRIORITY).value_or(0);
  route.table = values.u32(RTA_TABLE).value_or(header.rtm_table);
  return route;
}

// Ours alone: the kernel filters by protocol, so that a full routing table is not copied.
Result<std::vector<Route>> read_routes(Socket& socket, Family family) {
  Message ask(RTM_GETROUTE, 0);
  auto* header = ask.extra<rtmsg>();
  header->rtm_family = af(family);
  header->rtm_protocol = kRouteProtocol;
  std::vector<Route> routes;
  const auto done = socket.dump(
      ask, "routes", [&] { routes.clear(); },
      [&](const nlmsghdr& message) -> Result<void> {
        if (auto route = read_route(message)) routes.push_back(*route);
        return {};
      });
  if (!done) return std::unexpected(done.error());
  return routes;
}

template <class T>
bool contains(const std::vector<T>& all, const T& one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

Result<std::optional<Link>> read_link(Socket& socket, const std::string& interface) {
  Message ask(RTM_GETLINK, 0);
  ask.extra<ifinfomsg>();
  mnl_attr_put_strz(ask.header(), IFLA_IFNAME, interface.c_str());
  std::optional<Link> link;
  const auto done =
      socket.request(ask, "interface " + interface, [&](const nlmsghdr& message) -> Result<void> {
        if (message.nlmsg_len < kHeaderLength + sizeof(ifinfomsg)) return {};
        const auto& header = *static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
        link = Link{.index = static_cast<std::uint32_t>(header.ifi_index),
                    .up = (header.ifi_flags & IFF_UP) != 0,
                    .mtu = Attributes::of(message, sizeof header).u32(IFLA_MTU).value_or(0)};
        return {};
      });
  if (!done && done.error().code != ErrorCode::not_found) return std::unexpected(done.error());
  return link;
}

std::vector<Step> link_steps(const Link& link, const Tunnel& tunnel) {
  std::vector<Step> steps;
  const auto message = [&] {
    Message change(RTM_NEWLINK, 0);
    change.extra<ifinfomsg>()->ifi_index = static_cast<int>(link.index);
    return change;
  };
  if (link.mtu != tunnel.mtu) {
    Message change = message();
    mnl_attr_put_u32(change.header(), IFLA_MTU, tunnel.mtu);
    steps.push_back({"interface " + tunnel.interface + ": MTU is " + std::to_string(link.mtu) +
                         ", not " + std::to_string(tunnel.mtu),
                     std::move(change)});
  }
  if (!link.up) {
    Message change(RTM_NEWLINK, 0);
    auto* header = change.extra<ifinfomsg>();
    header->ifi_index = static_cast<int>(link.index);
    header->ifi_flags = IFF_UP;
    header->ifi_change = IFF_UP;
    steps.push_back({"interface " + tunnel.interface + ": down", std::move(change)});
  }
  return steps;
}

Result<std::vector<Step>> address_steps(Socket& socket, const Link& link, const Tunnel& tunnel) {
  const auto present = read_addresses(socket, link.index);
  if (!present) return std::unexpected(present.error());
  std::vector<Address> wanted;
  for (const IpAddress& address : tunnel.addresses) wanted.push_back({address, address.bits()});
  const std::string on = " on " + tunnel.interface + ": ";
  std::vector<Step> steps;
  // Away first: an address that is there with another length stands in the way.
  for (const Address& address : *present) {
    if (contains(wanted, address)) continue;
    steps.push_back({"address " + address.text() + on + "not to be there",
                     address_message(RTM_DELADDR, 0, link.index, address)});
  }
  for (const Address& address : wanted) {
    if (contains(*present, address)) continue;
    steps.push_back(
        {"address " + address.text() + on + "missing",
         address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, link.index, address)});
  }
  return steps;
}

Result<std::vector<Step>> route_steps(Socket& socket, const std::optional<Link>& link,
                                      const Tunnel& tunnel) {
  std::vector<Route> present;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto routes = read_routes(socket, family);
    if (!routes) return std::unexpected(routes.error());
    present.insert(present.end(), routes->begin(), routes->end());
  }
  const std::vector<Route> wanted = wanted_routes(link, tunnel);
  std::vector<Step> steps;
  for (const Route& route : wanted) {
    if (contains(present, route)) continue;
    steps.push_back({to_string(route, tunnel.interface) + ": missing",
                     route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route)});
  }
  for (const Route& route : present) {
    if (contains(wanted, route)) continue;
    steps.push_back(
        {to_string(route, "interface " + std::to_string(route.link)) + ": not to be there",
         route_message(RTM_DELROUTE, 0, route)});
  }
  return steps;
}

}  // namespace sekisho::kernel

#include "gateway/kernel/route/watcher.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/message.h"

namespace sekisho::kernel {
namespace {

// Rules behind our last one cannot change what ours decide.
constexpr std::uint32_t kLastPriorityThatCounts = 20;

template <class Header>
const Header* header_of(const nlmsghdr& message) {
  if (message.nlmsg_len < kHeaderLength + sizeof(Header)) return nullptr;
  return static_cast<const Header*>(mnl_nlmsg_get_payload(&message));
}

bool is_in_pools(const std::vector<Prefix>& pools, const rtmsg& header, const Attributes& values) {
  const auto bytes = values.find(RTA_DST);
  const std::size_t wanted = header.rtm_family == AF_INET ? 4 : 16;
  if (!bytes || bytes->size() != wanted || header.rtm_dst_len > 8 * wanted) return false;
  const Prefix to = Prefix::covering(IpAddress::from_bytes(*bytes), header.rtm_dst_len);
  return std::ranges::any_of(pools, [&](const Prefix& pool) { return pool.contains(to); });
}

}  // namespace

RouteWatcher::RouteWatcher(Tunnel tunnel, Listener listener, std::uint32_t link)
    : tunnel_(std::move(tunnel)), listener_(std::move(listener)), link_(link) {}

Result<RouteWatcher> RouteWatcher::open(Tunnel tunnel) {
  static constexpr unsigned int kGroups[] = {
      RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
      RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE};
  auto listener = Listener::open(NETLINK_ROUTE, kGroups);
  if (!listener) return std::unexpected(listener.error());
  // After joining, so that an interface that comes meanwhile is heard of.
  const std::uint32_t link = ::if_nametoindex(tunnel.interface.c_str());
  return RouteWatcher(std::move(tunnel), std::move(*listener), link);
}

Result<bool> RouteWatcher::read() {
  bool changed = false;
  const auto seen = listener_.read([&](const nlmsghdr& message) { changed |= concerns(message); });
  if (!seen) return std::unexpected(seen.error());
  if (*seen == Listener::Seen::overrun) {
    link_ = ::if_nametoindex(tunnel_.interface.c_str());
    return true;
  }
  return changed;
}

bool RouteWatcher::concerns(const nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const auto* header = header_of<ifinfomsg>(message);
      if (header == nullptr) return false;
      const auto index = static_cast<std::uint32_t>(header->ifi_index);
      const bool ours =
          Attributes::of(message, sizeof *header).text(IFLA_IFNAME) == tunnel_.interface;
      if (!ours && index != link_) return false;
      // Gone, renamed away, or (back) under our name.
      link_ = ours && message.nlmsg_type == RTM_NEWLINK ? index : 0;
      return true;
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const auto* header = header_of<ifaddrmsg>(message);
      return header != nullptr && link_ != 0 && header->ifa_index == link_ &&
             header->ifa_scope == RT_SCOPE_UNIVERSE;
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: {
      const auto* header = header_of<rtmsg>(message);
      if (header == nullptr) return false;
      const Attributes values = Attributes::of(message, sizeof *header);
      return header->rtm_protocol == kRouteProtocol || is_in_pools(tunnel_.pools, *header, values);
    }
    case RTM_NEWRULE:
    case RTM_DELRULE: {
      const auto* header = header_of<fib_rule_hdr>(message);
      if (header == nullptr) return false;
      const Attributes values = Attributes::of(message, sizeof *header);
      return values.u32(FRA_PRIORITY).value_or(0) <= kLastPriorityThatCounts;
    }
    default:
      return false;
  }
}

}  // namespace sekisho::kernel

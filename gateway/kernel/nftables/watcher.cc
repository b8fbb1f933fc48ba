#include "gateway/kernel/nftables/watcher.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <array>
#include <utility>

#include "gateway/kernel/netlink/attributes.h"

namespace sekisho::kernel {

Result<Watcher> Watcher::open(std::uint32_t own_port) {
  constexpr std::array<unsigned int, 1> kGroups{NFNLGRP_NFTABLES};
  auto listener = Listener::open(NETLINK_NETFILTER, kGroups);
  if (!listener) return std::unexpected(listener.error());
  return Watcher(std::move(*listener), own_port);
}

// Every object of a change is told first, with its table as attribute 1, and the new generation
// last: that message says who it was.
void Watcher::take(const nlmsghdr& message) {
  if (message.nlmsg_pid == own_port_ || message.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) return;
  const Attributes attributes = Attributes::of(message, sizeof(nfgenmsg));
  if ((message.nlmsg_type & 0xff) != NFT_MSG_NEWGEN) {
    touched_.emplace(attributes.text(NFTA_TABLE_NAME).value_or(""));
    return;
  }
  heard_.push_back({.pid = attributes.be32(NFTA_GEN_PROC_PID).value_or(0),
                    .program = std::string(attributes.text(NFTA_GEN_PROC_NAME).value_or("")),
                    .tables = std::exchange(touched_, {})});
}

Result<std::vector<ForeignChange>> Watcher::read() {
  const auto seen = listener_.read([this](const nlmsghdr& message) { take(message); });
  if (!seen) return std::unexpected(seen.error());
  if (*seen == Listener::Seen::overrun) heard_.push_back({.lost = true});
  return std::exchange(heard_, {});
}

Result<void> Watcher::settle() {
  bool more = true;
  while (more) {
    more = false;
    const auto seen = listener_.read([&](const nlmsghdr& message) {
      more = true;
      take(message);
    });
    if (!seen) return std::unexpected(seen.error());
  }
  return {};
}

}  // namespace sekisho::kernel

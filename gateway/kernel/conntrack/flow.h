#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/message.h"
#include "policy/base/ip.h"
#include "policy/base/ports.h"

// One entry of the connection tracking table, after linux/netfilter/nfnetlink_conntrack.h. Pure.
namespace sekisho::kernel {

// One direction of a flow, as its packets look on arrival.
struct FlowTuple {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;  // IANA number
  Port source_port = {};      // 0 where the protocol has no ports
  Port destination_port = {};
  bool operator==(const FlowTuple&) const = default;
};

struct FlowCounters {
  std::uint64_t packets = 0;  // all zero without nf_conntrack_acct
  std::uint64_t bytes = 0;
  bool operator==(const FlowCounters&) const = default;
};

struct Flow {
  FlowTuple original;  // as the opener sent it: where it meant to go, before any translation
  FlowTuple reply;     // as the answers arrive
  std::uint32_t mark = 0;
  bool has_ended = false;  // TCP that both sides closed, or one reset; the entry lingers on
  FlowCounters sent;
  FlowCounters answered;
  // How the kernel names it (CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID), given back as it was read.
  std::vector<std::uint8_t> name = {};
};

// "6 10.66.0.2:40000 -> 203.0.113.5:443"
std::string to_string(const FlowTuple& tuple);

// Nothing where `message` is no entry, or not a whole one.
std::optional<Flow> read_flow(const nlmsghdr& message);

// The mark alone, without reading the rest: most entries of a table are not ours.
std::uint32_t read_mark(const nlmsghdr& message);

// Gives the flow a mark: of the old one the bits in `keep` stay as they are when the kernel comes
// to it.
void put_mark(Batch& batch, const Flow& flow, std::uint32_t mark, std::uint32_t keep);
void put_removal(Batch& batch, const Flow& flow);
// Asks for the whole table, both families; to be sent as a dump.
Message flows_request();

}  // namespace sekisho::kernel

#include "gateway/kernel/conntrack/flow.h"

#include <endian.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <cstring>

#include "gateway/kernel/netlink/attributes.h"

namespace sekisho::kernel {
namespace {

constexpr std::uint16_t type_of(std::uint8_t message) {
  return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | message);
}

std::optional<IpAddress> read_address(const Attributes& ip, std::uint16_t v4, std::uint16_t v6) {
  if (const auto bytes = ip.find(v4); bytes && bytes->size() == 4) {
    return IpAddress::from_bytes(*bytes);
  }
  if (const auto bytes = ip.find(v6); bytes && bytes->size() == 16) {
    return IpAddress::from_bytes(*bytes);
  }
  return std::nullopt;
}

std::optional<FlowTuple> read_tuple(const Attributes& tuple) {
  const Attributes ip = tuple.nest(CTA_TUPLE_IP);
  const Attributes protocol = tuple.nest(CTA_TUPLE_PROTO);
  const auto source = read_address(ip, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  const auto destination = read_address(ip, CTA_IP_V4_DST, CTA_IP_V6_DST);
  const auto number = protocol.u8(CTA_PROTO_NUM);
  if (!source || !destination || !number) return std::nullopt;
  return FlowTuple{.source = *source,
                   .destination = *destination,
                   .protocol = *number,
                   .source_port = Port(protocol.be16(CTA_PROTO_SRC_PORT).value_or(0)),
                   .destination_port = Port(protocol.be16(CTA_PROTO_DST_PORT).value_or(0))};
}

FlowCounters read_counters(const Attributes& counters) {
  return {.packets = counters.be64(CTA_COUNTERS_PACKETS).value_or(0),
          .bytes = counters.be64(CTA_COUNTERS_BYTES).value_or(0)};
}

bool has_ended(const Attributes& protocol_info) {
  const auto state = protocol_info.nest(CTA_PROTOINFO_TCP).u8(CTA_PROTOINFO_TCP_STATE);
  return state && (*state == TCP_CONNTRACK_LAST_ACK || *state == TCP_CONNTRACK_TIME_WAIT ||
                   *state == TCP_CONNTRACK_CLOSE);
}

void append_attribute(std::vector<std::uint8_t>& to, std::uint16_t type,
                      std::span<const std::uint8_t> value) {
  const nlattr head{.nla_len = static_cast<std::uint16_t>(sizeof(nlattr) + value.size()),
                    .nla_type = type};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&head);
  to.insert(to.end(), bytes, bytes + sizeof head);
  to.insert(to.end(), value.begin(), value.end());
  to.resize(aligned(to.size()));
}

std::vector<std::uint8_t> read_name(const Attributes& values) {
  std::vector<std::uint8_t> name;
  name.reserve(96);
  if (const auto tuple = values.find(CTA_TUPLE_ORIG)) {
    append_attribute(name, CTA_TUPLE_ORIG | NLA_F_NESTED, *tuple);
  }
  if (const auto zone = values.find(CTA_ZONE)) append_attribute(name, CTA_ZONE, *zone);
  if (const auto id = values.find(CTA_ID)) append_attribute(name, CTA_ID, *id);
  return name;
}

nlmsghdr* begin(Batch& batch, std::uint8_t message, const Flow& flow) {
  nlmsghdr* header = batch.begin(type_of(message), 0);
  auto* fixed = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  fixed->nfgen_family = flow.original.source.family() == Family::v4 ? AF_INET : AF_INET6;
  std::memcpy(mnl_nlmsg_get_payload_tail(header), flow.name.data(), flow.name.size());
  header->nlmsg_len += static_cast<std::uint32_t>(flow.name.size());
  return header;
}

}  // namespace

std::string to_string(const FlowTuple& tuple) {
  const auto end = [](const IpAddress& address, Port port) {
    const bool v6 = address.family() == Family::v6;
    return (v6 ? "[" + address.to_string() + "]" : address.to_string()) + ":" +
           std::to_string(port.value());
  };
  return std::to_string(tuple.protocol) + " " + end(tuple.source, tuple.source_port) + " -> " +
         end(tuple.destination, tuple.destination_port);
}

std::optional<Flow> read_flow(const nlmsghdr& message) {
  if (message.nlmsg_type != type_of(IPCTNL_MSG_CT_NEW)) return std::nullopt;
  const Attributes values = Attributes::of(message, sizeof(nfgenmsg));
  const auto original = read_tuple(values.nest(CTA_TUPLE_ORIG));
  const auto reply = read_tuple(values.nest(CTA_TUPLE_REPLY));
  if (!original || !reply) return std::nullopt;
  return Flow{.original = *original,
              .reply = *reply,
              .mark = values.be32(CTA_MARK).value_or(0),
              .has_ended = has_ended(values.nest(CTA_PROTOINFO)),
              .sent = read_counters(values.nest(CTA_COUNTERS_ORIG)),
              .answered = read_counters(values.nest(CTA_COUNTERS_REPLY)),
              .name = read_name(values)};
}

std::uint32_t read_mark(const nlmsghdr& message) {
  return Attributes::of(message, sizeof(nfgenmsg)).be32(CTA_MARK).value_or(0);
}

void put_mark(Batch& batch, const Flow& flow, std::uint32_t mark, std::uint32_t keep) {
  nlmsghdr* header = begin(batch, IPCTNL_MSG_CT_NEW, flow);
  // The kernel computes (old & ~CTA_MARK_MASK) ^ CTA_MARK: ctnetlink_change_mark.
  mnl_attr_put_u32(header, CTA_MARK, htobe32(mark & ~keep));
  mnl_attr_put_u32(header, CTA_MARK_MASK, htobe32(~keep));
  batch.commit();
}

void put_removal(Batch& batch, const Flow& flow) {
  begin(batch, IPCTNL_MSG_CT_DELETE, flow);
  batch.commit();
}

Message flows_request() {
  Message message(type_of(IPCTNL_MSG_CT_GET), 0);
  message.extra<nfgenmsg>()->nfgen_family = AF_UNSPEC;
  return message;
}

}  // namespace sekisho::kernel

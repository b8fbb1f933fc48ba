#include <algorithm>
#include <utility>

#include "policy/compile/ruleset_chains.h"
#include "policy/compile/tables.h"

namespace sekisho {

namespace {

using namespace nft;

bool has_pool(const Network& network, Family family) {
  return std::ranges::any_of(network.pools,
                             [&](const Prefix& pool) { return pool.family() == family; });
}

std::vector<Family> families_without_pool(const Network& network) {
  std::vector<Family> without;
  for (const Family family : {Family::v4, Family::v6}) {
    if (!has_pool(network, family)) without.push_back(family);
  }
  return without;
}

HasMark is_isolated() {
  return {Mark::meta, 0xffffffff, kIsolatedCohort.value()};
}

// Before conntrack. Masquerade means that nobody outside the tunnel has business with a pool
// address, as source (spoofing) or as destination (probing, CVE-2019-14899).
Chain preraw(const Network& network) {
  Chain chain{"preraw",
              "before conntrack: what may come in at all",
              Base{Hook::prerouting, Priority::raw},
              {}};
  auto& rules = chain.rules;
  for (const Family family : families_without_pool(network)) {
    rules.push_back({{FromInterface{network.interface}, IsFamily{family}, Drop{}},
                     "this family has no tunnel addresses"});
  }
  rules.push_back({{FromInterface{network.interface}, SetMark{Mark::meta, kSeenMark}, Accept{}},
                   "from the tunnel: marked as seen, without the mark there is no route"});
  rules.push_back({{FromInterface{"lo"}, Accept{}}, "the gateway to itself"});
  for (const Side side : {Side::source, Side::destination}) {
    for (const Prefix& pool : network.pools) {
      rules.push_back({{HasAddress{side, pool}, Count{"outside_pool"}, Drop{}},
                       side == Side::source ? "a tunnel address spoofed from outside the tunnel"
                                            : "a tunnel address probed from outside the tunnel"});
    }
  }
  // The port-shadow attack (CVE-2021-3773) needs a conntrack entry on the WireGuard port.
  rules.push_back({{UdpPort{Side::destination, network.listen_port}, ToLocalAddress{}, NoTrack{}},
                   "WireGuard itself stays out of conntrack: no port shadow"});
  return chain;
}

// An answer is routed like any packet from an uplink, but where that uplink checks sources
// (Debian's rp_filter) the kernel also looks up the way back: as if from the tunnel, with this
// mark. Without it the policy routing says "unreachable" and the answer is lost. Only IPv4 has that
// check. After address translation, because before it the answer is addressed to the gateway.
Chain prerouting(const Network& network) {
  Chain chain{"prerouting",
              "after address translation: answers on their way to devices",
              Base{Hook::prerouting, Priority::filter},
              {}};
  for (const Prefix& pool : network.pools) {
    if (pool.family() != Family::v4) continue;
    chain.rules.push_back(
        {{HasAddress{Side::destination, pool}, SetMark{Mark::meta, kSeenMark}},
         "to a device: marked as seen, without the mark its source has no route back"});
  }
  return chain;
}

Chain outraw(const Network& network) {
  return {"outraw",
          "before conntrack: what the gateway sends",
          Base{Hook::output, Priority::raw},
          {{{UdpPort{Side::source, network.listen_port}, NoTrack{}},
            "WireGuard itself stays out of conntrack: no port shadow"}}};
}

Chain input(const Network& network) {
  return {"input",
          "to the gateway: only what comes from the tunnel is judged here",
          Base{Hook::input, Priority::filter},
          {{{FromInterface{network.interface}, Goto{"to_gateway"}}, "devices ask the gateway"}}};
}

Chain output(const Network& network) {
  return {
      "output",
      "from the gateway: only what goes into the tunnel is judged here",
      Base{Hook::output, Priority::filter},
      {{{ToInterface{network.interface}, Goto{"from_gateway"}}, "the gateway answers devices"}}};
}

Chain forward(const Network& network) {
  const std::string& wg = network.interface;
  Chain chain{"forward",
              "through the gateway: only what comes from or goes into the tunnel is judged here",
              Base{Hook::forward, Priority::filter},
              {{{FromInterface{wg}, ToInterface{wg}, Goto{"hairpin"}}, "device to device"},
               {{FromInterface{wg}, Goto{"from_tunnel"}}, "a device asks"},
               {{ToInterface{wg}, Goto{"to_tunnel"}}, "a device is answered"}}};
  // When the interface vanishes, its traffic would leave in clear by the default route.
  for (const Prefix& pool : network.pools) {
    chain.rules.push_back({{HasAddress{Side::destination, pool}, Drop{}},
                           "to a device, but not into the tunnel: never in clear"});
  }
  return chain;
}

// Only the first packet of a flow comes to a nat chain.
Chain postrouting(const Network& network) {
  Chain chain{
      "postrouting",
      "masquerade for what leaves the tunnel",
      Base{Hook::postrouting, Priority::srcnat},
      {{{HasMark{Mark::meta, kSeenMask, kSeenMark}, Drop{}},
        "from the tunnel, and neither forward nor input judged it"},
       {{ToInterface{network.interface}, Accept{}}, "devices see each other's own addresses"}}};
  // Ports below 1024 and above 32767 (ours, ephemeral) are never taken: no port shadow.
  const PortRange ports{Port(1024), Port(32767)};
  for (const Prefix& pool : network.pools) {
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp}) {
      chain.rules.push_back(
          {{HasAddress{Side::source, pool}, IsProtocol{protocol}, Masquerade{ports}},
           "leaves with the gateway's address, never with a port of the gateway's own"});
    }
    chain.rules.push_back({{HasAddress{Side::source, pool}, Masquerade{}},
                           "leaves with the gateway's address: protocols without ports"});
  }
  return chain;
}

// The gateway's own services are atoms like any other, so quarantine reaches them too. Only at the
// tunnel address: a resource's network may contain the gateway's other addresses.
Chain to_gateway(const Network& network) {
  Chain chain{"to_gateway",
              "a device asks the gateway itself",
              {},
              {{{Jump{"cohort_of_source"}}, "whose device"},
               {{HasMark{Mark::meta, 0xffffffff, 0}, Goto{"refuse_silently"}},
                "no cohort reaches nothing: unknown, blocked or ended"},
               {{is_isolated(), IsDirection{Direction::reply}, Goto{"refuse_silently"}},
                "an isolated device answers nothing that the gateway opened"},
               {{IsDirection{Direction::reply}, HasState{kEstablished | kRelated}, Accept{}},
                "answers to what the gateway itself opened"}}};
  auto& rules = chain.rules;
  for (const IpAddress& address : network.gateway_addresses()) {
    rules.push_back({{HasAddress{Side::destination, Prefix::host(address), Compare::differs},
                      Goto{"refuse_silently"}},
                     "services are at the gateway's tunnel address alone"});
  }
  for (const Family family : families_without_pool(network)) {
    rules.push_back(
        {{IsFamily{family}, Goto{"refuse_silently"}}, "this family has no tunnel addresses"});
  }
  rules.push_back({{is_isolated(), Goto{"to_gateway_service"}}, "an isolated device has no ping"});
  for (const Prefix& pool : network.pools) {
    rules.push_back({{EchoRequest{pool.family()}, RateUnder{10, 20}, Accept{}},
                     "ping of the gateway, by devices that have a cohort"});
  }
  rules.push_back({{Goto{"to_gateway_service"}}, "services, by the policy"});
  return chain;
}

Chain to_gateway_service() {
  return {"to_gateway_service",
          "a device asks a service of the gateway: every packet against the policy of this moment",
          {},
          {{{TcpFlags{kSyn, kSyn | kAck}, Goto{"first_packet"}},
            "a SYN finds its atom anew: an older flow's proof is not its own"},
           {{HasState{kRelated}, IsProtocol{Protocol::icmp, Compare::differs},
             IsProtocol{Protocol::icmpv6, Compare::differs}, Goto{"first_packet"}},
            "an expected flow finds its own atom, not its parent's"},
           {{Granted{false}, Accept{}}, "granted, and both sides proven"},
           {{Goto{"unproven"}}, "not proven yet, or not granted"}}};
}

// The other direction of the gateway's services, so that a download from one ends with its grant.
// Of its own accord the gateway opens TCP and sends ICMP, no UDP: a late answer over UDP would open
// a flow of its own, and the device could talk back through it. For the same reason TCP begins with
// a SYN here whatever nf_conntrack_tcp_loose says.
Chain from_gateway() {
  return {"from_gateway",
          "the gateway answers a device, or opens TCP to it",
          {},
          {{{IsProtocol{Protocol::icmp}, Accept{}}, "ICMP: refusals, packet too big, ping"},
           {{IsProtocol{Protocol::icmpv6}, Accept{}}, "ICMPv6: refusals, packet too big, ping"},
           {{TcpFlags{kRst, kRst}, Accept{}}, "resets: how a refusal is told"},
           {{Jump{"cohort_of_destination"}}, "whose device"},
           {{Granted{false}, Accept{}}, "granted, and both sides proven"},
           {{Granted{true}, Goto{"check"}}, "granted: is it the protocol"},
           {{HasMark{Mark::meta, 0xffffffff, 0}, Drop{}},
            "no cohort is sent nothing: unknown, blocked or ended"},
           {{is_isolated(), Drop{}}, "nor an isolated one, but for answers of these services"},
           {{HasState{kNew}, TcpFlags{kSyn, kSyn | kAck}, Accept{}}, "the gateway opens TCP"},
           {{IsDirection{Direction::original}, HasState{kEstablished}, IsProtocol{Protocol::tcp},
             Accept{}},
            "and goes on with what it opened"},
           {{Drop{}}, "an answer of a service after its grant ended"}}};
}

}  // namespace

std::vector<Chain> edge_chains(const Network& network) {
  return {preraw(network),      prerouting(network), outraw(network),      input(network),
          output(network),      forward(network),    postrouting(network), to_gateway(network),
          to_gateway_service(), from_gateway()};
}

}  // namespace sekisho

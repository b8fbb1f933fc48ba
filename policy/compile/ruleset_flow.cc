#include "policy/compile/ruleset_chains.h"
#include "policy/compile/tables.h"

namespace sekisho {

namespace {

using namespace nft;

// The mark is cleared first: one that another table left must not pass for a cohort.
std::vector<Rule> find_cohort(Side side) {
  const std::string whose = side == Side::source ? "who asks" : "who is answered";
  return {{{SetMark{Mark::meta, 0}}, "no cohort until one is found"},
          {{FindCohort{Family::v4, side}}, whose + " (IPv4)"},
          {{FindCohort{Family::v6, side}}, whose + " (IPv6)"}};
}

Chain cohort_of(Side side) {
  return {side == Side::source ? "cohort_of_source" : "cohort_of_destination",
          "meta mark becomes the device's cohort, or 0",
          {},
          find_cohort(side)};
}

// Policy decides as for any other destination; the atoms it needs exist only where a resource names
// tunnel addresses on purpose. Both devices must be in good standing.
Chain hairpin() {
  const Rule refuse_unknown{{HasMark{Mark::meta, 0xffffffff, 0}, Goto{"refuse_silently"}},
                            "no cohort: unknown, blocked or ended"};
  return {"hairpin",
          "device to device: only where a resource names tunnel addresses",
          {},
          {{{Jump{"cohort_of_destination"}}, "whose device is reached"},
           refuse_unknown,
           {{HasMark{Mark::meta, 0xffffffff, kIsolatedCohort.value()},
             IsDirection{Direction::original}, Goto{"refuse_silently"}},
            "an isolated device is asked by nobody"},
           {{Jump{"cohort_of_source"}}, "whose device reaches"},
           refuse_unknown,
           {{HasMark{Mark::meta, 0xffffffff, kIsolatedCohort.value()},
             IsDirection{Direction::reply}, Goto{"refuse_silently"}},
            "an isolated device answers no other"},
           {{IsDirection{Direction::reply}, Goto{"to_tunnel"}}, "the other device answers"},
           {{Goto{"from_tunnel"}}, "the device asks"}}};
}

// The packets of living flows end in the seventh rule here, and in the fifth of to_tunnel: the
// lookups are not in a chain of their own because a jump per packet costs.
Chain from_tunnel() {
  Chain chain{"from_tunnel",
              "a device asks: every packet against the policy of this moment",
              {},
              find_cohort(Side::source)};
  chain.rules.insert(chain.rules.end(),
                     {{{TcpFlags{kSyn, kSyn | kAck}, Goto{"from_tunnel_syn"}},
                       "a SYN finds its atom anew: an older flow's proof is not its own"},
                      {{HasState{kRelated}, IsProtocol{Protocol::icmp, Compare::differs},
                        IsProtocol{Protocol::icmpv6, Compare::differs}, Goto{"first_packet"}},
                       "an expected flow finds its own atom, not its parent's"},
                      {{Granted{false}, Accept{}}, "granted, and both sides proven"},
                      {{Goto{"unproven"}}, "not proven yet, or not granted"}});
  return chain;
}

Chain from_tunnel_syn() {
  return {"from_tunnel_syn",
          "rt mtu may not be used on the way to the input hook, so the clamp is here",
          {},
          {{{TcpFlags{kSyn, kSyn | kRst}, ClampMss{}}, "segments must fit the way out"},
           {{Goto{"first_packet"}}, "then as any first packet"}}};
}

// Nothing from outside opens a flow to a device: what goes into the tunnel is an answer. A server's
// retransmit after its entry is gone would be the first packet of a reversed flow.
Chain to_tunnel() {
  Chain chain{"to_tunnel",
              "a device is answered: the same lookup by its address",
              {},
              {{{IsDirection{Direction::original}, Goto{"refuse_silently"}},
                "nobody opens a flow into the tunnel"}}};
  const auto find = find_cohort(Side::destination);
  chain.rules.insert(chain.rules.end(), find.begin(), find.end());
  chain.rules.insert(chain.rules.end(),
                     {{{Granted{false}, Accept{}}, "granted, and both sides proven"},
                      {{TcpFlags{kSyn, kSyn | kRst}, ClampMss{}}, "segments must fit the tunnel"},
                      {{Granted{true}, Goto{"check"}}, "granted: is it the protocol"},
                      {{Goto{"refuse_silently"}}, "the grant is gone, or it never was one"}});
  return chain;
}

// What conntrack calls invalid carries no ct mark, so it matches no grant and is refused here. With
// a reset, not silently: after a restart of the gateway it tells clients at once that their old
// connections are gone, and a stray segment's reset carries a stale number that clients ignore
// (RFC 5961 section 3.2).
Chain unproven() {
  return {"unproven",
          "a flow of which not both sides are proven, or one that nobody may have",
          {},
          {{{IsDirection{Direction::reply}, Goto{"refuse_silently"}},
            "devices answer nobody outside the tunnel"},
           {{HasMark{Mark::ct, 0xffffffff, 0}, Goto{"first_packet"}}, "no atom yet"},
           {{Granted{true}, Goto{"check"}}, "granted: is it the protocol"},
           {{Goto{"refuse"}}, "not granted, or no longer, or no known flow"}}};
}

// The limit counts one flow in 16 and then holds the device: a count on every flow would itself be
// an attack (118 us a flow with 100 busy devices). No data in a SYN: the server may never take it,
// and then it would prove nothing.
Chain first_packet() {
  return {"first_packet",
          "limit the device, find the atom of the destination, look for a grant",
          {},
          {{{IsDirection{Direction::reply}, Goto{"refuse_silently"}}, "not the opener's packet"},
           {{SetMark{Mark::ct, 0}}, "whatever the entry carried was another flow's"},
           {{InSet{Family::v4, Side::source, "held4"}, Goto{"refuse"}}, "over the limit (IPv4)"},
           {{InSet{Family::v6, Side::source, "held6"}, Goto{"refuse"}}, "over the limit (IPv6)"},
           {{OneIn{16}, Jump{"count_flow"}}, "sampled: counting each one costs too much"},
           {{TcpFlags{kSyn, kSyn | kRst}, PayloadBegins{1, 0, 0}, Goto{"refuse_silently"}},
            "data in a SYN would count as a proof that the server never saw"},
           {{FindAtom{Family::v4}}, "what is asked for (IPv4)"},
           {{FindAtom{Family::v6}}, "what is asked for (IPv6)"},
           {{Granted{true}, Goto{"check"}}, "granted: is it the protocol"},
           {{Goto{"refuse"}}, "not granted"}}};
}

Chain count_flow() {
  const auto hold = [](Family family, const std::string& digit) {
    return Rule{{FlowsOver{family, "flows" + digit, 256}, AddSource{family, "held" + digit},
                 Goto{"refuse"}},
                "more than about 4096 live flows: nothing new for 10 s"};
  };
  return {"count_flow",
          "one in 16 first packets: how many flows has this device",
          {},
          {hold(Family::v4, "4"), hold(Family::v6, "6")}};
}

}  // namespace

std::vector<Chain> flow_chains() {
  return {hairpin(),   from_tunnel(),           from_tunnel_syn(),
          to_tunnel(), cohort_of(Side::source), cohort_of(Side::destination),
          unproven(),  first_packet(),          count_flow()};
}

}  // namespace sekisho

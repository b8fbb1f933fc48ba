#pragma once

#include <libnftnl/rule.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/kernel/nftables/foreign.h"

namespace sekisho::kernel {

// The ways of the tunnel's traffic through a chain: it comes from the interface, it goes to it, and
// encrypted it arrives at WireGuard's port and leaves from it.
struct Ways {
  bool in = false, out = false, arrives = false, leaves = false;

  bool any() const { return in || out || arrives || leaves; }
  void add(const Ways& other) {
    in = in || other.in;
    out = out || other.out;
    arrives = arrives || other.arrives;
    leaves = leaves || other.leaves;
  }
  void remove(const Ways& other) {
    in = in && !other.in;
    out = out && !other.out;
    arrives = arrives && !other.arrives;
    leaves = leaves && !other.leaves;
  }
};

// What matters here of a rule.
struct ForeignRule {
  bool drops = false, returns = false, remarks = false, bypasses = false;
  bool always = false;          // its verdict has no condition
  Ways accepts;                 // all of the tunnel's traffic of that way
  std::vector<std::string> to;  // the chains it jumps or goes to
  bool goes = false;            // to one of them, and then not on here
  std::string map;              // that its verdict is looked up in

  // Adds a verdict: NF_DROP, NFT_JUMP...; `chain` is where it leads.
  void take(std::uint32_t verdict, std::string_view chain);
};

// What it does not know of a rule counts as a condition that some traffic does not meet.
ForeignRule understood(const nftnl_rule& rule, const TunnelTraffic& tunnel);

}  // namespace sekisho::kernel

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "policy/base/ports.h"

namespace sekisho::kernel {

// What a chain of another table may do to the tunnel's traffic, as it goes or as WireGuard's own
// packets, whatever our table says of it.
struct ForeignRisk {
  enum class Kind : std::uint8_t {
    drops,     // the policy, or a rule there or in a chain it goes to, drops or rejects
    remarks,   // a rule sets the ct mark, in which our table keeps what a flow is for
    bypasses,  // a rule puts flows into a flowtable, and they pass no chain from then on
  };
  Kind kind;
  std::string family, table, chain;  // "ip", "filter", "FORWARD"
  // Of `drops`: the matches that, each in a rule that accepts, put first in that chain, let the
  // tunnel's traffic by: `iifname "wg0"`, `udp dport 51820`. Where such rules are there it is no
  // risk.
  std::vector<std::string> let_by = {};

  bool operator==(const ForeignRisk&) const = default;
};

// By which it is known.
struct TunnelTraffic {
  std::string interface;  // where it is in clear
  Port listen_port;       // where it is encrypted
};

// The risks in every table of families inet, ip and ip6 but ours, sorted by place. Reads only. Not
// seen: hooks at ingress, and what iptables-legacy keeps outside nftables.
Result<std::vector<ForeignRisk>> read_foreign_risks(Socket& socket, const TunnelTraffic& tunnel);

}  // namespace sekisho::kernel

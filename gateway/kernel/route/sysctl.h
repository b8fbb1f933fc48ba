#pragma once

#include <string>
#include <vector>

#include "policy/base/result.h"

// Kernel settings under /proc/sys, of the network namespace of the calling thread. Keys are paths
// below it ("net/ipv4/ip_forward"), because an interface name may contain dots. See
// Documentation/networking/ip-sysctl.rst and nf_conntrack-sysctl.rst.
namespace sekisho::kernel {

struct Setting {
  std::string key;
  std::string value;
  bool operator==(const Setting&) const = default;
};

// What conntrack must do before anything is forwarded:
//   tcp_loose=0       a retransmit must not re-create a purged flow, reversed
//   tcp_be_liberal=0  segments outside the window are no part of the flow
//   checksum=1        nor are those with a bad checksum
//   acct=1            the ruleset bounds half-proven flows by their packet counts
std::vector<Setting> conntrack_settings();

// What the tunnel interface needs while it is there. Sources are checked (rp_filter) by looking up
// the way back, as if a packet came in where this one goes out, and with its mark where
// src_valid_mark=1.
//   rp_filter=1       from the tunnel come only sources that are routed to the tunnel
//   src_valid_mark=1  for all, because it is the uplinks that check the answers: the mark of our
//                     ruleset gets them past our own `unreachable`
std::vector<Setting> interface_settings(const std::string& interface);

// The settings among `wanted` that are otherwise: "net/ipv4/conf/wg0/rp_filter is 0, not 1".
Result<std::vector<std::string>> observe_settings(const std::vector<Setting>& wanted);

// Makes them so, reads each back, and returns what differed before.
Result<std::vector<std::string>> ensure_settings(const std::vector<Setting>& wanted);

// conntrack_settings(), after making the kernel load conntrack where its keys are not there yet.
Result<std::vector<std::string>> ensure_conntrack_settings();

// Which of the two was off and is on through us.
struct Forwarding {
  bool turned_on_v4 = false;
  bool turned_on_v6 = false;
  bool operator==(const Forwarding&) const = default;
};

// Turns forwarding on where it is off; it is the last thing to do at boot. On a machine whose
// default IPv6 route comes by router advertisement the uplink needs accept_ra=2, or it is lost.
Result<Forwarding> ensure_forwarding();
// Turns off what was turned on.
Result<void> restore_forwarding(const Forwarding& ours);

}  // namespace sekisho::kernel

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/route/step.h"
#include "policy/base/ip.h"

// Policy routing: "no ruleset, no route". See ip-rule(8) and linux/fib_rules.h.
//
//   10  from the tunnel, with the mark of our ruleset   lookup local
//   11  from the tunnel, with the mark of our ruleset   lookup main
//   12  from the tunnel                                 unreachable
//   20  anything                                        lookup local   (was priority 0)
//
// Both families. When somebody flushes the ruleset the mark is gone, and so is every route for
// tunnel traffic, the gateway's own services included: that is why ours stand before `lookup
// local`, which therefore moves from 0 to 20. The numbers are low because any rule before 12 that
// matches would open what 12 closes; and not 0 to 9, which stay free for an administrator who means
// to come first (such rules are reported). Software that adds rules of its own (wg-quick, VRF, VPN
// clients, container networks) uses 1000 and more.
namespace sekisho::kernel {

struct Rule {
  Family family = Family::v4;
  std::uint32_t priority = 0;
  std::string interface = {};  // incoming; empty: any
  std::uint32_t mark = 0;
  std::uint32_t mask = 0;     // 0: no mark is asked for
  std::uint8_t action = 0;    // FR_ACT_TO_TBL, FR_ACT_UNREACHABLE, ...
  std::uint32_t table = 0;    // with FR_ACT_TO_TBL
  std::uint8_t protocol = 0;  // who put it there
  bool plain = true;          // no other condition than these
  auto operator<=>(const Rule&) const = default;
};

// A rule as it was read. Its bytes say exactly which one is to be deleted: the kernel takes a
// condition that a request does not name for "any", and would delete ours for a stray one beside
// it.
struct PresentRule {
  Rule rule;
  std::vector<std::uint8_t> bytes = {};  // struct fib_rule_hdr and attributes
};

// "rule 10 (IPv4): from wg0 with mark 0x5e0000/0xff0000 lookup local"
std::string to_string(const Rule& rule);

// The four rules of one family.
std::vector<Rule> wanted_rules(const std::string& interface, Family family);

// All rules of one family, as the kernel has them.
Result<std::vector<PresentRule>> read_rules(Socket& socket, Family family);

// From `present` to what is wanted, so that at no moment there is no rule for the local table:
// first priority 20 comes, then 0 goes. Ours are known by protocol and priority; other people's are
// left.
std::vector<Step> rule_steps(const std::vector<PresentRule>& present, const std::string& interface,
                             Family family);

// Back to what a machine without Sekisho has: `lookup local` at 0, none of ours.
std::vector<Step> rule_removal_steps(const std::vector<PresentRule>& present, Family family);

// Other people's rules that come before our `unreachable`: traffic that one of them matches is
// routed even when our ruleset is gone. Told, never touched.
std::vector<std::string> rules_before_ours(const std::vector<PresentRule>& present,
                                           const std::string& interface);

}  // namespace sekisho::kernel

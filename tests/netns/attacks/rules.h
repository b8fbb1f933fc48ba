#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policy/compile/compile.h"
#include "tests/model/policy_builder.h"
#include "tests/netns/attacks/weaken.h"
#include "tests/netns/gateway/nftables.h"

namespace sekisho::attacks {

// The product's rules in a gateway's namespace, and a policy compiled into their tables: the laptop
// (10.66.0.2, fd66::2) is tanaka's and granted `web` (TLS), `shell` (SSH), `video` (QUIC) and
// `port` (UDP 7000) of the server 203.0.113.10, 2001:db8:2::10; the phone (.3) is suzuki's and
// granted nothing.
class Rules {
 public:
  explicit Rules(const netns::Namespace& gateway, const std::vector<Weakening>& weakenings = {});

  // Changes the policy, and the tables by that.
  void edit(const std::function<void(model::PolicyBuilder&)>& change);
  // The same as the product does it where destinations are cut anew: live flows get their new atoms
  // before the old ones go.
  void edit_and_remark(const std::function<void(model::PolicyBuilder&)>& change);
  // The grant of that resource to tanaka.
  void withdraw(const std::string& resource);
  // From now on what the policy comes to is seen through `view`, as the product's is through its
  // quarantines.
  void see_through(std::function<Tables(const Compiled&)> view);
  // Changes the tables by hand, past the compiler.
  void edit_tables(const std::function<void(Tables&)>& change);
  const Tables& tables() const { return tables_; }
  const Compiled& compiled() const { return *compiled_; }
  const Network& network() const { return staff_.network; }
  // Makes the rules be in the kernel what they were at first.
  void repair();
  // Our own policy routing as well: "no ruleset, no route".
  void route_as_the_product();
  // All flows are forgotten; and packets in the middle of one begin one (tcp_loose).
  void purge() const { at_gateway("conntrack -F 2>/dev/null"); }
  void track_loosely() const { at_gateway("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1"); }
  // Another table has conntrack's `helper` ("ftp", "tftp") look at flows to that port.
  void help_with(const std::string& helper, const std::string& protocol, int port) const;
  // In the gateway's namespace.
  void at_gateway(const std::string& command) const;
  std::string output_of(const std::string& command) const;
  // The packets that a counter of our table has counted.
  std::uint64_t counter(const std::string& name) const;

 private:
  void apply(const Tables& next);

  const netns::Namespace* gateway_;
  model::PolicyBuilder staff_;
  std::optional<Compiled> compiled_;
  std::function<Tables(const Compiled&)> view_ = [](const Compiled& all) { return all.tables; };
  Tables tables_;
  Ruleset ruleset_;
  std::optional<kernel::Nftables> nftables_;
};

}  // namespace sekisho::attacks

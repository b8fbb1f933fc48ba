#include "tests/netns/attacks/rules.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "gateway/kernel/conntrack/conntrack.h"
#include "gateway/kernel/route/routing.h"
#include "gateway/kernel/route/sysctl.h"
#include "policy/compile/transition.h"

namespace sekisho::attacks {
namespace {

using netns::must;

model::PolicyBuilder staff() {
  using enum Classification;
  model::PolicyBuilder staff;
  staff.device("laptop", "tanaka", {"10.66.0.2", "fd66::2"});
  staff.device("phone", "suzuki", {"10.66.0.3", "fd66::3"});
  const auto offer = [&](const char* name, const char* service) {
    staff.resource(name, internal, {"203.0.113.10/32", "2001:db8:2::10/128"}, {service});
    staff.grant(std::string("tanaka-") + name, "tanaka", name);
  };
  offer("web", "https");
  offer("shell", "ssh");
  offer("video", "quic");
  offer("port", "udp:7000");
  return staff;
}

Time this_second() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

Rules::Rules(const netns::Namespace& gateway, const std::vector<Weakening>& weakenings)
    : gateway_(&gateway), staff_(staff()), ruleset_(make_ruleset(staff_.network)) {
  for (const Weakening& weaken : weakenings) weaken(ruleset_);
  gateway_->in([&] {
    EXPECT_TRUE(kernel::ensure_conntrack_settings());
    nftables_.emplace(kernel::open_nftables());
  });
  repair();
  edit([](model::PolicyBuilder&) {});
}

void Rules::edit(const std::function<void(model::PolicyBuilder&)>& change) {
  change(staff_);
  compiled_ = compile(staff_.valid(), this_second(), compiled_ ? &*compiled_ : nullptr).value();
  apply(view_(*compiled_));
}

void Rules::see_through(std::function<Tables(const Compiled&)> view) {
  view_ = std::move(view);
  apply(view_(*compiled_));
}

void Rules::edit_and_remark(const std::function<void(model::PolicyBuilder&)>& change) {
  const Compiled before = *compiled_;
  const Tables held = tables_;
  change(staff_);
  compiled_ = compile(staff_.valid(), this_second(), &before).value();
  const std::vector<AtomMark> gone = retired(before.space, compiled_->space);
  EXPECT_FALSE(gone.empty()) << "nothing is cut anew";
  apply(transition(held, view_(*compiled_), gone));
  gateway_->in([&] {
    auto conntrack = kernel::Conntrack::open();
    ASSERT_TRUE(conntrack) << to_string(conntrack.error());
    EXPECT_TRUE(conntrack->remark([&](AtomMark old, const kernel::FlowTuple& original) {
      const bool is_retired = std::ranges::find(gone, old) != gone.end();
      return is_retired ? std::optional(find_atom(compiled_->space, original.destination,
                                                  static_cast<Protocol>(original.protocol),
                                                  original.destination_port))
                        : std::nullopt;
    }));
  });
  apply(view_(*compiled_));
}

void Rules::withdraw(const std::string& resource) {
  edit([&](model::PolicyBuilder& staff) {
    ASSERT_EQ(staff.policy.grants.erase(GrantId("tanaka-" + resource)), 1U) << resource;
  });
}

void Rules::edit_tables(const std::function<void(Tables&)>& change) {
  Tables next = tables_;
  change(next);
  apply(next);
}

void Rules::apply(const Tables& next) {
  gateway_->in([&] { kernel::apply(*nftables_, tables_, next); });
  tables_ = next;
}

void Rules::repair() {
  gateway_->in([&] { kernel::install(*nftables_, ruleset_, tables_); });
}

void Rules::route_as_the_product() {
  gateway_->in([&] {
    const kernel::Tunnel tunnel{.interface = network().interface,
                                .mtu = static_cast<std::uint32_t>(network().mtu),
                                .addresses = network().gateway_addresses(),
                                .pools = network().pools};
    auto routing = kernel::Routing::open(tunnel);
    ASSERT_TRUE(routing) << to_string(routing.error());
    const auto done = routing->ensure();
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_TRUE(kernel::ensure_settings(kernel::interface_settings(network().interface)));
  });
}

void Rules::help_with(const std::string& helper, const std::string& protocol, int port) const {
  std::string lines =
      "add table inet other; "
      "add chain inet other early { type filter hook prerouting priority -150; }; ";
  const auto add = [&](std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) lines += word;
  };
  const std::string to = std::to_string(port);
  for (const std::string_view version : {"4", "6"}) {
    add({"add ct helper inet other help", version, " { type \"", helper, "\" protocol ", protocol,
         "; l3proto ip", version == "4" ? "" : "6", "; }; "});
    add({"add rule inet other early meta nfproto ipv", version, " ", protocol, " dport ", to,
         " ct helper set \"help", version, "\"; "});
  }
  at_gateway("nft '" + lines + "'");
}

void Rules::at_gateway(const std::string& command) const {
  gateway_->in([&] { must(command); });
}

std::string Rules::output_of(const std::string& command) const {
  std::string text;
  gateway_->in([&] { text = netns::output_of(command); });
  return text;
}

std::uint64_t Rules::counter(const std::string& name) const {
  return std::stoull(output_of("nft list counter inet sekisho " + name +
                               " | sed -n 's/.*packets \\([0-9]*\\).*/\\1/p'"));
}

}  // namespace sekisho::attacks

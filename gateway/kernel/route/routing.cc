#include "gateway/kernel/route/routing.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/kernel/route/interface.h"
#include "gateway/kernel/route/rules.h"

namespace sekisho::kernel {
namespace {

void append(std::vector<Step>& to, std::vector<Step> steps) {
  std::ranges::move(steps, std::back_inserter(to));
}

}  // namespace

Routing::Routing(Tunnel tunnel, Socket socket)
    : tunnel_(std::move(tunnel)), socket_(std::move(socket)) {}

Result<Routing> Routing::open(Tunnel tunnel) {
  auto socket = Socket::open(NETLINK_ROUTE);
  if (!socket) return std::unexpected(socket.error());
  return Routing(std::move(tunnel), std::move(*socket));
}

Result<Routing::Plan> Routing::plan() {
  Plan plan;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto rules = read_rules(socket_, family);
    if (!rules) return std::unexpected(rules.error());
    append(plan.steps, rule_steps(*rules, tunnel_.interface, family));
    std::ranges::move(rules_before_ours(*rules, tunnel_.interface),
                      std::back_inserter(plan.state.foreign));
  }
  const auto link = read_link(socket_, tunnel_.interface);
  if (!link) return std::unexpected(link.error());
  plan.state.interface_present = link->has_value();
  if (*link) {
    append(plan.steps, link_steps(**link, tunnel_));
    auto addresses = address_steps(socket_, **link, tunnel_);
    if (!addresses) return std::unexpected(addresses.error());
    append(plan.steps, std::move(*addresses));
  }
  auto routes = route_steps(socket_, *link, tunnel_);
  if (!routes) return std::unexpected(routes.error());
  append(plan.steps, std::move(*routes));
  for (const Step& step : plan.steps) plan.state.differences.push_back(step.difference);
  return plan;
}

Result<RoutingState> Routing::observe() {
  auto found = plan();
  if (!found) return std::unexpected(found.error());
  return std::move(found->state);
}

Result<RoutingState> Routing::ensure() {
  auto found = plan();
  if (!found) return std::unexpected(found.error());
  if (auto done = carry_out(socket_, found->steps); !done) return std::unexpected(done.error());
  return std::move(found->state);
}

Result<void> Routing::remove() {
  std::vector<Step> steps;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto rules = read_rules(socket_, family);
    if (!rules) return std::unexpected(rules.error());
    append(steps, rule_removal_steps(*rules, family));
  }
  // A tunnel without pools wants no routes.
  auto routes = route_steps(socket_, std::nullopt, Tunnel{});
  if (!routes) return std::unexpected(routes.error());
  append(steps, std::move(*routes));
  return carry_out(socket_, steps);
}

}  // namespace sekisho::kernel

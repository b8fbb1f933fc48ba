#include "gateway/kernel/route/rules.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/route/tunnel.h"

namespace sekisho::kernel {
namespace {

constexpr std::uint32_t kMarkedLocal = 10;
constexpr std::uint32_t kMarkedMain = 11;
constexpr std::uint32_t kUnmarked = 12;
constexpr std::uint32_t kLocal = 20;
constexpr std::uint32_t kOldLocal = 0;

std::uint8_t af(Family family) {
  return family == Family::v4 ? AF_INET : AF_INET6;
}

Rule local_rule(Family family, std::uint32_t priority, std::uint8_t protocol) {
  return {.family = family,
          .priority = priority,
          .action = FR_ACT_TO_TBL,
          .table = RT_TABLE_LOCAL,
          .protocol = protocol};
}

Message rule_message(std::uint16_t type, std::uint16_t flags, const Rule& rule) {
  Message message(type, flags);
  auto* header = message.extra<fib_rule_hdr>();
  header->family = af(rule.family);
  header->action = rule.action;
  header->table = static_cast<std::uint8_t>(rule.table);
  mnl_attr_put_u32(message.header(), FRA_PRIORITY, rule.priority);
  if (!rule.interface.empty()) {
    mnl_attr_put_strz(message.header(), FRA_IIFNAME, rule.interface.c_str());
  }
  if (rule.mask != 0) {
    mnl_attr_put_u32(message.header(), FRA_FWMARK, rule.mark);
    mnl_attr_put_u32(message.header(), FRA_FWMASK, rule.mask);
  }
  mnl_attr_put_u8(message.header(), FRA_PROTOCOL, rule.protocol);
  return message;
}

Step add(const Rule& rule) {
  return {to_string(rule) + ": missing",
          rule_message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule)};
}

Step take_away(const PresentRule& present) {
  Message message(RTM_DELRULE, 0, kHeaderLength + aligned(present.bytes.size()));
  void* payload = mnl_nlmsg_put_extra_header(message.header(), present.bytes.size());
  std::memcpy(payload, present.bytes.data(), present.bytes.size());
  return {to_string(present.rule) + ": not to be there", std::move(message)};
}

bool contains(const std::vector<PresentRule>& rules, const Rule& rule) {
  return std::ranges::find(rules, rule, &PresentRule::rule) != rules.end();
}

// The machine's own rule for its local table: whoever put it there, at priority 0.
bool is_old_local(const Rule& rule) {
  return rule.priority == kOldLocal && rule.plain && rule.interface.empty() && rule.mask == 0 &&
         rule.action == FR_ACT_TO_TBL && rule.table == RT_TABLE_LOCAL;
}

// A condition that struct Rule has no field for.
bool has_other_condition(const fib_rule_hdr& header, const Attributes& attributes) {
  static constexpr std::array<std::uint16_t, 9> kConditions = {
      FRA_DST,       FRA_SRC,      FRA_OIFNAME,     FRA_TUN_ID,     FRA_L3MDEV,
      FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE};
  return header.dst_len != 0 || header.src_len != 0 || header.tos != 0 ||
         (header.flags & FIB_RULE_INVERT) != 0 ||
         std::ranges::any_of(kConditions, [&](auto type) { return attributes.has(type); }) ||
         attributes.u32(FRA_SUPPRESS_PREFIXLEN).value_or(0xffffffff) != 0xffffffff ||
         attributes.u32(FRA_SUPPRESS_IFGROUP).value_or(0xffffffff) != 0xffffffff;
}

Rule read_rule(const nlmsghdr& message, Family family) {
  const auto& header = *static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
  const Attributes attributes = Attributes::of(message, sizeof header);
  Rule rule{.family = family, .action = header.action};
  rule.priority = attributes.u32(FRA_PRIORITY).value_or(0);
  rule.interface = attributes.text(FRA_IIFNAME).value_or("");
  rule.mask = attributes.u32(FRA_FWMASK).value_or(0);
  rule.mark = attributes.u32(FRA_FWMARK).value_or(0);
  if (header.action == FR_ACT_TO_TBL) rule.table = attributes.u32(FRA_TABLE).value_or(header.table);
  rule.protocol = attributes.u8(FRA_PROTOCOL).value_or(0);
  rule.plain = !has_other_condition(header, attributes);
  return rule;
}

}  // namespace

std::string to_string(const Rule& rule) {
  std::string text = "rule " + std::to_string(rule.priority);
  text += rule.family == Family::v4 ? " (IPv4): from " : " (IPv6): from ";
  text += rule.interface.empty() ? "anywhere" : rule.interface;
  if (rule.mask != 0) {
    std::array<char, 48> mark;
    std::snprintf(mark.data(), mark.size(), " with mark 0x%x/0x%x", rule.mark, rule.mask);
    text += mark.data();
  }
  if (!rule.plain) text += " under more conditions";
  if (rule.action == FR_ACT_UNREACHABLE) return text + " unreachable";
  if (rule.action != FR_ACT_TO_TBL) return text + " action " + std::to_string(rule.action);
  if (rule.table == RT_TABLE_LOCAL) return text + " lookup local";
  if (rule.table == RT_TABLE_MAIN) return text + " lookup main";
  return text + " lookup " + std::to_string(rule.table);
}

std::vector<Rule> wanted_rules(const std::string& interface, Family family) {
  Rule marked_local = local_rule(family, kMarkedLocal, kRouteProtocol);
  marked_local.interface = interface;
  marked_local.mark = kSeenMark;
  marked_local.mask = kSeenMask;
  Rule marked_main = marked_local;
  marked_main.priority = kMarkedMain;
  marked_main.table = RT_TABLE_MAIN;
  const Rule unmarked{.family = family,
                      .priority = kUnmarked,
                      .interface = interface,
                      .action = FR_ACT_UNREACHABLE,
                      .protocol = kRouteProtocol};
  // The local table first, so that adding them in this order never leaves the machine without it.
  return {local_rule(family, kLocal, kRouteProtocol), marked_local, marked_main, unmarked};
}

Result<std::vector<PresentRule>> read_rules(Socket& socket, Family family) {
  Message ask(RTM_GETRULE, 0);
  ask.extra<fib_rule_hdr>()->family = af(family);
  std::vector<PresentRule> rules;
  const auto done = socket.dump(
      ask, "routing rules", [&] { rules.clear(); },
      [&](const nlmsghdr& message) -> Result<void> {
        if (message.nlmsg_type == RTM_NEWRULE &&
            message.nlmsg_len >= kHeaderLength + sizeof(fib_rule_hdr)) {
          const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
          rules.push_back(
              {read_rule(message, family), {bytes + kHeaderLength, bytes + message.nlmsg_len}});
        }
        return {};
      });
  if (!done) return std::unexpected(done.error());
  return rules;
}

std::vector<Step> rule_steps(const std::vector<PresentRule>& present, const std::string& interface,
                             Family family) {
  const std::vector<Rule> wanted = wanted_rules(interface, family);
  std::vector<Step> steps;
  for (const Rule& rule : wanted) {
    if (!contains(present, rule)) steps.push_back(add(rule));
  }
  for (const PresentRule& each : present) {
    const bool wanted_here = std::ranges::find(wanted, each.rule) != wanted.end();
    const bool stray = each.rule.protocol == kRouteProtocol && !wanted_here;
    if (stray || is_old_local(each.rule)) steps.push_back(take_away(each));
  }
  return steps;
}

std::vector<Step> rule_removal_steps(const std::vector<PresentRule>& present, Family family) {
  std::vector<Step> steps;
  if (std::ranges::none_of(present, is_old_local, &PresentRule::rule)) {
    steps.push_back(add(local_rule(family, kOldLocal, RTPROT_KERNEL)));
  }
  for (const PresentRule& each : present) {
    if (each.rule.protocol == kRouteProtocol) steps.push_back(take_away(each));
  }
  return steps;
}

std::vector<std::string> rules_before_ours(const std::vector<PresentRule>& present,
                                           const std::string& interface) {
  std::vector<std::string> texts;
  for (const auto& [rule, bytes] : present) {
    const bool may_match = rule.interface.empty() || rule.interface == interface;
    const bool first = rule.priority <= kUnmarked && rule.protocol != kRouteProtocol;
    if (may_match && first && !is_old_local(rule)) texts.push_back(to_string(rule));
  }
  return texts;
}

}  // namespace sekisho::kernel

#include "tests/netns/attacks/quarantine.h"

#include <algorithm>
#include <cctype>
#include <iterator>

#include "policy/compile/holds.h"

namespace sekisho::attacks {
namespace {

void more_resources(model::PolicyBuilder& staff) {
  using enum Classification;
  staff.resource("updates", internal, {"203.0.113.20/32", "2001:db8:2::20/128"},
                 {"https", "tcp:21", "udp:7000"});
  staff.resource("mirror", internal, {"10.66.0.3/32", "fd66::3/128"}, {"tcp:8081"});
  staff.resource("peers", internal, {"10.66.0.2/31", "fd66::2/127"}, {"tcp:8080"});
  for (const char* resource : {"updates", "mirror", "peers"}) {
    staff.grant(std::string("tanaka-") + resource, "tanaka", resource);
  }
  staff.grant("suzuki-peers", "suzuki", "peers");
  staff.policy.response.remediation = {ResourceId("mirror"), ResourceId("updates")};
}

}  // namespace

Ward::Ward(Family family, const std::vector<Weakening>& weakenings, Hold level, How how)
    : scene(family, weakenings), level_(level), how_(how) {
  scene.rules.edit(more_resources);
}

void Ward::quarantine() {
  if (level_ == Hold::none) return;
  if (how_ == How::purge_alone) return scene.rules.purge();
  Holds holds;
  holds.addresses.emplace(scene.laptop(), level_);
  if (how_ == How::whole) {
    for (const char* address : {"10.66.0.2", "fd66::2"}) {
      holds.addresses.emplace(kernel::ip(address), level_);
    }
  }
  scene.rules.see_through([=](const Compiled& compiled) { return held(compiled.tables, holds); });
}

std::uint32_t Ward::proven_mark(const IpAddress& to, Protocol protocol, std::uint16_t port) const {
  const AtomMark atom = find_atom(scene.rules.compiled().space, to, protocol, Port(port));
  EXPECT_TRUE(atom) << to.to_string() << " is no destination";
  return atom.verified();
}

void Ward::add_foreign(const std::string& hook, const std::string& rule) const {
  scene.rules.at_gateway("nft 'add table inet other; add chain inet other c { " + hook +
                         "; }; add rule inet other c " + rule + "'");
}

Weakening ungranted_passes() {
  return instead("first_packet", "not granted", {nft::Accept{}});
}

void Quarantine::try_it(Family family, const Attempt& attempt) {
  const auto succeeds = [&](std::vector<Weakening> weakenings, Hold level, How how) {
    if (attempt.routed) std::ranges::move(routed_office(), std::back_inserter(weakenings));
    Ward ward(family, weakenings, level, how);
    if (attempt.routed) ward.scene.rules.track_loosely();
    return attempt.succeeds(ward);
  };
  for (const Hold level : attempt.levels) {
    SCOPED_TRACE(to_string(level));
    EXPECT_FALSE(succeeds({}, level, How::whole));
    EXPECT_TRUE(succeeds(attempt.open, level, attempt.how)) << "the control";
  }
  EXPECT_EQ(succeeds({}, Hold::none, How::whole), attempt.in_good_standing)
      << "a device in good standing, by the same steps";
}

std::string name_of(const testing::TestParamInfo<std::tuple<Family, Attempt>>& test) {
  std::string name = std::get<1>(test.param).name;
  std::ranges::replace_if(name, [](unsigned char each) { return std::isalnum(each) == 0; }, '_');
  return name + (std::get<0>(test.param) == Family::v4 ? "_v4" : "_v6");
}

}  // namespace sekisho::attacks

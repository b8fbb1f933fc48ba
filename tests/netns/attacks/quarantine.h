#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "policy/model/hold.h"
#include "tests/netns/attacks/scene.h"

// Attempts to keep or regain a flow, by a device that is quarantined, and by those it talked to.
namespace sekisho::attacks {

// How much of a quarantine is done: all of it, or less, as a control.
enum class How { whole, one_family, purge_alone };

// A scene whose laptop has a right to more, and is quarantined when the attempt says so. `updates`
// (TLS, FTP, UDP 7000) and `mirror` (TCP 8081 of the phone) are the remediation resources; `peers`
// is TCP 8080 of the laptop and the phone.
class Ward {
 public:
  Ward(Family family, const std::vector<Weakening>& weakenings, Hold level, How how = How::whole);

  // From this moment the laptop is. Hold::none: it stays in good standing.
  void quarantine();

  IpAddress updates() const { return scene.pick("203.0.113.20", "2001:db8:2::20"); }
  // The mark of a destination's atom once both sides are proven.
  std::uint32_t proven_mark(const IpAddress& to, Protocol protocol, std::uint16_t port) const;
  // A rule of another table, as others on the machine might have: `hook` as in "type filter hook
  // forward priority -10".
  void add_foreign(const std::string& hook, const std::string& rule) const;

  Scene scene;

 private:
  Hold level_;
  How how_;
};

struct Attempt {
  const char* name;
  std::function<bool(Ward&)> succeeds;
  // The control: rules that lack the protection, or less of a quarantine.
  std::vector<Weakening> open = {};
  How how = How::whole;
  // Whether the same steps succeed for a device in good standing.
  bool in_good_standing = false;
  std::vector<Hold> levels = {Hold::isolate, Hold::cut};
  // Where it is tried: an office that is routed, not masqueraded, with tcp_loose=1.
  bool routed = false;
};

inline void PrintTo(const Attempt& attempt, std::ostream* out) {
  *out << attempt.name;
}

class Quarantine : public testing::TestWithParam<std::tuple<Family, Attempt>> {
 protected:
  // Fails against the product's rules at each level, and succeeds in the control.
  static void try_it(Family family, const Attempt& attempt);
};

std::string name_of(const testing::TestParamInfo<std::tuple<Family, Attempt>>& test);

// What lets a new flow pass.
Weakening ungranted_passes();

}  // namespace sekisho::attacks

// A suite of that name that makes each of the attempts, over IPv4 and IPv6.
#define SEKISHO_QUARANTINE(Suite, attempts)                                                   \
  class Suite : public Quarantine {};                                                         \
  TEST_P(Suite, GivesNoFlow) {                                                                \
    try_it(std::get<0>(GetParam()), std::get<1>(GetParam()));                                 \
  }                                                                                           \
  INSTANTIATE_TEST_SUITE_P(                                                                   \
      On, Suite,                                                                              \
      testing::Combine(testing::Values(Family::v4, Family::v6), testing::ValuesIn(attempts)), \
      name_of)

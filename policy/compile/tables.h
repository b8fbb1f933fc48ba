#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>

#include "policy/base/ip.h"
#include "policy/base/strong_id.h"
#include "policy/base/time.h"
#include "policy/model/destinations.h"
#include "policy/model/policy.h"

// What policy is in the kernel: the contents of three kinds of map and set, and nothing else.
// The rules that look them up never change (ruleset.h).
namespace sekisho {

// Devices with equal rights share a cohort: 1 to 0xffff; 0 has no right to anything.
using Cohort = StrongNumber<struct CohortTag, std::uint16_t>;

// That of every isolated device, and of no other: its rows always stand ready. No policy deals it.
inline constexpr Cohort kIsolatedCohort{0xffff};

// What the first payload bytes of a flow must prove: bits 2 and 3 of the ct mark.
enum class Check : std::uint8_t { none = 0, tls = 1, ssh = 2, quic = 3 };
Check check_of(ServiceKind kind);

// A ct mark: bits 4 to 31 the atom, bits 2 and 3 its check, bit 0 "the client's first bytes were
// right", bit 1 "the server's". Atom numbers are such that a whole mark is 0x10000 or more, so that
// a mark never looks like a cohort. An atom number is an identity: live flows carry it, so it never
// comes to stand for anything else, and a number that was given up is not given again.
class AtomMark {
 public:
  static constexpr std::uint32_t kClientProven = 1;
  static constexpr std::uint32_t kServerProven = 2;
  static constexpr std::uint32_t kFirstAtom = 0x1000;
  static constexpr std::uint32_t kLastAtom = 0x0fffffff;

  constexpr AtomMark() = default;
  // `atom` from kFirstAtom to kLastAtom.
  constexpr AtomMark(std::uint32_t atom, Check check)
      : mark_(atom << 4 | static_cast<std::uint32_t>(check) << 2) {}
  static constexpr AtomMark from_mark(std::uint32_t mark) {
    AtomMark atom;
    atom.mark_ = mark & ~(kClientProven | kServerProven);
    return atom;
  }

  constexpr std::uint32_t atom() const { return mark_ >> 4; }
  constexpr Check check() const { return static_cast<Check>(mark_ >> 2 & 3); }
  // As a flow's first packet gets it: nothing proven yet, or nothing to prove.
  constexpr std::uint32_t opening() const { return check() == Check::none ? verified() : mark_; }
  // As the grants set holds it.
  constexpr std::uint32_t verified() const { return mark_ | kClientProven | kServerProven; }
  constexpr explicit operator bool() const { return mark_ != 0; }
  constexpr auto operator<=>(const AtomMark&) const = default;

 private:
  std::uint32_t mark_ = 0;
};

// An entry that ends by itself, in the kernel, at `until`; never where there is none.
struct CohortEntry {
  Cohort cohort;
  std::optional<Time> until = {};
  auto operator<=>(const CohortEntry&) const = default;
};

struct GrantKey {
  Cohort cohort;
  AtomMark atom;
  auto operator<=>(const GrantKey&) const = default;
};

struct Tables {
  std::map<IpAddress, CohortEntry> cohorts;        // cohort4, cohort6: tunnel address -> cohort
  std::map<Destinations, AtomMark> atoms;          // atoms4, atoms6: disjoint
  std::map<GrantKey, std::optional<Time>> grants;  // grants: until
  bool operator==(const Tables&) const = default;
};

}  // namespace sekisho

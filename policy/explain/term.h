#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/model/policy.h"

namespace sekisho {

// When a right holds: what a grant says of it, cut short where its person ends.
struct Term {
  std::optional<Time> from = {};   // included; none: already
  std::optional<Time> until = {};  // excluded; none: without end
  Conditions conditions = {};
  bool operator==(const Term&) const = default;
};
using Terms = std::vector<Term>;

// What `grant` means for `person` from `now` on; nothing where that is over or never begins.
std::optional<Term> term_of(const Grant& grant, const Person& person, Time now);

// Whether one holds whenever the other does. Hours are compared as they are written: where they say
// the same in other words the answer is no.
bool covers(const Term& wide, const Term& narrow);
// The same of what several give together, one by one.
bool covers(const Terms& wide, const Terms& narrow);
// Without those that another one covers.
Terms widest(const Terms& terms);

// "always", "until 2026-12-31T00:00:00Z", "mon-fri 09:00-18:00, Asia/Tokyo"
std::string to_string(const Term& term);
std::string to_string(const Terms& terms);

}  // namespace sekisho

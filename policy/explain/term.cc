#include "policy/explain/term.h"

#include <algorithm>

namespace sekisho {
namespace {

bool covers(const Conditions& wide, const Conditions& narrow) {
  const bool hours = !wide.hours || covers_whole_week(*wide.hours) || wide.hours == narrow.hours;
  const bool session = !wide.session || (narrow.session && *narrow.session <= *wide.session);
  return hours && session;
}

}  // namespace

std::optional<Term> term_of(const Grant& grant, const Person& person, Time now) {
  if (person.state != PersonState::active) return std::nullopt;
  Term term{.from = grant.from, .until = grant.until, .conditions = grant.conditions};
  if (term.from && *term.from <= now) term.from.reset();
  if (person.valid_until && !(term.until && *term.until <= *person.valid_until)) {
    term.until = person.valid_until;
  }
  if (term.until && *term.until <= term.from.value_or(now)) return std::nullopt;
  return term;
}

bool covers(const Term& wide, const Term& narrow) {
  const bool begins = !wide.from || (narrow.from && *wide.from <= *narrow.from);
  const bool ends = !wide.until || (narrow.until && *narrow.until <= *wide.until);
  return begins && ends && covers(wide.conditions, narrow.conditions);
}

bool covers(const Terms& wide, const Terms& narrow) {
  return std::ranges::all_of(narrow, [&](const Term& each) {
    return std::ranges::any_of(wide, [&](const Term& other) { return covers(other, each); });
  });
}

Terms widest(const Terms& terms) {
  Terms kept;
  for (const Term& term : terms) {
    if (covers(kept, {term})) continue;
    std::erase_if(kept, [&](const Term& other) { return covers(term, other); });
    kept.push_back(term);
  }
  return kept;
}

std::string to_string(const Term& term) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (term.from) add("from " + to_string(*term.from));
  if (term.until) add("until " + to_string(*term.until));
  if (term.conditions.hours) add(term.conditions.hours->to_string());
  if (term.conditions.session) {
    add("with a sign-in within " + to_string(*term.conditions.session));
  }
  return text.empty() ? "always" : text;
}

std::string to_string(const Terms& terms) {
  std::string text;
  for (const Term& term : terms) text += (text.empty() ? "" : "; ") + to_string(term);
  return text;
}

}  // namespace sekisho

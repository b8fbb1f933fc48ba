#include "tests/model/interpreter.h"

#include <stdexcept>

namespace sekisho::model {
namespace {

bool runs(const std::optional<Time>& until, Time now, Flaw flaw) {
  if (!until) return true;
  return flaw == Flaw::ends_a_second_late ? now <= *until : now < *until;
}

Cohort cohort_of(const Tables& tables, const Flow& flow, Time now, Flaw flaw) {
  const auto entry = tables.cohorts.find(flow.source);
  if (entry == tables.cohorts.end()) return {};
  const bool ended = !runs(entry->second.until, now, flaw);
  return ended && flaw != Flaw::ignores_cohort_end ? Cohort{} : entry->second.cohort;
}

AtomMark atom_of(const Tables& tables, const Flow& flow, Flaw flaw) {
  AtomMark found;
  for (const auto& [box, atom] : tables.atoms) {
    const bool here = box.addresses.contains(flow.destination) && box.ports.contains(flow.port) &&
                      (box.protocol == flow.protocol || flaw == Flaw::ignores_protocol);
    if (!here) continue;
    if (found && flaw == Flaw::none) throw std::logic_error("two atoms cover one destination");
    found = atom;
  }
  return found;
}

bool opens_right(Check check, Opening opening) {
  switch (check) {
    case Check::none:
      return true;
    case Check::tls:
      return opening == Opening::tls || opening == Opening::nothing;
    case Check::ssh:
      return opening == Opening::ssh || opening == Opening::nothing;
    case Check::quic:
      return opening == Opening::quic || opening == Opening::nothing;
  }
  throw std::logic_error("no such check");
}

}  // namespace

Answer interpret(const Tables& tables, const Flow& flow, Time now, Flaw flaw) {
  Answer answer{.atom = atom_of(tables, flow, flaw)};
  const Cohort cohort = cohort_of(tables, flow, now, flaw);
  if (!cohort || !answer.atom) return answer;
  if (flaw != Flaw::ignores_grants) {
    const auto grant = tables.grants.find({cohort, answer.atom});
    if (grant == tables.grants.end()) return answer;
    if (!runs(grant->second, now, flaw) && flaw != Flaw::ignores_grant_end) return answer;
  }
  if (flaw == Flaw::ignores_check || opens_right(answer.atom.check(), flow.opening)) {
    answer.verdict = Verdict::permit;
  }
  return answer;
}

}  // namespace sekisho::model

#include "tests/model/interpreter.h"

#include <stdexcept>

namespace sekisho::model {
namespace {

bool runs(const std::optional<Time>& until, Time now, Flaw flaw) {
  if (!until) return true;
  return flaw == Flaw::ends_a_second_late ? now <= *until : now < *until;
}

Cohort cohort_of(const Tables& tables, const IpAddress& device, Time now, Flaw flaw) {
  const auto entry = tables.cohorts.find(device);
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

bool granted(const Tables& tables, Cohort cohort, AtomMark atom, Time now, Flaw flaw) {
  if (!cohort || !atom) return false;
  if (flaw == Flaw::ignores_grants) return true;
  const auto grant = tables.grants.find({cohort, atom});
  if (grant == tables.grants.end()) return false;
  return runs(grant->second, now, flaw) || flaw == Flaw::ignores_grant_end;
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
  const Cohort cohort = cohort_of(tables, flow.source, now, flaw);
  if (!granted(tables, cohort, answer.atom, now, flaw)) return answer;
  if (flaw == Flaw::ignores_check || opens_right(answer.atom.check(), flow.opening)) {
    answer.verdict = Verdict::permit;
  }
  return answer;
}

Verdict interpret_living(const Tables& tables, const IpAddress& device, std::uint32_t ct_mark,
                         Time now, Flaw flaw) {
  const AtomMark atom = AtomMark::from_mark(ct_mark);
  const bool proven = ct_mark == atom.verified();
  const Cohort cohort = cohort_of(tables, device, now, flaw);
  return proven && granted(tables, cohort, atom, now, flaw) ? Verdict::permit : Verdict::refuse;
}

}  // namespace sekisho::model

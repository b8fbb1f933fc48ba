#include "gateway/engine/proof.h"

#include <fmt/format.h>

#include <chrono>
#include <set>

namespace sekisho::engine {

namespace {

// Places of maps and sets that a change touches; one that changes stands in both lists.
template <class Entries>
std::size_t places(const Entries& removed, const Entries& added) {
  std::set<typename Entries::value_type::first_type> places;
  for (const auto* entries : {&removed, &added}) {
    for (const auto& entry : *entries) places.insert(entry.first);
  }
  return places.size();
}

std::size_t touched(const TablesDiff& diff) {
  return places(diff.remove_cohorts, diff.add_cohorts) + places(diff.remove_atoms, diff.add_atoms) +
         places(diff.remove_grants, diff.add_grants);
}

// RFC 3339, with milliseconds; rounded up, for it says that nothing passed after it.
std::string exactly(Moment moment) {
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(moment);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(whole);
  std::string text = to_string(seconds);
  text.insert(text.size() - 1, fmt::format(".{:03}", (whole - seconds).count()));
  return text;
}

double milliseconds(Moment from, Moment to) {
  return static_cast<double>((to - from).count()) / 1000;
}

}  // namespace

void note(Proof& proof, const Effect& done, const Outcome::value_type& outcome, Moment at) {
  if (const auto* change = std::get_if<ChangeTables>(&done)) {
    proof.elements += touched(change->diff);
    // Of a stop of everyone the first step is the cut; the second lets in what is left to them.
    if (proof.cut_at == Moment{} || !change->diff.only_loosens()) proof.cut_at = at;
  } else if (std::holds_alternative<Install>(done)) {
    proof.cut_at = at;
  } else if (const auto* peers = std::get_if<ChangePeers>(&done)) {
    proof.peers += peers->remove.size();
  } else if (const auto* purged = std::get_if<std::size_t>(&outcome)) {
    proof.flows += *purged;
  }
}

Node show_proof(const Proof& proof, Moment now) {
  const auto count = [](std::size_t n) { return Node{static_cast<std::int64_t>(n)}; };
  const bool cut = proof.cut_at != Moment{};
  return {
      Node::Table{{"last_packet_before", cut ? Node{exactly(proof.cut_at)} : Node{}},
                  {"milliseconds", cut ? Node{milliseconds(proof.began, proof.cut_at)} : Node{}},
                  {"milliseconds_in_all", {milliseconds(proof.began, now)}},
                  {"elements", count(proof.elements)},
                  {"peers_removed", count(proof.peers)},
                  {"purged", count(proof.flows)}}};
}

}  // namespace sekisho::engine

#include "gateway/engine/proof.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

namespace sekisho::engine {

namespace {

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
  const auto* count = std::get_if<std::size_t>(&outcome);
  const std::size_t counted = count == nullptr ? 0 : *count;
  if (const auto* change = std::get_if<ChangeTables>(&done)) {
    // Of a stop of everyone the first step is the cut; the second lets in what is left to them.
    const bool lets_in = proof.cut_at != Moment{} && change->diff.only_loosens();
    if (lets_in) return;
    proof.elements += counted;
    proof.cut_at = at;
  } else if (std::holds_alternative<ConfirmTables>(done)) {
    proof.elements += counted;
    if (proof.cut_at == Moment{}) proof.cut_at = at;
  } else if (std::holds_alternative<Install>(done)) {
    proof.cut_at = at;
  } else if (const auto* peers = std::get_if<ChangePeers>(&done)) {
    proof.peers += peers->remove.size();
  } else if (std::holds_alternative<PurgeFlows>(done)) {
    proof.flows += counted;
  }
}

std::string tell(const Proof& proof) {
  if (proof.cut_at == Moment{}) return "its rules are not in the kernel";
  return fmt::format(
      "no packet after {}, {:.3f} ms after the request; {} elements read back, {} peers removed, "
      "{} "
      "connections ended",
      exactly(proof.cut_at), milliseconds(proof.began, proof.cut_at), proof.elements, proof.peers,
      proof.flows);
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

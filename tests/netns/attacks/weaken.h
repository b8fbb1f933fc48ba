#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policy/compile/ruleset.h"

// The product's rules with a protection taken out: what a control is made of. A rule is named by
// its chain and a part of its comment; where there is none, the test fails, so that a control does
// not outlive what it controls.
namespace sekisho::attacks {

using Weakening = std::function<void(Ruleset&)>;

Weakening without(const std::string& chain, const std::string& comment);
// The statements instead of those that are there.
Weakening instead(const std::string& chain, const std::string& comment,
                  const std::vector<nft::Statement>& statements);
// One kind of statement out of a rule that stays.
template <class Kind>
Weakening lacking(const std::string& chain, const std::string& comment);
// Before everything else in the chain.
Weakening first_of_all(const std::string& chain, const std::vector<nft::Statement>& statements);

// What most firewalls begin with, and what this design does without.
Weakening established_first(const std::string& chain);

// The office is routed, not masqueraded: only then is a packet after a purge still one of the
// connection, whichever side sends it, and conntrack (tcp_loose) takes it for the first of a flow.
std::vector<Weakening> routed_office();
// An answer over IPv4 is marked as seen on its way in, so that one that nobody judged is also
// dropped where it leaves: controls that leave it unjudged take away both.
Weakening without_the_last_word();

// The rules of that comment in that chain; at least one, or the test fails.
void change_rules(Ruleset& ruleset, const std::string& chain, const std::string& comment,
                  const std::function<void(nft::Rule&)>& change);

template <class Kind>
Weakening lacking(const std::string& chain, const std::string& comment) {
  return [=](Ruleset& ruleset) {
    change_rules(ruleset, chain, comment, [](nft::Rule& rule) {
      std::erase_if(rule.statements,
                    [](const nft::Statement& each) { return std::holds_alternative<Kind>(each); });
    });
  };
}

}  // namespace sekisho::attacks

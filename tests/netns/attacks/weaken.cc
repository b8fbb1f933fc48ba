#include "tests/netns/attacks/weaken.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sekisho::attacks {
namespace {

nft::Chain& chain_of(Ruleset& ruleset, const std::string& name) {
  const auto found = std::ranges::find(ruleset.chains, name, &nft::Chain::name);
  if (found == ruleset.chains.end()) throw std::logic_error("no chain " + name);
  return *found;
}

bool told_by(const nft::Rule& rule, const std::string& comment) {
  return rule.comment.find(comment) != std::string::npos;
}

}  // namespace

void change_rules(Ruleset& ruleset, const std::string& chain, const std::string& comment,
                  const std::function<void(nft::Rule&)>& change) {
  int changed = 0;
  for (nft::Rule& rule : chain_of(ruleset, chain).rules) {
    if (!told_by(rule, comment)) continue;
    change(rule);
    ++changed;
  }
  if (changed == 0) throw std::logic_error(chain + " has no rule \"" + comment + "\"");
}

Weakening without(const std::string& chain, const std::string& comment) {
  return [=](Ruleset& ruleset) {
    if (std::erase_if(chain_of(ruleset, chain).rules,
                      [&](const nft::Rule& rule) { return told_by(rule, comment); }) == 0) {
      throw std::logic_error(chain + " has no rule \"" + comment + "\"");
    }
  };
}

Weakening instead(const std::string& chain, const std::string& comment,
                  const std::vector<nft::Statement>& statements) {
  return [=](Ruleset& ruleset) {
    change_rules(ruleset, chain, comment, [&](nft::Rule& rule) { rule.statements = statements; });
  };
}

Weakening first_of_all(const std::string& chain, const std::vector<nft::Statement>& statements) {
  return [=](Ruleset& ruleset) {
    auto& rules = chain_of(ruleset, chain).rules;
    rules.insert(rules.begin(), nft::Rule{statements, "a control's"});
  };
}

std::vector<Weakening> routed_office() {
  return {without("postrouting", "leaves with the gateway's address"),
          without("preraw", "probed from outside")};
}

Weakening without_the_last_word() {
  return without("postrouting", "neither forward nor input judged it");
}

Weakening established_first(const std::string& chain) {
  return first_of_all(chain, {nft::HasState{nft::kEstablished | nft::kRelated}, nft::Accept{}});
}

}  // namespace sekisho::attacks

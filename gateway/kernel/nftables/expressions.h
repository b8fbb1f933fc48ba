#pragma once

#include <libnftnl/rule.h>

#include <memory>
#include <string>

#include "policy/compile/ruleset.h"

namespace sekisho::kernel {

struct FreeRule {
  void operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }
};
using RulePointer = std::unique_ptr<nftnl_rule, FreeRule>;

// The rule as the kernel's expressions: the same ones, on the same registers, as nft 1.0.6 makes of
// to_nft(rule), so that nft lists it as it would its own.
RulePointer make_rule(const std::string& table, const std::string& chain, const nft::Rule& rule);

// Expressions and comment in one line, the same for a rule made here and for its dump: equal texts,
// equal rules.
std::string canonical(const nftnl_rule& rule);

// "\0\x05text\0": the user data in which nft keeps a comment (libnftnl/udata.h), of attribute
// `type`.
std::string comment_data(std::uint8_t type, const std::string& comment);

}  // namespace sekisho::kernel

#include "policy/model/format.h"

#include <utility>

#include "policy/model/comments.h"

namespace sekisho {

Checked<std::string> format_policy(std::string_view text, Syntax syntax, std::string_view file) {
  const auto source = read_document(text, syntax, file);
  if (!source) return std::unexpected(Errors{source.error()});
  auto policy = decode(*source, file);
  if (!policy) return std::unexpected(std::move(policy.error()));
  if (syntax == Syntax::json) return write_policy(*policy, syntax);
  const Node canonical = encode(*policy);
  return write_toml(canonical, carry_comments(read_comments(text, *source), *source, canonical));
}

}  // namespace sekisho

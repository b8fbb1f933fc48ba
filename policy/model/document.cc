#include "policy/model/document.h"

#include <cassert>
#include <utility>

#include "policy/model/source_text.h"

namespace sekisho {

Checked<Policy> read_policy(std::string_view text, Syntax syntax, std::string_view file) {
  auto document = read_document(text, syntax, file);
  if (!document) return std::unexpected(Errors{std::move(document.error())});
  return decode(*document, file);
}

Result<Node> read_document(std::string_view text, Syntax syntax, std::string_view file) {
  switch (syntax) {
    case Syntax::toml:
      return read_toml(text, file);
    case Syntax::json:
      return read_json(text, file);
  }
  assert(false);
  return {};
}

Result<void> check_text(std::string_view text, std::string_view file) {
  return SourceText(text, file).check();
}

}  // namespace sekisho

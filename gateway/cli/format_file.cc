#include "gateway/cli/format_file.h"

#include <string>
#include <utility>

#include "gateway/cli/replace_file.h"
#include "policy/model/format.h"

namespace sekisho::cli {

namespace {

std::unexpected<Errors> refuse(std::string object, std::string cause, std::string advice) {
  return std::unexpected(
      Errors{{ErrorCode::invalid, std::move(object), std::move(cause), {}, std::move(advice)}});
}

Node explained(std::string text) {
  return {Node::Table{{"explanation", {std::move(text)}}}};
}

}  // namespace

control::Reply format_file(const Typed& typed) {
  const std::string& path = typed.at("document").front();
  const bool write = typed.contains("write");
  if (write && path == "-")
    return refuse("--write", "standard input is no file", "name the file, or leave out --write");
  const std::string syntax = syntax_of(typed);
  if (syntax != "toml" && syntax != "json")
    return refuse("syntax", "\"" + syntax + "\" is not known", "give toml or json");
  const auto text = read_document_file(path);
  if (!text) return std::unexpected(Errors{text.error()});
  const std::string name = document_name(path);
  auto formatted = format_policy(*text, syntax == "json" ? Syntax::json : Syntax::toml, name);
  if (!formatted) return std::unexpected(std::move(formatted.error()));
  const bool same = *formatted == *text;
  if (typed.contains("check")) {
    Node answer = explained(name + (same ? " is formatted" : " is not formatted"));
    std::get<Node::Table>(answer.value).emplace_back("answer", Node{same});
    return answer;
  }
  if (!write) return Node{Node::Table{{"document", {*std::move(formatted)}}}};
  if (!same) {
    if (auto replaced = replace_file(path, *formatted); !replaced)
      return std::unexpected(Errors{replaced.error()});
  }
  return explained(name + (same ? " was formatted already" : " is formatted now"));
}

}  // namespace sekisho::cli

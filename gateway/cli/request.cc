#include "gateway/cli/request.h"

#include <charconv>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "policy/model/document.h"

namespace sekisho::cli {

namespace {

using control::Parameter;
using control::ParameterKind;

// "tcp:5432=the accounts program" is the exception tcp:5432 and its reason.
Node service(const std::string& typed) {
  const auto equals = typed.find('=');
  if (equals == std::string::npos) return {typed};
  return {
      Node::Table{{"service", {typed.substr(0, equals)}}, {"reason", {typed.substr(equals + 1)}}}};
}

Result<Node> value_of(const Parameter& parameter, const std::vector<std::string>& words) {
  switch (parameter.kind) {
    case ParameterKind::text:
      return Node{words.front()};
    case ParameterKind::flag:
      return Node{true};
    case ParameterKind::list:
    case ParameterKind::services: {
      Node::Array items;
      for (const std::string& word : words) {
        items.push_back(parameter.kind == ParameterKind::services ? service(word) : Node{word});
      }
      return Node{std::move(items)};
    }
    case ParameterKind::number: {
      std::int64_t number = 0;
      const std::string& word = words.front();
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
      if (error != std::errc() || end != word.data() + word.size()) {
        return fail(ErrorCode::invalid, std::string(parameter.name),
                    "\"" + word + "\" is not a whole number", "give one");
      }
      return Node{number};
    }
    case ParameterKind::document: {
      auto text = read_document_file(words.front());
      if (!text) return std::unexpected(std::move(text.error()));
      return Node{*std::move(text)};
    }
  }
  return Node{};
}

}  // namespace

Result<std::string> read_document_file(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  std::istream& from = path == "-" ? std::cin : file;
  std::string text;
  if (from) {
    std::ostringstream all;
    if (from.peek() != std::istream::traits_type::eof()) all << from.rdbuf();
    text = std::move(all).str();
  }
  // A directory opens and cannot be read.
  if (from.bad() || (path != "-" && !file.is_open())) {
    return fail(ErrorCode::invalid, path, std::string("cannot be read: ") + std::strerror(errno),
                "name a readable file, or - for standard input");
  }
  if (text.size() > kMaxDocumentBytes) {
    return fail(ErrorCode::invalid, path, "is larger than 32 MiB", "give a smaller document");
  }
  // A request would name the place in itself.
  if (auto fit = check_text(text, document_name(path)); !fit) return std::unexpected(fit.error());
  return text;
}

std::string document_name(const std::string& path) {
  return path == "-" ? "standard input" : path;
}

std::string syntax_of(const Typed& typed) {
  if (const auto syntax = typed.find("syntax"); syntax != typed.end())
    return syntax->second.front();
  const auto document = typed.find("document");
  return document != typed.end() && document->second.front().ends_with(".json") ? "json" : "toml";
}

Checked<control::Request> make_request(const control::Operation& operation, const Typed& typed) {
  Node::Table parameters;
  Errors errors;
  for (const Parameter& parameter : operation.parameters) {
    const auto words = typed.find(parameter.name);
    if (words == typed.end() || words->second.empty()) continue;
    auto value = value_of(parameter, words->second);
    if (!value) {
      errors.push_back(std::move(value.error()));
      continue;
    }
    if (parameter.kind == ParameterKind::document && !typed.contains("syntax") &&
        syntax_of(typed) == "json") {
      parameters.emplace_back("syntax", Node{std::string("json")});
    }
    parameters.emplace_back(std::string(parameter.name), *std::move(value));
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return control::Request{.operation = operation.id, .parameters = {std::move(parameters)}};
}

}  // namespace sekisho::cli

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/cli/command_rows.h"

namespace sekisho::cli {

inline constexpr int kUsage = 2;
inline constexpr int kAnsweredNo = 7;
struct ExitCode {
  int code;
  std::string_view name;
  std::string_view meaning;  // a sentence
};
std::span<const ExitCode> exit_codes();  // all there are, from 0
int exit_code(ErrorCode code);
int exit_code(const control::Reply& reply);

// What a person reads on standard output. Lists are tables; a document or a profile stands as it
// is.
std::string as_text(const CommandRow& row, const Node& result);
// One JSON object: {"schema":"sekisho.device.list/1","result":...}, or "errors" for "result".
std::string as_json(const CommandRow& row, const control::Reply& reply);
// "error[conflict]: person.tanaka: exists already" and, on a line of its own, what to do.
std::string as_text(const Errors& errors);

// The same two forms of a mistake in the words typed, whose code is "usage".
std::string usage_as_text(const std::string& cause, const std::string& advice);
std::string usage_as_json(const std::string& cause, const std::string& advice);

}  // namespace sekisho::cli

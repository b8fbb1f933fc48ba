#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace sekisho {

// What kind of failure it is. The CLI's exit codes and the HTTP statuses are derived from it.
enum class ErrorCode {
  failed,         // the gateway could not do it (kernel, disk, ...)
  invalid,        // the request or the document is wrong
  not_found,      // the named object does not exist
  not_permitted,  // the caller's role does not allow it
  conflict,       // somebody else changed it first, or it already exists
  unreachable,    // the daemon does not answer
  answered_no,    // a check was made and its answer is "no"
  rolled_back,    // applied, then taken back
};

// One failure, told so that the reader can act: which object, where, why, and what to do.
// `place` is "file:line:column" where the input has lines; any field but `cause` may be empty.
struct Error {
  ErrorCode code = ErrorCode::failed;
  std::string object;
  std::string cause;
  std::string place = {};
  std::string advice = {};

  bool operator==(const Error&) const = default;
};

using Errors = std::vector<Error>;

template <class T>
using Result = std::expected<T, Error>;

// For inputs in which several things can be wrong at once; never holds an empty list.
template <class T>
using Checked = std::expected<T, Errors>;

inline std::unexpected<Error> fail(ErrorCode code, std::string object, std::string cause,
                                   std::string advice = {}) {
  return std::unexpected(Error{.code = code,
                               .object = std::move(object),
                               .cause = std::move(cause),
                               .advice = std::move(advice)});
}

// "place: object: cause (advice)", leaving out what is empty.
std::string to_string(const Error& error);

}  // namespace sekisho

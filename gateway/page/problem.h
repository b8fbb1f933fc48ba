#pragma once

#include <string>

#include "policy/base/result.h"

namespace sekisho::page {

// The HTTP status (RFC 9110 section 15) of a failure.
int status_of(ErrorCode code);

// An error as "application/problem+json" (RFC 9457): title, detail, status, and `code`, a stable
// name of what went wrong.
std::string problem(int status, const std::string& code, const std::string& detail,
                    const std::string& advice = {});
std::string problem(const Error& error);

}  // namespace sekisho::page

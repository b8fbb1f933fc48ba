#pragma once

#include <string>

#include "policy/base/result.h"

namespace sekisho::kernel {

// "No such device (ENODEV)"
std::string errno_text(int error_number);

// An error about `object`, whose cause is the errno's text, then the kernel's own words if it said
// any. "There is no such thing" (ENOENT, ESRCH, ENODEV, ENXIO) is ErrorCode::not_found, EEXIST is
// ErrorCode::conflict, so that a caller for whom that is no failure can tell; all else is `failed`.
std::unexpected<Error> errno_failure(int error_number, std::string object,
                                     const std::string& kernel_words = {});

}  // namespace sekisho::kernel

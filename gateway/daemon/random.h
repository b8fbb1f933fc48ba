#pragma once

#include "policy/base/keys.h"

namespace sekisho::daemon {

// 32 bytes from the kernel: getrandom(2).
Result<KeyBytes> random_bytes();

}  // namespace sekisho::daemon

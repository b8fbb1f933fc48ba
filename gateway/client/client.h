#pragma once

#include <filesystem>

#include "gateway/control/message.h"

namespace sekisho::client {

inline constexpr const char* kDefaultSocket = "/run/sekisho/control.sock";

// Asks the daemon at `socket` and waits for its reply. ErrorCode::unreachable where nobody listens
// there, not_permitted where the socket's file mode keeps the caller out.
control::Reply call(const std::filesystem::path& socket, control::Request request);

}  // namespace sekisho::client

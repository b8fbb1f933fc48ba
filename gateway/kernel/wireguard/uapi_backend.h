#pragma once

#include <memory>
#include <string>

#include "gateway/kernel/wireguard/wireguard.h"

namespace sekisho::kernel {

// wireguard-go or another process that answers at /var/run/wireguard/<interface>.sock.
Result<std::unique_ptr<WireGuard>> open_uapi_wireguard(const std::string& interface);

}  // namespace sekisho::kernel

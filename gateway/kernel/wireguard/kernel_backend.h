#pragma once

#include <memory>
#include <string>

#include "gateway/kernel/wireguard/wireguard.h"

namespace sekisho::kernel {

// The kernel's own WireGuard through generic netlink. Needs CAP_NET_ADMIN.
Result<std::unique_ptr<WireGuard>> open_kernel_wireguard(const std::string& interface);

}  // namespace sekisho::kernel

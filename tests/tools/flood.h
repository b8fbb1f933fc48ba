#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "policy/base/result.h"

namespace sekisho::probe {

// Sends one-byte datagrams as fast as it can until `stop`; the answer is how many the kernel took.
// Refusals that come back as ICMP errors are expected and ignored.
Result<std::uint64_t> flood(const std::string& address, std::uint16_t port,
                            const std::atomic<bool>& stop);

// Counts the datagrams that arrive on a port until `stop`.
Result<std::uint64_t> count(std::uint16_t port, const std::atomic<bool>& stop);

}  // namespace sekisho::probe

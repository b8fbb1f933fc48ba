#pragma once

#include <cstdint>
#include <expected>
#include <span>

#include "gateway/kernel/netlink/unique_fd.h"
#include "policy/base/result.h"

// The system calls that Socket and Listener have in common.
namespace sekisho::kernel {

// A bound, non-blocking netlink socket.
Result<UniqueFd> open_netlink(int bus);

Result<void> set_option(int fd, int level, int option, int value);

// Beyond rmem_max where the process may (CAP_NET_ADMIN), up to it otherwise.
void size_receive_buffer(int fd, int bytes);

// The next datagram of the kernel, in `buffer`; what other processes sent is skipped. The error is
// an errno: EAGAIN when there is none, ENOBUFS when the kernel had to drop some, EMSGSIZE when the
// datagram was larger than the buffer.
std::expected<std::span<const std::uint8_t>, int> receive_datagram(int fd,
                                                                   std::span<std::uint8_t> buffer);

}  // namespace sekisho::kernel

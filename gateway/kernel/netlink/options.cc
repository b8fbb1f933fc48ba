#include "gateway/kernel/netlink/options.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "gateway/kernel/netlink/errors.h"

namespace sekisho::kernel {

Result<UniqueFd> open_netlink(int bus) {
  const std::string what = "netlink socket, bus " + std::to_string(bus);
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, bus));
  if (!fd) return errno_failure(errno, what);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return errno_failure(errno, what, "bind");
  }
  return fd;
}

Result<void> set_option(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return errno_failure(errno, "netlink socket option " + std::to_string(option) + " of level " +
                                  std::to_string(level));
}

void size_receive_buffer(int fd, int bytes) {
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
}

std::expected<std::span<const std::uint8_t>, int> receive_datagram(int fd,
                                                                   std::span<std::uint8_t> buffer) {
  while (true) {
    sockaddr_nl sender{};
    iovec piece{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    const ssize_t length = ::recvmsg(fd, &header, MSG_DONTWAIT);
    if (length < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(errno);
    }
    if (sender.nl_pid != 0) continue;
    if ((header.msg_flags & MSG_TRUNC) != 0) return std::unexpected(EMSGSIZE);
    return buffer.first(static_cast<std::size_t>(length));
  }
}

}  // namespace sekisho::kernel

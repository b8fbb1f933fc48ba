#include "gateway/kernel/netlink/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "gateway/kernel/netlink/errors.h"
#include "gateway/kernel/netlink/options.h"
#include "gateway/kernel/netlink/reply.h"

namespace sekisho::kernel {
namespace {

constexpr std::size_t kDatagramRoom = std::size_t{128} * 1024;
constexpr int kReceiveBuffer = 4 * 1024 * 1024;

}  // namespace

Listener::Listener(UniqueFd fd) : fd_(std::move(fd)), buffer_(kDatagramRoom) {}

Result<Listener> Listener::open(int bus, std::span<const unsigned int> groups) {
  auto fd = open_netlink(bus);
  if (!fd) return std::unexpected(fd.error());
  Listener listener(std::move(*fd));
  size_receive_buffer(listener.fd(), kReceiveBuffer);
  for (const unsigned int group : groups) {
    auto joined =
        set_option(listener.fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, static_cast<int>(group));
    if (!joined) return std::unexpected(joined.error());
  }
  return listener;
}

Result<Listener::Seen> Listener::read(const std::function<void(const nlmsghdr&)>& each) {
  Seen seen = Seen::all;
  for (int count = 0; count < kMaxDatagrams; ++count) {
    const auto datagram = receive_datagram(fd_.get(), buffer_);
    if (datagram) {
      for_each_message(*datagram, each);
      continue;
    }
    // A notification too long for the buffer is lost like one that the kernel dropped.
    if (datagram.error() == ENOBUFS || datagram.error() == EMSGSIZE) {
      seen = Seen::overrun;
      continue;
    }
    if (datagram.error() == EAGAIN) break;
    return errno_failure(datagram.error(), "netlink notifications");
  }
  return seen;
}

}  // namespace sekisho::kernel

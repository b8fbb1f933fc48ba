#include "tests/tools/flood.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/tools/socket.h"

namespace sekisho::probe {
namespace {

constexpr std::size_t batch = 64;

// One system call moves a batch: the sender should not be what limits the rate.
struct Batch {
  std::array<char, batch> bytes{};
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};

  Batch() {
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i] = {.iov_base = &bytes[i], .iov_len = 1};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

}  // namespace

Result<std::uint64_t> flood(const std::string& address, std::uint16_t port,
                            const std::atomic<bool>& stop) {
  auto socket = open_client(Transport::udp, address, port, 1000);
  if (!socket) return std::unexpected(socket.error());
  Batch datagrams;
  std::uint64_t sent = 0;
  while (!stop) {
    const int taken = sendmmsg(socket->fd(), datagrams.messages.data(), batch, 0);
    if (taken > 0) sent += static_cast<std::uint64_t>(taken);
  }
  return sent;
}

Result<std::uint64_t> count(std::uint16_t port, const std::atomic<bool>& stop) {
  auto socket = open_server(Transport::udp, port);
  if (!socket) return std::unexpected(socket.error());
  socket->limit_waits(100);
  Batch datagrams;
  std::uint64_t received = 0;
  while (!stop) {
    const int got =
        recvmmsg(socket->fd(), datagrams.messages.data(), batch, MSG_WAITFORONE, nullptr);
    if (got > 0) received += static_cast<std::uint64_t>(got);
  }
  return received;
}

}  // namespace sekisho::probe

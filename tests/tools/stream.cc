#include "tests/tools/stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace sekisho::probe {
namespace {

constexpr int steps_per_s = 20;
// Longer than any test cuts a flow for: a server that retransmits must not give up by itself.
constexpr int server_wait_ms = 120'000;

// What the client's first byte, left unread, says it speaks.
Opening opening_of(const Socket& socket) {
  char first = 0;
  recv(socket.fd(), &first, 1, MSG_PEEK);
  if (first == 0x16) return Opening::tls;
  return first == 'S' ? Opening::ssh : Opening::http;
}

void stream_to(Socket socket, std::size_t bytes_per_s) {
  socket.limit_waits(server_wait_ms);
  const Opening opening = opening_of(socket);
  auto channel = Channel::open(std::move(socket), opening, Side::server);
  if (!channel) return;
  const std::vector<char> step(std::max<std::size_t>(bytes_per_s / steps_per_s, 1), 'x');
  while (true) {
    std::span<const char> rest = step;
    while (!rest.empty()) {
      auto sent = channel->write(rest);
      if (!sent) return;
      rest = rest.subspan(*sent);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1000 / steps_per_s));
  }
}

}  // namespace

Error serve(std::uint16_t port, std::size_t bytes_per_s) {
  auto server = open_server(Transport::tcp, port);
  if (!server) return server.error();
  while (true) {
    Socket client(accept4(server->fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.fd() >= 0) {
      std::thread(stream_to, std::move(client), bytes_per_s).detach();
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return {.object = "port " + std::to_string(port), .cause = std::strerror(errno)};
    }
  }
}

Evidence fetch(const Fetch& request, const std::function<void()>& running,
               const std::atomic<bool>& stop) {
  Evidence seen;
  auto socket =
      open_client(Transport::tcp, request.address, request.port, request.silence_limit_ms);
  if (!socket) {
    seen.end = socket.error().cause;
    return seen;
  }
  seen.connected = true;
  auto channel = Channel::open(std::move(*socket), request.opening, Side::client);
  if (!channel) {
    seen.end = channel.error().cause;
    return seen;
  }
  seen.opened = true;
  std::array<char, 16384> buffer{};
  while (seen.bytes < request.bytes) {
    if (stop) {
      seen.end = "stopped";
      return seen;
    }
    auto got = channel->read(buffer);
    if (!got || *got == 0) {
      seen.end = got ? "closed" : got.error().cause;
      return seen;
    }
    if (seen.bytes == 0) running();
    seen.bytes += *got;
    seen.last_byte_ms = now_ms();
  }
  seen.end = "done";
  return seen;
}

}  // namespace sekisho::probe

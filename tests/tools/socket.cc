#include "tests/tools/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace sekisho::probe {

std::int64_t now_ms() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             steady_clock::now().time_since_epoch())
      .count();
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

void Socket::limit_waits(int ms) const {
  const timeval limit{.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

namespace {

int type_of(Transport transport) {
  switch (transport) {
    case Transport::tcp:
      return SOCK_STREAM;
    case Transport::udp:
      return SOCK_DGRAM;
  }
  std::unreachable();
}

std::unexpected<Error> system_failure(const std::string& object) {
  return fail(ErrorCode::failed, object, std::strerror(errno));
}

const sockaddr* generic(const sockaddr_in6& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// IPv4 peers are met as mapped addresses.
sockaddr_in6 any_address(std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  return address;
}

}  // namespace

Result<Socket> open_server(Transport transport, std::uint16_t port) {
  const std::string object = "port " + std::to_string(port);
  Socket server(socket(AF_INET6, type_of(transport) | SOCK_CLOEXEC, 0));
  if (server.fd() < 0) return system_failure(object);
  const int on = 1;
  const int off = 0;
  setsockopt(server.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(server.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const sockaddr_in6 address = any_address(port);
  if (bind(server.fd(), generic(address), sizeof address) != 0) return system_failure(object);
  if (transport == Transport::tcp && listen(server.fd(), 64) != 0) return system_failure(object);
  return server;
}

Result<Socket> open_client(Transport transport, const std::string& address, std::uint16_t port,
                           int timeout_ms, std::uint16_t source_port) {
  const std::string object = address + " port " + std::to_string(port);
  addrinfo hints{};
  hints.ai_family = AF_INET6;
  hints.ai_socktype = type_of(transport);
  hints.ai_flags = AI_NUMERICHOST | AI_V4MAPPED;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.c_str(), nullptr, &hints, &found); error != 0) {
    return fail(ErrorCode::invalid, address, gai_strerror(error));
  }
  sockaddr_in6 peer{};
  std::memcpy(&peer, found->ai_addr, sizeof peer);
  freeaddrinfo(found);
  peer.sin6_port = htons(port);

  Socket client(socket(AF_INET6, type_of(transport) | SOCK_CLOEXEC, 0));
  if (client.fd() < 0) return system_failure(object);
  if (source_port != 0) {
    const int on = 1;
    setsockopt(client.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in6 own = any_address(source_port);
    if (bind(client.fd(), generic(own), sizeof own) != 0) return system_failure(object);
  }
  client.limit_waits(timeout_ms);
  if (connect(client.fd(), generic(peer), sizeof peer) != 0) {
    return fail(ErrorCode::unreachable, object, outcome_of(errno));
  }
  return client;
}

std::string outcome_of(int error) {
  switch (error) {
    case EAGAIN:
    case EINPROGRESS:
    case ETIMEDOUT:
      return "timeout";
    case ECONNREFUSED:
      return "refused";
    case ECONNRESET:
    case EPIPE:
      return "reset";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EACCES:
      return "unreachable";
    default:
      return std::strerror(error);
  }
}

}  // namespace sekisho::probe

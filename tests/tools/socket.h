#pragma once

#include <cstdint>
#include <string>

#include "policy/base/result.h"

namespace sekisho::probe {

// Milliseconds of CLOCK_MONOTONIC, which all network namespaces share: moments seen by different
// programs can be compared.
std::int64_t now_ms();

// A socket descriptor of its own, closed with the object.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  int fd() const { return fd_; }

  // Every later read and write gives up after this long with EAGAIN.
  void limit_waits(int ms) const;

 private:
  int fd_;
};

enum class Transport { tcp, udp };

// Accepts IPv4 and IPv6 on one port. For TCP it listens.
Result<Socket> open_server(Transport transport, std::uint16_t port);

// The address is a literal. For TCP it waits `timeout_ms` at most; the error's cause is one word:
// "refused", "timeout", "unreachable" or "reset", else the system's text. `source_port` 0 lets the
// kernel choose.
Result<Socket> open_client(Transport transport, const std::string& address, std::uint16_t port,
                           int timeout_ms, std::uint16_t source_port = 0);

// How a failed socket call reads in the output: "reset", "timeout", ...
std::string outcome_of(int error);

}  // namespace sekisho::probe

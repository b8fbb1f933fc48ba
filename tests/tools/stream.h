#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "policy/base/result.h"
#include "tests/tools/channel.h"

namespace sekisho::probe {

// Serves a port until it cannot: each client in a thread of its own is answered in whatever way it
// opened, as a server would that helps around a firewall; then `bytes_per_s` of data in steps of 50
// ms until the client or the way ends.
Error serve(std::uint16_t port, std::size_t bytes_per_s);

struct Fetch {
  std::string address;
  std::uint16_t port = 0;
  Opening opening = Opening::tls;
  std::size_t bytes = 1;        // done when so many have come
  int silence_limit_ms = 3000;  // give up after so long without a byte
};

// What the client itself saw.
struct Evidence {
  bool connected = false;         // the TCP handshake completed
  bool opened = false;            // the server's opening came back
  std::size_t bytes = 0;          // after the opening
  std::int64_t last_byte_ms = 0;  // now_ms() of the last byte, 0 if none came
  std::string end;                // "done" or how it failed
};

// `running` is called with the first byte. When `stop` becomes true it ends with the next bytes.
Evidence fetch(const Fetch& request, const std::function<void()>& running,
               const std::atomic<bool>& stop);

}  // namespace sekisho::probe

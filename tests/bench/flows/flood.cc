#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>

#include "tests/bench/flows/common.h"

namespace sekisho::bench {
namespace {

constexpr std::size_t kBatch = 64;

struct Batch {
  std::array<char, 64> bytes{};
  iovec part{bytes.data(), bytes.size()};
  std::array<mmsghdr, kBatch> messages{};
  Batch() {
    for (mmsghdr& message : messages) {
      message.msg_hdr.msg_iov = &part;
      message.msg_hdr.msg_iovlen = 1;
    }
  }
};

}  // namespace

// rate N: datagrams of 64 bytes a second from now on, -1: as many as go; sent: {"sent":N}.
void flood(const std::string& address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) give_up("connect");
  Batch batch;
  long rate = 0;
  std::uint64_t sent = 0;
  double due = 0;
  auto last = std::chrono::steady_clock::now();
  pollfd input{.fd = 0, .events = POLLIN, .revents = 0};
  while (true) {
    if (poll(&input, 1, rate < 0 ? 0 : 1) > 0) {
      std::string word;
      if (!(std::cin >> word)) return;
      if (word == "rate") {
        std::cin >> rate;
        due = 0;
      } else {
        std::printf("{\"sent\":%llu}\n", static_cast<unsigned long long>(sent));
        std::fflush(stdout);
      }
    }
    const auto now = std::chrono::steady_clock::now();
    due += static_cast<double>(rate) * std::chrono::duration<double>(now - last).count();
    last = now;
    // What could not be sent in time is not made up for.
    due = std::clamp(due, 0.0, static_cast<double>(4 * kBatch));
    while (rate < 0 || due >= 1) {
      const auto count = rate < 0 ? kBatch : std::min(kBatch, static_cast<std::size_t>(due));
      const int taken = sendmmsg(fd, batch.messages.data(), static_cast<unsigned>(count), 0);
      if (taken > 0) sent += static_cast<std::uint64_t>(taken);
      due -= static_cast<double>(count);
      if (rate < 0) break;
    }
  }
}

}  // namespace sekisho::bench

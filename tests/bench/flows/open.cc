#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/flows/common.h"

namespace sekisho::bench {
namespace {

constexpr std::size_t kBulkOneIn = 25;
constexpr int kPatienceMs = 10'000;

struct Address {
  sockaddr_storage at{};
  socklen_t length = 0;
};

Address address_of(const std::string& text, std::uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.at);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.at);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof *v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof *v6;
  } else {
    give_up(text + " is no address");
  }
  return address;
}

struct Flow {
  int fd = -1;
  char kind = kEcho;
  bool tcp = false;
  bool answered = false;
};

class Flows {
 public:
  Flows(std::uint16_t port, const std::string& v4, const std::string& v6)
      : to_{address_of(v4, port), address_of(v6, port)} {}

  // TCP and UDP in turn, each in both families; one in kBulkOneIn is bulk, up and down in turn.
  void open(std::size_t count) {
    close_all();
    for (std::size_t i = 0; i < count; ++i) {
      Flow flow;
      flow.tcp = (i & 1) != 0;
      const Address& to = to_[i >> 1 & 1];
      if (i / 4 % kBulkOneIn == 0) flow.kind = (i / 4 / kBulkOneIn & 1) != 0 ? kUpload : kDownload;
      flow.fd = socket(to.at.ss_family, (flow.tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
      const int on = 1;
      if (flow.tcp) setsockopt(flow.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connect(flow.fd, reinterpret_cast<const sockaddr*>(&to.at), to.length) != 0 &&
          errno != EINPROGRESS) {
        give_up("connect");
      }
      flows_.push_back(flow);
    }
    ticks_ = 0;
  }

  // Each flow speaks in its turn, and what came back is read.
  void tick() {
    ++ticks_;
    for (std::size_t i = 0; i < flows_.size(); ++i) {
      Flow& flow = flows_[i];
      if (flow.fd < 0) continue;
      const bool turn = (static_cast<std::size_t>(ticks_) + i) % kIdleTicks == 0;
      if (flow.kind == kUpload) {
        send(flow.fd, bulk_.data(), bulk_.size(), MSG_NOSIGNAL);
        flow.answered = true;
      } else if (turn || (!flow.answered && ticks_ % 10 == 0)) {
        send(flow.fd, &flow.kind, 1, MSG_NOSIGNAL);
      }
      if (flow.kind == kDownload || turn || !flow.answered) hear(flow);
    }
  }

  std::size_t living() const {
    std::size_t living = 0;
    for (const Flow& flow : flows_) living += flow.fd >= 0 && flow.answered ? 1 : 0;
    return living;
  }

  void close_all() {
    const linger at_once{1, 0};
    for (const Flow& flow : flows_) {
      if (flow.fd < 0) continue;
      if (flow.tcp) setsockopt(flow.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      close(flow.fd);
    }
    flows_.clear();
  }

 private:
  void hear(Flow& flow) {
    for (ssize_t got = 0; (got = recv(flow.fd, buffer_.data(), buffer_.size(), 0)) > 0;) {
      flow.answered = true;
    }
    // A UDP socket tells of refusals, and goes on trying; a TCP one is at its end.
    if (flow.tcp && errno != EAGAIN && errno != EINTR && flow.answered) {
      close(flow.fd);
      flow.fd = -1;
    }
  }

  std::array<Address, 2> to_;
  std::vector<Flow> flows_;
  int ticks_ = 0;
  std::array<char, 65536> buffer_{};
  std::string bulk_ = std::string(kBulkBytes, kUpload);
};

}  // namespace

// open COUNT: until all live, or not; {"living":N}. close: {"living":0}.
void run_flows(std::uint16_t port, const std::string& v4, const std::string& v6) {
  Flows flows(port, v4, v6);
  std::size_t wanted = 0;
  int waited_ms = 0;
  pollfd input{.fd = 0, .events = POLLIN, .revents = 0};
  const auto tell = [&](std::size_t living) {
    std::printf("{\"living\":%zu}\n", living);
    std::fflush(stdout);
  };
  while (true) {
    if (poll(&input, 1, 0) > 0) {
      std::string word;
      if (!(std::cin >> word)) return;
      if (word == "open") {
        std::cin >> wanted;
        flows.open(wanted);
        waited_ms = 0;
      } else {
        flows.close_all();
        tell(0);
      }
    }
    flows.tick();
    std::this_thread::sleep_for(std::chrono::milliseconds(kTickMs));
    if (wanted == 0) continue;
    waited_ms += kTickMs;
    if (flows.living() < wanted && waited_ms < kPatienceMs) continue;
    tell(flows.living());
    wanted = 0;
  }
}

}  // namespace sekisho::bench

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/bench/flows/common.h"

namespace sekisho::bench {
namespace {

// A flow that nobody speaks on for so long has ended: whoever was cut off cannot say so, and a new
// connection must not meet what the old one left.
constexpr std::int64_t kRemember = 2'000'000'000;

using Peer = std::array<char, sizeof(sockaddr_in6)>;

int open_socket(int type, std::uint16_t port) {
  const int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0);
  const int on = 1, off = 0, room = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  sockaddr_in6 own{};
  own.sin6_family = AF_INET6;
  own.sin6_port = htons(port);
  if (bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) give_up("bind");
  if (type == SOCK_STREAM && listen(fd, 4096) != 0) give_up("listen");
  return fd;
}

class Server {
 public:
  explicit Server(std::uint16_t port)
      : poll_(epoll_create1(0)),
        listener_(open_socket(SOCK_STREAM, port)),
        datagrams_(open_socket(SOCK_DGRAM, port)),
        timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)) {
    itimerspec each{};
    each.it_interval.tv_nsec = each.it_value.tv_nsec = kTickMs * 1'000'000L;
    timerfd_settime(timer_, 0, &each, nullptr);
    for (const int fd : {listener_, datagrams_, timer_}) add(fd);
  }

  void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int ready = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_all();
        } else if (fd == datagrams_) {
          hear_datagrams();
        } else if (fd == timer_) {
          tick();
        } else {
          hear(fd);
        }
      }
    }
  }

 private:
  void add(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      add(fd);
      heard_[fd] = now_ns();
    }
  }

  void hear(int fd) {
    const ssize_t got = recv(fd, buffer_.data(), buffer_.size(), 0);
    if (got > 0) {
      heard_[fd] = now_ns();
      if (buffer_[0] == kEcho) send(fd, "e", 1, MSG_NOSIGNAL);
      if (buffer_[0] == kDownload) downloads_.insert(fd);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      end(fd);
    }
  }

  void end(int fd) {
    const linger at_once{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    downloads_.erase(fd);
    heard_.erase(fd);
    close(fd);
  }

  void hear_datagrams() {
    sockaddr_in6 from{};
    socklen_t length = sizeof from;
    ssize_t got = 0;
    while ((got = recvfrom(datagrams_, buffer_.data(), buffer_.size(), 0,
                           reinterpret_cast<sockaddr*>(&from), &length)) > 0) {
      if (buffer_[0] == kEcho) {
        sendto(datagrams_, "e", 1, 0, reinterpret_cast<sockaddr*>(&from), length);
      } else if (buffer_[0] == kDownload) {
        Peer peer{};
        __builtin_memcpy(peer.data(), &from, sizeof from);
        asked_[peer] = now_ns();
      }
      length = sizeof from;
    }
  }

  void tick() {
    std::uint64_t expired = 0;
    if (read(timer_, &expired, sizeof expired) < 0) return;
    for (const int fd : downloads_) send(fd, bulk_.data(), bulk_.size(), MSG_NOSIGNAL);
    const std::int64_t now = now_ns();
    std::vector<int> silent;
    for (const auto& [fd, when] : heard_) {
      if (now - when > kRemember) silent.push_back(fd);
    }
    for (const int fd : silent) end(fd);
    for (auto each = asked_.begin(); each != asked_.end();) {
      if (now - each->second > kRemember) {
        each = asked_.erase(each);
        continue;
      }
      sendto(datagrams_, bulk_.data(), bulk_.size(), 0,
             reinterpret_cast<const sockaddr*>(each->first.data()), sizeof(sockaddr_in6));
      ++each;
    }
  }

  int poll_, listener_, datagrams_, timer_;
  std::array<char, 65536> buffer_{};
  std::string bulk_ = std::string(kBulkBytes, kUpload);
  std::set<int> downloads_;
  std::map<int, std::int64_t> heard_;  // TCP connections
  std::map<Peer, std::int64_t> asked_;
};

}  // namespace

void serve(std::uint16_t port) {
  Server(port).run();
}

}  // namespace sekisho::bench

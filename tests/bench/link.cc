#include "tests/bench/link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace sekisho::bench {
namespace {

using kernel::UniqueFd;

// Both ends of the gateway have this address (crossing.py).
constexpr std::array<char, 6> kGateway{0x02, 0, 0, 0, 0, 0x01};
constexpr std::array<char, 6> kSender{0x02, 0, 0, 0, 0, 0x02};
constexpr std::size_t kBatch = 64;

[[noreturn]] void give_up_errno(const std::string& what) {
  give_up(what + ": " + std::strerror(errno));
}

void enter(const std::string& space) {
  const UniqueFd file(::open(space.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::setns(file.get(), CLONE_NEWNET) != 0) give_up_errno(space);
}

UniqueFd open_on(const std::string& space, const std::string& interface, int protocol) {
  enter(space);
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(static_cast<std::uint16_t>(protocol));
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (!socket || ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    give_up_errno(interface);
  return socket;
}

std::uint64_t thread_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

void give_up(const std::string& what) {
  fmt::print(stderr, "bench_packets: {}\n", what);
  std::exit(1);
}

Link::Link(const std::string& space, const std::string& interface)
    : interface_(interface), socket_(open_on(space, interface, 0)) {
  // The file shows the namespace in which it was opened.
  counters_ = UniqueFd(::open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC));
  const int on = 1;
  if (::setsockopt(socket_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0)
    give_up_errno(interface);
}

std::string Link::frame(const std::string& packet) {
  std::string bytes(kGateway.begin(), kGateway.end());
  bytes.append(kSender.begin(), kSender.end());
  bytes += {0x08, 0x00};  // IPv4
  return bytes + packet;
}

Cost Link::send(std::span<const std::string> frames) {
  std::vector<iovec> parts(frames.size());
  std::vector<mmsghdr> messages(frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    parts[i] = {.iov_base = const_cast<char*>(frames[i].data()), .iov_len = frames[i].size()};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const std::uint64_t began = thread_time();
  for (std::size_t sent = 0; sent < messages.size();) {
    const auto batch = static_cast<unsigned>(std::min(kBatch, messages.size() - sent));
    const int taken = ::sendmmsg(socket_.get(), &messages[sent], batch, 0);
    if (taken < 0) give_up_errno("sending on " + interface_);
    sent += static_cast<std::size_t>(taken);
  }
  return {.packets = frames.size(), .cpu_ns = thread_time() - began};
}

std::uint64_t Link::arrived() const {
  std::string text(std::size_t{64} * 1024, '\0');
  const ssize_t length = ::pread(counters_.get(), text.data(), text.size(), 0);
  if (length <= 0) give_up_errno("counters of " + interface_);
  text.resize(static_cast<std::size_t>(length));
  const std::size_t line = text.find(interface_ + ":");
  unsigned long long bytes = 0, packets = 0;
  if (line == std::string::npos ||
      std::sscanf(text.c_str() + line + interface_.size() + 1, "%llu %llu", &bytes, &packets) != 2)
    give_up("no counters of " + interface_);
  return packets;
}

Capture::Capture(const std::string& space, const std::string& interface)
    : socket_(open_on(space, interface, ETH_P_IP)) {
  const timeval second{.tv_sec = 1, .tv_usec = 0};
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second) != 0)
    give_up_errno(interface);
}

std::string Capture::next() {
  std::string bytes(2048, '\0');
  const ssize_t length = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (length <= static_cast<ssize_t>(sizeof(ether_header))) return {};
  return bytes.substr(sizeof(ether_header),
                      static_cast<std::size_t>(length) - sizeof(ether_header));
}

}  // namespace sekisho::bench

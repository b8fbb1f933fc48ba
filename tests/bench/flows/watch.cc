#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "tests/bench/flows/common.h"

// When packets left by an interface: a packet socket sees what is handed to the device, with the
// kernel's own time stamp (packet(7), SO_TIMESTAMPNS).
namespace sekisho::bench {
namespace {

constexpr std::size_t kSnap = 128;

int open_capture(const char* interface) {
  const int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
  if (fd < 0) give_up("packet socket");
  // Only what leaves: skb->pkt_type == PACKET_OUTGOING, and only the headers of it.
  std::array<sock_filter, 4> code{{
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, static_cast<__u32>(SKF_AD_OFF + SKF_AD_PKTTYPE)},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, PACKET_OUTGOING},
      {BPF_RET | BPF_K, 0, 0, kSnap},
      {BPF_RET | BPF_K, 0, 0, 0},
  }};
  const sock_fprog program{.len = code.size(), .filter = code.data()};
  const int on = 1, room = 64 << 20;
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  sockaddr_ll own{};
  own.sll_family = AF_PACKET;
  own.sll_protocol = htons(ETH_P_ALL);
  own.sll_ifindex = static_cast<int>(if_nametoindex(interface));
  if (own.sll_ifindex == 0 || bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) {
    give_up(std::string(interface) + " cannot be watched");
  }
  return fd;
}

// Whether it carries a flow: a reset and ICMP are the gateway's own refusals.
bool carries_a_flow(const unsigned char* packet, std::size_t length) {
  if (length < 40) return length >= 28 && packet[0] >> 4 == 4 && packet[9] == 17;
  const bool v6 = packet[0] >> 4 == 6;
  const std::size_t header = v6 ? 40 : std::size_t{4} * (packet[0] & 15);
  const int protocol = v6 ? packet[6] : packet[9];
  if (protocol == 17) return true;
  if (protocol != 6 || length < header + 14) return false;
  constexpr int kRst = 4;
  return (packet[header + 13] & kRst) == 0;
}

struct Watched {
  std::string name;
  int fd = -1;
  std::vector<std::int64_t> times;
  std::uint64_t lost = 0;

  void read() {
    std::array<unsigned char, kSnap> bytes{};
    std::array<char, 128> control{};
    while (true) {
      iovec part{bytes.data(), bytes.size()};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
      if (got <= 0) break;
      if (!carries_a_flow(bytes.data(), static_cast<std::size_t>(got))) continue;
      for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
           each = CMSG_NXTHDR(&message, each)) {
        if (each->cmsg_type != SCM_TIMESTAMPNS) continue;
        timespec time{};
        std::memcpy(&time, CMSG_DATA(each), sizeof time);
        times.push_back(time.tv_sec * 1'000'000'000LL + time.tv_nsec);
      }
    }
    tpacket_stats stats{};
    socklen_t size = sizeof stats;
    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0) lost += stats.tp_drops;
  }
};

}  // namespace

// begin: forgets what was seen. after NS: how many left later than that, and when the last one did,
// by interface: {"wg0":{"packets":N,"after":N,"last":NS,"lost":N},...}.
void watch(int count, char** interfaces) {
  std::vector<Watched> all;
  std::vector<pollfd> waits{{.fd = 0, .events = POLLIN, .revents = 0}};
  for (int i = 0; i < count; ++i) {
    all.push_back({.name = interfaces[i], .fd = open_capture(interfaces[i]), .times = {}});
    waits.push_back({.fd = all.back().fd, .events = POLLIN, .revents = 0});
  }
  std::puts("{}");
  std::fflush(stdout);
  while (true) {
    poll(waits.data(), waits.size(), 100);
    for (Watched& each : all) each.read();
    if ((waits[0].revents & POLLIN) == 0) continue;
    std::string word;
    if (!(std::cin >> word)) return;
    if (word == "begin") {
      for (Watched& each : all) {
        each.times.clear();
        each.lost = 0;
      }
      std::puts("{}");
    } else {
      std::int64_t moment = 0;
      std::cin >> moment;
      std::string text;
      for (const Watched& each : all) {
        const auto after = std::ranges::count_if(each.times, [&](auto at) { return at > moment; });
        const std::int64_t last = each.times.empty() ? 0 : *std::ranges::max_element(each.times);
        text += (text.empty() ? "{\"" : ",\"") + each.name +
                "\":{\"packets\":" + std::to_string(each.times.size()) +
                ",\"after\":" + std::to_string(after) + ",\"last\":" + std::to_string(last) +
                ",\"lost\":" + std::to_string(each.lost) + "}";
      }
      std::puts((text + "}").c_str());
    }
    std::fflush(stdout);
  }
}

}  // namespace sekisho::bench

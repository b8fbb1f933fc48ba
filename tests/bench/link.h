#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gateway/kernel/netlink/unique_fd.h"

// One side of a gateway, as raw frames on a veth.
namespace sekisho::bench {

// What sending cost this thread. Forwarding is done by whoever sends: a veth hands a packet on in
// the sender's own time, through the gateway and as far as the other side's interface.
struct Cost {
  std::uint64_t packets = 0;
  std::uint64_t cpu_ns = 0;
};

// An interface in a network namespace. What goes wrong ends the program with its reason.
class Link {
 public:
  // `space` is a file of the namespace: "/proc/1/ns/net".
  Link(const std::string& space, const std::string& interface);

  // An Ethernet frame with this IPv4 packet for the gateway.
  static std::string frame(const std::string& packet);

  Cost send(std::span<const std::string> frames);
  // How many packets have come to the interface.
  std::uint64_t arrived() const;

 private:
  std::string interface_;
  kernel::UniqueFd socket_;
  kernel::UniqueFd counters_;
};

// Reads the packets that come to an interface, for as long as it lives.
class Capture {
 public:
  Capture(const std::string& space, const std::string& interface);
  // The next IP packet; empty when none came for a second.
  std::string next();

 private:
  kernel::UniqueFd socket_;
};

[[noreturn]] void give_up(const std::string& what);

}  // namespace sekisho::bench

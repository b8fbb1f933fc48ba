#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gateway/kernel/netlink/unique_fd.h"
#include "policy/base/result.h"

namespace sekisho::kernel {

// A netlink socket that only listens to multicast groups (RTNLGRP_*, NFNLGRP_*). Non-blocking: wait
// on fd() for reading, then call read().
class Listener {
 public:
  static Result<Listener> open(int bus, std::span<const unsigned int> groups);

  int fd() const { return fd_.get(); }

  // Whether every notification since the last read() was seen. After `overrun` the kernel dropped
  // some: whoever follows changes must look at the whole state again.
  enum class Seen : std::uint8_t { all, overrun };

  // Hands over what is waiting, at most kMaxDatagrams of them so that a flood cannot hold the
  // caller (fd() stays readable for the rest).
  static constexpr int kMaxDatagrams = 1024;
  Result<Seen> read(const std::function<void(const nlmsghdr&)>& each);

 private:
  explicit Listener(UniqueFd fd);

  UniqueFd fd_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace sekisho::kernel

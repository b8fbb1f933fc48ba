#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "gateway/kernel/netlink/listener.h"
#include "policy/base/result.h"

namespace sekisho::kernel {

// Somebody else's change to a ruleset of this network namespace.
struct ForeignChange {
  std::uint32_t pid = 0;              // who committed it, as this process sees pids
  std::string program = {};           // its name, at most 15 characters
  std::set<std::string> tables = {};  // which it touched; names of any family
  // Notifications were lost: nothing above is known, and anything may have changed.
  bool lost = false;
};

// Hears of every change that another program makes (notification group NFNLGRP_NFTABLES).
class Watcher {
 public:
  // `own_port` is the netlink port of the socket whose changes are ours.
  static Result<Watcher> open(std::uint32_t own_port);

  // Readable when there is something to read().
  int fd() const { return listener_.fd(); }
  // What happened since the last call.
  Result<std::vector<ForeignChange>> read();
  // After a large change of our own, whose notifications may have pushed others out: takes what is
  // waiting and keeps what it knows for read(), but does not count it as lost. For a caller that
  // then looks at everything itself.
  Result<void> settle();

 private:
  Watcher(Listener listener, std::uint32_t own_port)
      : listener_(std::move(listener)), own_port_(own_port) {}
  void take(const nlmsghdr& message);

  Listener listener_;
  std::uint32_t own_port_;
  std::set<std::string> touched_;  // by the change whose end was not heard yet
  std::vector<ForeignChange> heard_;
};

}  // namespace sekisho::kernel

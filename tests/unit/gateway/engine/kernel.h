#pragma once

#include <functional>
#include <stdexcept>
#include <vector>

#include "gateway/engine/command.h"
#include "tests/model/live_flow.h"

namespace sekisho::engine {

// What an effect does, it does in steps: each can happen without the next. A step may throw, before
// it is done or after.
using Steps = std::function<void(const std::function<void()>&)>;

// What the kernel or the disk refuses.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The kernel, as far as the engine's effects and a packet's fate go.
struct Kernel {
  // Elements that a change touches; one that changes stands in both lists.
  static std::size_t touched(const TablesDiff& diff);

  Tables tables;  // their ends are on the kernel's own clock, which nobody sets
  Peers peers;    // sorted by device
  std::vector<model::LiveFlow> live;
  bool in_two = false;     // a control: a batch is two, what goes and what comes
  Time::duration ahead{};  // so far is the wall clock ahead of the kernel's

  // In the order of gateway/daemon/box.cc.
  void install(const Desired& desired, const Steps& steps);
  void open_tunnel(const Desired& desired, const Steps& steps);
  // One batch: all of it or nothing.
  void change_tables(const TablesDiff& diff, const Steps& steps);
  // Refuses where it has it otherwise.
  void confirm_tables(const TablesDiff& held, const Steps& steps);
  void remark(const AtomSpace& space, const Steps& steps);
  // Peer by peer. An address that one is given, another loses: wg(8), "allowed-ips".
  void change_peers(const ChangePeers& change, const Steps& steps);
  std::size_t purge(const PurgeFlows& purge, const Steps& steps);

 private:
  void remove_peer(const PublicKey& key);
  void set_peer(const Peer& peer);
};

}  // namespace sekisho::engine

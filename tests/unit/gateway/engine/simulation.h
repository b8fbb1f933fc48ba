#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policy/model/validate.h"
#include "tests/model/random.h"
#include "world.h"

namespace sekisho::engine {

// A world under watch: after every step of every effect, what the kernel lets pass is held against
// the policies that are at work. A policy is: the one in force, the one that a change leads to, and
// both for as long as the engine does not say that the kernel holds what it should. Where it says
// so, the kernel must let pass exactly what the policy in force says. Ends count on the kernel's
// clock; a wall clock that was set counts from the moment that the engine has been told.
class Simulation {
 public:
  // `base` enforces a policy. `seed` draws the flows that are looked at.
  Simulation(const World& base, std::uint64_t seed);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  struct Request {
    std::string operation;
    Node::Table parameters;
  };
  // A change by an operation. True where it was acknowledged.
  bool change(const Request& request);
  void let_pass(Time::duration by);
  void set_clock(Time::duration by);
  // What falls due while the daemon is awake: set clocks, drift, deadlines. Once each.
  void wake();
  void restart();
  // Somebody takes something out of the kernel, or puts something in.
  void disturb(bool permissive);
  // Nothing fails any more, and time goes on until the kernel is right.
  void calm_down();

  World world;
  std::string wrong;  // the first thing that was
  struct Seen {
    std::uint64_t looks = 0, passed = 0, refused = 0, changes = 0, acknowledged = 0, taken_back = 0,
                  failures = 0, ends = 0, degraded = 0, restarts = 0;
  } seen;
  // Steps since the last command began, which fate() may count by.
  std::size_t steps = 0;
  std::function<Fate(Simulation&)> fate = [](Simulation&) { return Fate::done; };
  bool clock_is_told = true;  // a control takes it away

 private:
  void forget_where_due();
  void hear_of_the_clock();
  void command(const std::function<void()>& act);
  void watch();
  void look();
  void look_exactly();
  void settle();
  Tables wanted() const;
  void choose_flows(const ValidPolicy& one, const ValidPolicy& other);
  void open_flows();
  // A policy and who is held whatever it says.
  struct Rules {
    ValidPolicy policy;
    Quarantined held;
  };
  Rules rules_in(const Disk& disk) const;
  const PublicKey* sender(const IpAddress& source) const;
  // Whether any policy at work lets a packet pass that the holder of `key` sends.
  bool allowed(const PublicKey& key, const Flow& flow, const model::LiveFlow* live) const;
  void note(const std::string& what, const Flow& flow);

  model::Random random_;
  std::vector<Rules> rules_;            // at work
  std::vector<Time::duration> clocks_;  // how far the wall clock was ahead when ends were counted
  std::vector<Flow> flows_;             // fresh ones
  struct Watched {
    PublicKey key;     // that opened it
    bool keeps_right;  // at all times until now
  };
  std::vector<Watched> watched_;  // the live flows
  bool failed_ = false;           // something, in this command
  bool shaken_ = false;           // or since the engine last said that all is right
  bool disturbed_ = false, clock_set_ = false, permissive_ = false;
  std::string story_;
};

}  // namespace sekisho::engine

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/engine/engine.h"

namespace sekisho::engine {

// A gateway without a box: executes the engine's effects on maps. The kernel does what real tables
// do (timeouts included), the disk keeps revisions, and any effect can be made to fail.
class World {
 public:
  explicit World(Network network, TimeZones zones = {});

  // Gives the engine a command and executes what comes of it to the end.
  void tell(Command command);
  // One operation, as the officer unless `authority` says otherwise; parameters as (name, node).
  control::Reply ask(std::string_view operation, Node::Table parameters,
                     control::Authority authority = control::Authority::officer);

  // Whether a packet of a fresh, well-behaved flow would pass now.
  bool passes(const IpAddress& source, const IpAddress& destination, Protocol protocol,
              Port port) const;
  // The mark that such a flow would carry; then whether a live flow with it would pass.
  AtomMark mark_of(const IpAddress& destination, Protocol protocol, Port port) const;
  bool live_passes(const IpAddress& source, AtomMark mark) const;

  Engine engine;
  Time now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};

  // "kernel"
  Tables tables;
  Peers peers;
  AtomSpace remarked;                    // the space of the last Remark
  std::map<std::string, AtomMark> live;  // live flows by name; Remark changes their marks
  std::map<std::string, std::pair<IpAddress, Port>> live_to;
  std::vector<LiveFlow> flows;  // what ReadFlows finds

  // "disk"
  std::map<RevisionNumber, Revision> revisions;
  std::optional<RevisionNumber> pending;
  RevisionNumber active;
  AtomSpace stored_space;
  std::optional<Provisional> provisional;
  std::vector<Entry> record;
  std::vector<DeviceChange> ledger;

  // Effects with an outcome are counted; the ones in here fail.
  std::size_t effects = 0;
  std::set<std::size_t> failing;
  std::vector<std::string> trace;  // the kinds of effect, in order
  std::function<void()> after_each = [] {};

 private:
  Outcome execute(const Effect& effect);
  void run(Effects effects);
  std::optional<control::Reply> reply_;
  std::uint8_t next_address_ = 2;
};

Network test_network();

}  // namespace sekisho::engine

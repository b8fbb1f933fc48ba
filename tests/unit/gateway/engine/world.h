#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "disk.h"
#include "gateway/engine/engine.h"
#include "kernel.h"

namespace sekisho::engine {

// What becomes of a step of an effect. The process may end at it too: Ended is thrown then.
enum class Fate { done, fails, answer_is_lost, ends_before, ends_after };
struct Ended {};

// A gateway without a box: executes the engine's effects on a kernel and a disk that are values,
// and any step of any effect can be made to fail.
class World : public Kernel, public Disk {
 public:
  explicit World(Network network, TimeZones zones = {});

  // Gives the engine a command and executes what comes of it to the end.
  void tell(Command command);
  // One operation, as the officer unless `authority` says otherwise; parameters as (name, node).
  control::Reply ask(std::string_view operation, Node::Table parameters,
                     control::Authority authority = control::Authority::officer);
  control::Reply ask(std::string_view operation, Node::Table parameters, control::Actor actor);
  // The process begins anew, with what is on disk.
  void restart();
  // The wall clock is set; the kernel's own goes on as it was.
  void set_clock(Time::duration by);
  // What the kernel's clock shows.
  Time kernel_now() const { return now - ahead; }

  // Whether a packet of a fresh, well-behaved flow would pass now.
  bool passes(const IpAddress& source, const IpAddress& destination, Protocol protocol,
              Port port) const;
  // The mark that such a flow would carry; then whether a live flow with it would pass.
  AtomMark mark_of(const IpAddress& destination, Protocol protocol, Port port) const;
  bool live_passes(const IpAddress& source, AtomMark mark) const;

  Engine engine;
  Time now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};

  std::vector<LiveFlow> flows;          // what ReadFlows finds
  std::vector<notice::Notice> notices;  // what people outside are told

  // Effects with an outcome are counted; the ones in here fail before their first step.
  std::size_t effects = 0;
  std::set<std::size_t> failing;
  std::function<Fate()> fate = [] { return Fate::done; };  // of the next step
  std::function<bool(const Effect&)> skips = [](const Effect&) { return false; };  // but says done
  std::vector<std::string> trace;            // the kinds of effect, in order
  std::function<void()> after_each = [] {};  // step, and effect
  // What the disk would hold had the transaction whose answer was lost been carried out. Only a
  // restart finds out.
  std::optional<Disk> in_doubt;

 private:
  Moment moment();
  Outcome try_to(const Effect& effect);
  Outcome execute(const Effect& effect);
  void step(const std::function<void()>& act, const std::function<void()>& act_unheard);
  void commit(Disk after);
  void run(Effects effects);
  TimeZones zones_;
  std::int64_t ticks_ = 0;
  std::optional<control::Reply> reply_;
};

Network test_network();

}  // namespace sekisho::engine

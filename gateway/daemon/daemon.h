#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/daemon/box.h"
#include "gateway/daemon/config.h"
#include "gateway/daemon/control_server.h"
#include "gateway/daemon/executor.h"
#include "gateway/daemon/log.h"
#include "gateway/daemon/look.h"
#include "gateway/engine/engine.h"
#include "gateway/store/store.h"

namespace sekisho::daemon {

// The process: one thread, one loop. Requests, notifications, timers and signals become commands to
// the engine, and its effects are carried out before the next command is taken.
class Daemon {
 public:
  // Reads the stored policy and makes the kernel hold it. An error here leaves the kernel as it was
  // found. `file` is read again on SIGHUP.
  static Checked<std::unique_ptr<Daemon>> start(std::filesystem::path file, Config config);

  // Until SIGTERM or SIGINT. Rules, peers and routes stay as they are when it returns.
  void run();

 private:
  Daemon(std::filesystem::path file, Config config);
  Checked<void> open();
  Checked<void> adopt_policy();

  void tell(engine::Command command);
  control::Reply ask(const control::Actor& actor, control::Request request);
  void wait_for_signals();
  void wait_for_changes(boost::asio::posix::stream_descriptor& descriptor);
  void wait_for_clock();
  void tick();
  void looked(Result<Differences> found, bool everything, std::chrono::nanoseconds worked);
  bool look_at_everything(std::string by);
  void look_soon();
  void look_at_outbox();
  bool drifted(Result<std::vector<std::string>> found, std::string by, bool rules_alone = false);
  void complain(Severity severity, const std::string& text);
  void arm_deadline();
  void reload();

  std::filesystem::path file_;
  Config config_;
  boost::asio::io_context context_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Box> box_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<ControlServer> server_;
  std::unique_ptr<ControlServer> portal_server_;
  boost::asio::signal_set signals_;
  boost::asio::posix::stream_descriptor nftables_;
  boost::asio::posix::stream_descriptor routes_;
  boost::asio::posix::stream_descriptor
      clock_;  // timerfd: becomes readable when the wall clock is set
  boost::asio::steady_timer tick_timer_;
  boost::asio::steady_timer deadline_;
  Look look_;
  std::chrono::steady_clock::time_point look_at_everything_at_{};
  std::chrono::steady_clock::time_point
      may_look_at_everything_at_{};         // not before: its share of time
  std::uint64_t kernel_changes_ = 0;        // that we made or tried
  std::optional<notice::Outlook> outlook_;  // as the engine was told
  std::chrono::steady_clock::time_point tell_outlook_at_{};
  std::optional<control::Reply> reply_;
  std::set<std::string> complained_;  // since the kernel was last right
};

}  // namespace sekisho::daemon

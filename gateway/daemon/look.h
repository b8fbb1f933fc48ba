#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "policy/base/result.h"

namespace sekisho::daemon {

// How the kernel differs from what it shall be; one line each.
struct Differences {
  std::vector<std::string> rules;
  std::vector<std::string> rest;
  bool empty() const { return rules.empty() && rest.empty(); }
};

// A look at the kernel that nobody has to wait for: a copy of the process (fork(2)) reads and
// compares, with what the daemon wanted at that moment in its memory, and tells what it found. So a
// device is cut off at once however large the gateway is. The copy opens nothing but netlink, runs
// no other program and dies with the daemon. Runs on the thread of the context, which must be the
// only one.
class Look {
 public:
  // Runs in the copy, which has no descriptor but the standard ones.
  using Question = std::function<Result<Differences>()>;
  // `worked` is the processor time that it took.
  using Answer = std::function<void(Result<Differences>, std::chrono::nanoseconds worked)>;

  explicit Look(boost::asio::io_context& context);
  ~Look();

  // One at a time. A copy that says nothing for kPatience is ended, and that is the answer.
  void start(const Question& question, Answer answer);

  static constexpr std::chrono::seconds kPatience{60};

 private:
  void read();
  void finish();

  boost::asio::posix::stream_descriptor pipe_;
  boost::asio::steady_timer patience_;
  pid_t copy_ = -1;
  std::string told_;
  std::string chunk_;
  Answer answer_;
};

}  // namespace sekisho::daemon

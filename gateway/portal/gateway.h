#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <functional>

#include "gateway/control/message.h"

namespace sekisho::portal {

// sekishod, as the portal may ask it. A question waits on threads of its own, so that a gateway
// that is slow to answer holds up no other device.
class Gateway {
 public:
  using Answer = std::function<void(control::Reply)>;

  static constexpr std::size_t kMostWaiting = 64;  // beyond, the answer is `unreachable` at once

  explicit Gateway(std::filesystem::path socket) : socket_(std::move(socket)), threads_(2) {}
  // `answer` is called by `executor`.
  void ask(control::Request request, boost::asio::any_io_executor executor, Answer answer);

 private:
  std::filesystem::path socket_;
  std::atomic<std::size_t> waiting_ = 0;
  boost::asio::thread_pool threads_;
};

}  // namespace sekisho::portal

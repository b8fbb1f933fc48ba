#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>

#include "gateway/control/message.h"

namespace sekisho::daemon {

// The control socket: mode 0660, its group sekisho-admin where the box has that group. Each caller
// is known by what the kernel says of it (SO_PEERCRED, SO_PEERGROUPS; unix(7)), never by what it
// says. Runs on the thread of `context`.
class ControlServer {
 public:
  using Handler = std::function<control::Reply(const control::Actor&, control::Request)>;

  static constexpr std::size_t kMaxConnections = 64;

  // Takes the socket's place: a dead daemon's file is removed, a living one's is a conflict.
  static Result<std::unique_ptr<ControlServer>> open(boost::asio::io_context& context,
                                                     const std::filesystem::path& path,
                                                     Handler handler);
  ~ControlServer();

 private:
  ControlServer(boost::asio::io_context& context, std::filesystem::path path, Handler handler);
  void accept();

  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::filesystem::path path_;
  Handler handler_;
  std::shared_ptr<std::size_t> connections_ = std::make_shared<std::size_t>(0);
};

}  // namespace sekisho::daemon

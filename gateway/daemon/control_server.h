#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "gateway/control/message.h"

namespace sekisho::daemon {

class Session;

// Whom a socket is for: people are members of the group sekisho-admin, the portal is a process of
// the group sekisho-portal and has its authority alone, whoever runs it.
enum class Audience { people, portal };

// A control socket: mode 0660, of its audience's group where the box has that group. Each caller is
// known by what the kernel says of it (SO_PEERCRED, SO_PEERGROUPS; unix(7)), never by what it says.
// Runs on the thread of `context`.
class ControlServer {
 public:
  using Handler = std::function<control::Reply(const control::Actor&, control::Request)>;

  // Beyond these, who has been quiet for longest makes room for who comes.
  static constexpr std::size_t kMaxConnections = 64;

  // Takes the socket's place: a dead daemon's file is removed, a living one's is a conflict.
  static Result<std::unique_ptr<ControlServer>> open(boost::asio::io_context& context,
                                                     const std::filesystem::path& path,
                                                     Audience audience, Handler handler);
  ~ControlServer();

 private:
  ControlServer(boost::asio::io_context& context, std::filesystem::path path, Audience audience,
                Handler handler);
  void accept();
  void make_room();

  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::filesystem::path path_;
  Audience audience_;
  Handler handler_;
  std::vector<std::weak_ptr<Session>> sessions_;  // each lives as long as it waits for something
};

}  // namespace sekisho::daemon

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "gateway/portal/gateway.h"

namespace sekisho::portal {

class Session;

// HTTP/1.1 for devices. Everything is bounded: a connection lives kPatience without a whole
// request, asks kMostRequests times, and there are only so many in all and of one address; where
// there is no room for a new one, one that has waited longest for its request makes it, else the
// oldest. Runs on the thread of `context`.
class Server {
 public:
  static constexpr std::size_t kMostConnections = 512, kMostOfOneAddress = 64, kMostRequests = 100;
  static constexpr std::chrono::seconds kPatience{15};

  Server(boost::asio::io_context& context, Gateway& gateway)
      : context_(context), gateway_(gateway) {}

  // A socket that listens already; it is the server's from then on.
  void serve(boost::asio::ip::tcp::acceptor acceptor);

 private:
  void accept(boost::asio::ip::tcp::acceptor& acceptor);
  void make_room(const boost::asio::ip::address& from);

  boost::asio::io_context& context_;
  Gateway& gateway_;
  std::vector<std::unique_ptr<boost::asio::ip::tcp::acceptor>> acceptors_;
  std::map<boost::asio::ip::address, std::list<std::weak_ptr<Session>>> sessions_;  // oldest first
  std::size_t all_ = 0;
};

}  // namespace sekisho::portal

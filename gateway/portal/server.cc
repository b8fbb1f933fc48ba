#include "gateway/portal/server.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/page/flag.h"
#include "gateway/page/notice.h"
#include "gateway/page/problem.h"

namespace sekisho::portal {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kMostHeaderBytes = 8 * 1024;

// A v4 device that reaches a v6 socket is still a v4 device.
asio::ip::address plain(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address;
}

std::optional<std::string> bearer(const http::request<http::string_body>& request) {
  const beast::string_view field = request[http::field::authorization];
  constexpr beast::string_view kScheme = "Bearer ";
  if (!beast::iequals(field.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  return std::string(field.substr(kScheme.size()));
}

}  // namespace

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, asio::ip::address from, Gateway& gateway,
          std::function<void()> at_end)
      : stream_(std::move(socket)),
        patience_(stream_.get_executor()),
        from_(std::move(from)),
        gateway_(gateway),
        at_end_(std::move(at_end)) {}
  ~Session() { at_end_(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // None: what it asked is being answered.
  std::optional<Clock::time_point> waits_since() const { return waits_since_; }
  Clock::time_point began() const { return began_; }
  bool is_open() { return stream_.socket().is_open(); }
  void close() { stream_.close(); }

  void read() {
    waits_since_ = Clock::now();
    parser_.emplace();
    parser_->header_limit(kMostHeaderBytes);
    parser_->body_limit(page::kMostBodyBytes);
    stream_.expires_after(Server::kPatience);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, std::size_t) { self->heard(error); });
  }

 private:
  using Request = http::request<http::string_body>;

  void heard(beast::error_code error) {
    waits_since_.reset();
    if (error == http::error::body_limit) {
      keep_alive_ = false;
      return refuse(http::status::payload_too_large, "too_large",
                    "a flag has at most " + std::to_string(page::kMostBodyBytes) + " bytes");
    }
    if (error == http::error::header_limit) {
      keep_alive_ = false;
      return refuse(http::status::request_header_fields_too_large, "too_large",
                    "the request's header is too large");
    }
    if (error == http::error::end_of_stream || !parser_->is_header_done()) return;
    if (error) return;
    request_ = parser_->release();
    keep_alive_ = request_.keep_alive() && ++requests_ < Server::kMostRequests;
    version_ = request_.version();
    const std::string target(request_.target().substr(0, request_.target().find('?')));
    if (target == "/") return show_notice();
    if (target == "/v1/flag") return take_flag();
    refuse(http::status::not_found, "not_found", "there is nothing here: see /");
  }

  void show_notice() {
    if (request_.method() != http::verb::get && request_.method() != http::verb::head)
      return refuse_method("GET, HEAD");
    ask({control::OperationId::notice_show, Node{Node::Table{{"address", {from_.to_string()}}}}},
        [](Session& self, const control::Reply& reply) {
          const std::string html = page::notice_page(reply ? &*reply : nullptr);
          self.write(reply ? http::status::ok : http::status::service_unavailable,
                     "text/html; charset=utf-8", html);
        });
  }

  void take_flag() {
    if (request_.method() != http::verb::post) return refuse_method("POST");
    const auto token = bearer(request_);
    if (!token) {
      return refuse(http::status::unauthorized, "not_permitted",
                    "send the device's token: Authorization: Bearer TOKEN");
    }
    const auto address = IpAddress::parse(from_.to_string());
    if (!address) return refuse(http::status::forbidden, "not_permitted", "no address");
    auto flag = page::read_flag(request_.body(), *token, *address);
    if (!flag) return fail(flag.error());
    ask(*std::move(flag), [](Session& self, const control::Reply& reply) {
      if (!reply) return self.fail(reply.error().front());
      self.write(http::status::ok, "application/json", page::write_flag(*reply));
    });
  }

  // Whom a gateway that hangs does not answer is let go.
  void ask(control::Request request, std::function<void(Session&, const control::Reply&)> then) {
    patience_.expires_after(Server::kPatience);
    patience_.async_wait([self = weak_from_this()](beast::error_code error) {
      const auto session = self.lock();
      if (!error && session) session->stream_.close();
    });
    gateway_.ask(std::move(request), stream_.get_executor(),
                 [self = shared_from_this(), then = std::move(then)](const control::Reply& reply) {
                   self->patience_.cancel();
                   if (self->stream_.socket().is_open()) then(*self, reply);
                 });
  }

  void refuse_method(const char* allowed) {
    allowed_ = allowed;
    refuse(http::status::method_not_allowed, "method_not_allowed",
           std::string("only ") + allowed + " is answered here");
  }

  void refuse(http::status status, const std::string& code, const std::string& detail) {
    write(status, "application/problem+json",
          page::problem(static_cast<int>(status), code, detail));
  }

  void fail(const Error& error) {
    write(static_cast<http::status>(page::status_of(error.code)), "application/problem+json",
          page::problem(error));
  }

  void write(http::status status, const char* type, std::string body) {
    response_ = {status, version_};
    response_.set(http::field::content_type, type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("Content-Security-Policy", std::string(page::content_security_policy()));
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set("Referrer-Policy", "no-referrer");
    if (status == http::status::unauthorized)
      response_.set(http::field::www_authenticate, "Bearer");
    if (!allowed_.empty()) response_.set(http::field::allow, std::exchange(allowed_, {}));
    response_.keep_alive(keep_alive_);
    const bool head = request_.method() == http::verb::head;
    const std::size_t length = body.size();
    if (!head) response_.body() = std::move(body);
    response_.content_length(length);
    serializer_.emplace(response_);
    stream_.expires_after(Server::kPatience);
    const auto then = [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->keep_alive_) return self->read();
      beast::error_code ignored;
      self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    };
    if (head) {
      http::async_write_header(stream_, *serializer_, then);
    } else {
      http::async_write(stream_, *serializer_, then);
    }
  }

  beast::tcp_stream stream_;
  asio::steady_timer patience_;
  asio::ip::address from_;
  Gateway& gateway_;
  std::function<void()> at_end_;
  beast::flat_buffer buffer_{kMostHeaderBytes + page::kMostBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  Request request_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::string allowed_;
  std::size_t requests_ = 0;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  Clock::time_point began_ = Clock::now();
  std::optional<Clock::time_point> waits_since_;  // for a request
};

void Server::serve(tcp::acceptor acceptor) {
  acceptors_.push_back(std::make_unique<tcp::acceptor>(std::move(acceptor)));
  accept(*acceptors_.back());
}

void Server::accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([this, &acceptor](beast::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    beast::error_code gone;
    const auto remote = socket.remote_endpoint(gone);
    if (!error && !gone) {
      const asio::ip::address from = plain(remote.address());
      make_room(from);
      ++all_;
      auto& sessions = sessions_[from];
      const auto place = sessions.emplace(sessions.end());
      const auto at_end = [this, from, place] {
        --all_;
        sessions_[from].erase(place);
        if (sessions_[from].empty()) sessions_.erase(from);
      };
      const auto session = std::make_shared<Session>(std::move(socket), from, gateway_, at_end);
      *place = session;
      session->read();
    }
    accept(acceptor);
  });
}

// Whoever holds connections open, or keeps them busy, keeps nobody out, not even others of the same
// device: a hook's word must get through beside what would silence it.
void Server::make_room(const asio::ip::address& from) {
  const auto own = sessions_.find(from);
  const bool crowded = own != sessions_.end() && own->second.size() >= kMostOfOneAddress;
  if (!crowded && all_ < kMostConnections) return;
  std::shared_ptr<Session> least;
  const auto goes_before = [](const Session& one, const Session& other) {
    if (one.waits_since() && other.waits_since()) return *one.waits_since() < *other.waits_since();
    if (one.waits_since() || other.waits_since()) return one.waits_since().has_value();
    return one.began() < other.began();
  };
  for (const auto& [address, sessions] : sessions_) {
    if (crowded && address != from) continue;
    for (const auto& each : sessions) {
      auto session = each.lock();
      if (session && session->is_open() && (!least || goes_before(*session, *least)))
        least = std::move(session);
    }
  }
  if (least) least->close();
}

}  // namespace sekisho::portal

#include "gateway/daemon/control_server.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sekisho::daemon {

namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

const char* group_of(Audience audience) {
  return audience == Audience::people ? "sekisho-admin" : "sekisho-portal";
}

constexpr std::chrono::seconds kPatience{30};  // for a caller to finish what it began, either way

std::optional<gid_t> find_group(Audience audience) {
  const group* found = getgrnam(group_of(audience));
  if (found == nullptr) return std::nullopt;
  return found->gr_gid;
}

bool has_group(int socket, const ucred& peer, gid_t wanted) {
  if (peer.gid == wanted) return true;
  std::vector<gid_t> groups(64);
  socklen_t bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) {
    if (errno != ERANGE) return false;
    groups.resize(bytes / sizeof(gid_t));
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) != 0) return false;
  }
  groups.resize(bytes / sizeof(gid_t));
  return std::ranges::find(groups, wanted) != groups.end();
}

control::Actor actor_at(int socket, Audience audience) {
  control::Actor actor;
  ucred peer{};
  socklen_t bytes = sizeof(peer);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return actor;
  actor.uid = peer.uid;
  const passwd* user = getpwuid(peer.uid);
  actor.name = user != nullptr ? user->pw_name : "uid " + std::to_string(peer.uid);
  if (audience == Audience::portal) {
    actor.authority = control::Authority::portal;
    actor.via = "portal";
    return actor;
  }
  const auto admins = find_group(audience);
  if (peer.uid == 0 || (admins && has_group(socket, peer, *admins)))
    actor.authority = control::Authority::officer;
  return actor;
}

}  // namespace

// One caller: a request, its reply, and again, until it leaves.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Clock = std::chrono::steady_clock;

  Session(stream_protocol::socket socket, Audience audience, const ControlServer::Handler& handler)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        handler_(handler),
        actor_(actor_at(socket_.native_handle(), audience)) {}

  void read_header() {
    asio::async_read(socket_, asio::buffer(header_),
                     [self = shared_from_this()](auto error, std::size_t) {
                       if (error) return;
                       const auto length = control::frame_length(self->header_);
                       if (!length)
                         return self->write(std::unexpected(Errors{length.error()}), false);
                       self->read_payload(*length);
                     });
  }

  // Since when nothing has come or gone that was complete.
  Clock::time_point quiet_since() const { return quiet_since_; }
  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  // Memory is taken as the bytes come, not as they are announced.
  void read_payload(std::size_t length) {
    watch();
    asio::async_read(socket_, asio::dynamic_buffer(payload_, length),
                     asio::transfer_exactly(length),
                     [self = shared_from_this()](auto error, std::size_t) {
                       self->timer_.cancel();
                       if (error) return;
                       auto request = control::decode_request(self->payload_);
                       self->payload_ = {};  // a large document's room goes at once
                       if (!request)
                         return self->write(std::unexpected(std::move(request.error())), true);
                       self->write(self->handler_(self->actor_, *std::move(request)), true);
                     });
  }

  void write(const control::Reply& reply, bool go_on) {
    out_ = control::frame(control::encode(reply));
    watch();
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), go_on](auto error, std::size_t) {
                        self->timer_.cancel();
                        self->out_.clear();
                        if (!error && go_on) self->read_header();
                      });
  }

  void watch() {
    quiet_since_ = Clock::now();
    timer_.expires_after(kPatience);
    timer_.async_wait([self = weak_from_this()](auto error) {
      const auto session = self.lock();
      if (!error && session) session->close();
    });
  }

  stream_protocol::socket socket_;
  asio::steady_timer timer_;
  Clock::time_point quiet_since_ = Clock::now();
  const ControlServer::Handler& handler_;
  control::Actor actor_;
  std::array<std::uint8_t, control::kFrameHeaderBytes> header_{};
  std::string payload_;
  std::string out_;
};

namespace {

bool somebody_listens(asio::io_context& context, const std::filesystem::path& path) {
  stream_protocol::socket probe(context);
  boost::system::error_code error;
  probe.connect(stream_protocol::endpoint(path.string()), error);
  return !error;
}

}  // namespace

ControlServer::ControlServer(asio::io_context& context, std::filesystem::path path,
                             Audience audience, Handler handler)
    : acceptor_(context),
      path_(std::move(path)),
      audience_(audience),
      handler_(std::move(handler)) {}

ControlServer::~ControlServer() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

Result<std::unique_ptr<ControlServer>> ControlServer::open(asio::io_context& context,
                                                           const std::filesystem::path& path,
                                                           Audience audience, Handler handler) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorCode::failed, path.string(), std::move(cause),
                "see [paths] runtime in the configuration");
  };
  if (path.string().size() >= 108)
    return refuse("the path is longer than a socket's may be (107 bytes)");
  std::error_code made;
  std::filesystem::create_directories(path.parent_path(), made);
  if (made) return refuse("its directory cannot be made: " + made.message());
  if (somebody_listens(context, path)) {
    return fail(ErrorCode::conflict, path.string(), "another sekishod answers there",
                "stop that one first");
  }
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  std::unique_ptr<ControlServer> server(
      new ControlServer(context, path, audience, std::move(handler)));
  boost::system::error_code error;
  const mode_t mask = umask(0117);
  server->acceptor_.open(stream_protocol());
  server->acceptor_.bind(stream_protocol::endpoint(path.string()), error);
  umask(mask);
  if (error) return refuse("cannot be made: " + error.message());
  if (const auto group = find_group(audience);
      group && chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return refuse(std::string("cannot be given to the group ") + group_of(audience));
  }
  server->acceptor_.listen(static_cast<int>(kMaxConnections), error);
  if (error) return refuse("cannot listen: " + error.message());
  server->accept();
  return server;
}

void ControlServer::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, stream_protocol::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      make_room();
      const auto session = std::make_shared<Session>(std::move(socket), audience_, handler_);
      session->read_header();
      sessions_.push_back(session);
    }
    accept();
  });
}

// So that callers who never finish keep nobody out.
void ControlServer::make_room() {
  std::erase_if(sessions_, [](const auto& session) { return session.expired(); });
  if (sessions_.size() < kMaxConnections) return;
  const auto quiet_since = [](const auto& session) { return session.lock()->quiet_since(); };
  const auto longest = std::ranges::min_element(sessions_, {}, quiet_since);
  longest->lock()->close();
  sessions_.erase(longest);
}

}  // namespace sekisho::daemon

#include "gateway/kernel/wireguard/uapi_backend.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "gateway/kernel/netlink/errors.h"
#include "gateway/kernel/netlink/unique_fd.h"
#include "gateway/kernel/wireguard/uapi_text.h"
#include "gateway/keys/keys.h"

namespace sekisho::kernel {
namespace {

// A process that does not answer must not hold the daemon.
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};
constexpr std::size_t kReadRoom = std::size_t{64} * 1024;
// 100 000 peers take about 50 MB.
constexpr std::size_t kMaxAnswer = std::size_t{256} * 1024 * 1024;

class UapiWireGuard final : public WireGuard {
 public:
  explicit UapiWireGuard(std::string interface)
      : interface_(std::move(interface)), path_("/var/run/wireguard/" + interface_ + ".sock") {}

  Result<void> configure(const PrivateKey& key, Port listen_port) override {
    const auto state = read();
    if (!state) return std::unexpected(state.error());
    if (state->key != public_key_of(key)) {
      if (auto done = set(uapi_set_key(key)); !done) return done;
    }
    if (state->listen_port == listen_port) return {};
    if (auto done = set(uapi_set_port(listen_port)); !done) return done;
    return set(uapi_call_peers(state->peers));
  }

  Result<DeviceState> read() override {
    const auto answer = exchange("get=1\n\n");
    if (!answer) return std::unexpected(answer.error());
    return parse_uapi_device(interface_, answer->view());
  }

  Result<void> change(std::span<const PublicKey> remove,
                      std::span<const PeerConfig* const> update) override {
    if (remove.empty() && update.empty()) return {};
    return set(uapi_set_peers(remove, update));
  }

 private:
  Result<void> set(const SecretText& request) {
    const auto answer = exchange(request.view());
    if (!answer) return std::unexpected(answer.error());
    return parse_uapi_outcome(interface_, answer->view());
  }

  std::string advice_for(int error_number) const {
    if (error_number == EACCES)
      return "wireguard-go opens it to its own user alone: let sekishod's user read and write it";
    return "is the userspace WireGuard process of " + interface_ + " running?";
  }

  std::unexpected<Error> failure(int error_number, const char* doing) const {
    auto failed = errno_failure(error_number, path_, doing);
    failed.error().advice = advice_for(error_number);
    return failed;
  }

  Result<UniqueFd> connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    // An interface name is at most 15 characters, so the path fits sun_path.
    std::ranges::copy(path_, address.sun_path);
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return failure(errno, "socket");
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return failure(errno, "connecting");
    }
    return fd;
  }

  // One request on a connection of its own, because wireguard-go goes on reading a request that it
  // has refused as if it were the next.
  Result<SecretText> exchange(std::string_view request) const {
    auto fd = connect();
    if (!fd) return std::unexpected(fd.error());
    while (!request.empty()) {
      const ssize_t sent = ::send(fd->get(), request.data(), request.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      // It closed early: what it said before that is the better explanation.
      if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) break;
      if (sent < 0) return failure(errno, "sending");
      request.remove_prefix(static_cast<std::size_t>(sent));
    }
    SecretText answer;
    while (!answer.view().ends_with("\n\n")) {
      if (answer.view().size() > kMaxAnswer) return failure(EMSGSIZE, "reading");
      const std::span<char> room = answer.room(kReadRoom);
      const ssize_t length = ::recv(fd->get(), room.data(), room.size(), 0);
      if (length < 0 && errno == EINTR) continue;
      if (length < 0) return failure(errno, "reading");
      if (length == 0) break;
      answer.add_written(static_cast<std::size_t>(length));
    }
    return answer;
  }

  std::string interface_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<WireGuard>> open_uapi_wireguard(const std::string& interface) {
  auto wireguard = std::make_unique<UapiWireGuard>(interface);
  if (auto state = wireguard->read(); !state) return std::unexpected(state.error());
  return wireguard;
}

}  // namespace sekisho::kernel

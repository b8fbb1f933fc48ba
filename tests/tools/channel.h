#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "tests/tools/socket.h"

namespace sekisho::probe {

// How a connection opens: a real TLS handshake, an SSH identification line (RFC 4253 4.2), or plain
// HTTP.
enum class Opening { tls, ssh, http };

enum class Side { client, server };

// Bytes over one connection after its opening. The server's TLS certificate is made at start and
// never checked: what is tried is the way, not the certificate.
class Channel {
 public:
  // Performs the opening; the error's cause is the socket's outcome, or "closed", or "protocol".
  static Result<Channel> open(Socket socket, Opening opening, Side side);

  // Some bytes, 0 at the end of the stream, or the outcome as an error.
  Result<std::size_t> read(std::span<char> buffer);
  Result<std::size_t> write(std::span<const char> bytes);

 private:
  explicit Channel(Socket socket) : socket_(std::move(socket)) {}
  std::optional<Error> open_tls(Side side);
  std::optional<Error> open_lines(Side side, std::string_view own, std::string_view start,
                                  std::string_view end);
  std::unexpected<Error> failure(int result);

  struct SslDeleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  Socket socket_;
  std::unique_ptr<SSL, SslDeleter> ssl_;
};

}  // namespace sekisho::probe

#include "tests/tools/channel.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <string_view>

namespace sekisho::probe {
namespace {

constexpr std::string_view ssh_line = "SSH-2.0-probe\r\n";
constexpr std::string_view http_request = "GET / HTTP/1.0\r\n\r\n";
constexpr std::string_view http_answer = "HTTP/1.0 200 OK\r\n\r\n";

// A P-256 key and a certificate it signs for itself, valid for a day.
void give_identity(SSL_CTX* context) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  assert(key != nullptr && certificate != nullptr);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

SSL_CTX* shared_context(Side side) {
  static SSL_CTX* const client = SSL_CTX_new(TLS_client_method());
  static SSL_CTX* const server = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    give_identity(made);
    return made;
  }();
  return side == Side::client ? client : server;
}

std::unexpected<Error> outcome(std::string word) {
  return fail(ErrorCode::failed, "", std::move(word));
}

}  // namespace

Result<Channel> Channel::open(Socket socket, Opening opening, Side side) {
  Channel channel(std::move(socket));
  std::optional<Error> error;
  switch (opening) {
    case Opening::tls:
      error = channel.open_tls(side);
      break;
    case Opening::ssh:
      error = channel.open_lines(side, ssh_line, "SSH-", "\n");
      break;
    case Opening::http:
      error = side == Side::client ? channel.open_lines(side, http_request, "HTTP/", "\r\n\r\n")
                                   : channel.open_lines(side, http_answer, "GET ", "\r\n\r\n");
      break;
  }
  if (error) return std::unexpected(*error);
  return channel;
}

std::optional<Error> Channel::open_tls(Side side) {
  ssl_.reset(SSL_new(shared_context(side)));
  SSL_set_fd(ssl_.get(), socket_.fd());
  errno = 0;
  const int result = side == Side::client ? SSL_connect(ssl_.get()) : SSL_accept(ssl_.get());
  if (result == 1) return std::nullopt;
  return failure(result).error();
}

// The client speaks first; both then read the other's greeting to its end.
std::optional<Error> Channel::open_lines(Side side, std::string_view own, std::string_view start,
                                         std::string_view end) {
  if (side == Side::client) {
    if (auto sent = write(own); !sent) return sent.error();
  }
  std::string greeting;
  while (!greeting.ends_with(end)) {
    char byte = 0;
    auto got = read({&byte, 1});
    if (!got) return got.error();
    if (*got == 0) return outcome("closed").error();
    greeting += byte;
    if (greeting.size() > 512) return outcome("protocol").error();
  }
  if (!greeting.starts_with(start)) return outcome("protocol").error();
  if (side == Side::server) {
    if (auto sent = write(own); !sent) return sent.error();
  }
  return std::nullopt;
}

Result<std::size_t> Channel::read(std::span<char> buffer) {
  errno = 0;
  if (ssl_) {
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (got > 0) return static_cast<std::size_t>(got);
    if (SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN) return std::size_t{0};
    return failure(got);
  }
  const ssize_t got = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
  if (got >= 0) return static_cast<std::size_t>(got);
  return outcome(outcome_of(errno));
}

Result<std::size_t> Channel::write(std::span<const char> bytes) {
  errno = 0;
  if (ssl_) {
    const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) return static_cast<std::size_t>(sent);
    return failure(sent);
  }
  const ssize_t sent = send(socket_.fd(), bytes.data(), bytes.size(), 0);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  return outcome(outcome_of(errno));
}

// A blocking socket's time limit reaches OpenSSL as "want read": the same as EAGAIN.
std::unexpected<Error> Channel::failure(int result) {
  const int error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return outcome("timeout");
    case SSL_ERROR_SYSCALL:
      return outcome(error == 0 ? "closed" : outcome_of(error));
    case SSL_ERROR_SSL:
      return outcome(error == 0 ? "protocol" : outcome_of(error));
    default:
      return outcome("closed");
  }
}

}  // namespace sekisho::probe

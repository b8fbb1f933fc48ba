#include <signal.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <string>
#include <vector>

#include "gateway/journal/journal.h"
#include "gateway/portal/server.h"
#include "gateway/portal/usage.h"
#include "policy/base/result.h"

namespace {

using namespace sekisho;
namespace asio = boost::asio;
using asio::ip::tcp;
using journal::Severity;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

Result<tcp::acceptor> listen_at(asio::io_context& context, const std::string& text) {
  const auto refuse = [&](const std::string& cause) {
    return fail(ErrorCode::failed, "--listen " + text, cause,
                "give ADDRESS:PORT, an address of this box");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return refuse("has no port");
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  boost::system::error_code error;
  const auto at = asio::ip::make_address(address, error);
  if (error) return refuse("is no address");
  std::uint16_t port = 0;
  const char* begin = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  if (std::from_chars(begin, end, port).ptr != end || port == 0) return refuse("has no port");
  const tcp::endpoint endpoint(at, port);
  tcp::acceptor acceptor(context);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && at.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return refuse(error.message());
  return acceptor;
}

// What systemd listens at for it: sd_listen_fds(3).
std::vector<tcp::acceptor> given(asio::io_context& context) {
  std::vector<tcp::acceptor> acceptors;
  const int count = sd_listen_fds(1);
  for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
    const bool v6 = sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0;
    if (!v6 && sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) <= 0) continue;
    acceptors.emplace_back(context, v6 ? tcp::v6() : tcp::v4(), fd);
  }
  return acceptors;
}

std::string footer() {
  std::string text = "Exit codes: ";
  for (const auto& [code, meaning] : portal::kExitCodes) {
    if (!text.ends_with(' ')) text += ", ";
    text.append(code).append(" ").append(meaning);
  }
  return text + ".";
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  CLI::App app(std::string(portal::kProgramSummary), "sekisho-portal");
  app.footer(footer());
  app.set_version_flag("--version", SEKISHO_VERSION);
  std::string socket = portal::kDefaultSocket;
  std::vector<std::string> addresses;
  app.add_option("--socket", socket, std::string(portal::kSocketHelp))->capture_default_str();
  app.add_option("--listen", addresses, std::string(portal::kListenHelp));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  asio::io_context context;
  std::vector<tcp::acceptor> acceptors = given(context);
  for (const std::string& address : addresses) {
    auto acceptor = listen_at(context, address);
    if (!acceptor) {
      journal::log(Severity::error, to_string(acceptor.error()));
      return kFailed;
    }
    acceptors.push_back(*std::move(acceptor));
  }
  if (acceptors.empty()) {
    journal::log(Severity::error,
                 "nowhere to listen: give --listen ADDRESS:PORT, or start sekisho-portal.socket");
    return kFailed;
  }
  portal::Gateway gateway(socket);
  portal::Server server(context, gateway);
  const std::size_t count = acceptors.size();
  for (tcp::acceptor& acceptor : acceptors) server.serve(std::move(acceptor));
  asio::signal_set stop(context, SIGTERM, SIGINT);
  stop.async_wait([&](const boost::system::error_code&, int) { context.stop(); });
  journal::log(Severity::notice, "answering devices at " + std::to_string(count) + " sockets");
  context.run();
  // Questions that still wait are nobody's any more.
  std::quick_exit(0);
}

// The client's and the server's side of an attempt, with the evidence each saw itself.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "tests/tools/flood.h"
#include "tests/tools/stream.h"

namespace {

using namespace sekisho;
using namespace sekisho::probe;

const std::map<std::string, Opening> openings = {
    {"tls", Opening::tls}, {"ssh", Opening::ssh}, {"http", Opening::http}};

std::atomic<bool> stop = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // set by a signal

void say_running() {
  fmt::print("running\n");
  std::fflush(stdout);
}

int report(const Evidence& seen) {
  fmt::print("connected={} opened={} bytes={} last_byte_ms={} end={}\n", seen.connected,
             seen.opened, seen.bytes, seen.last_byte_ms, seen.end);
  return seen.end == "done" ? 0 : 1;
}

int report(const Result<std::uint64_t>& datagrams) {
  if (datagrams)
    fmt::print("{}\n", *datagrams);
  else
    fmt::print(stderr, "probe: {}\n", to_string(datagrams.error()));
  return datagrams ? 0 : 2;
}

// Ends with the first port that fails.
[[noreturn]] void serve_all(const std::vector<std::uint16_t>& ports, std::size_t bytes_per_s) {
  std::vector<std::jthread> servers;
  for (const std::uint16_t port : ports) {
    servers.emplace_back([port, bytes_per_s] {
      fmt::print(stderr, "probe: {}\n", to_string(serve(port, bytes_per_s)));
      std::_Exit(2);
    });
  }
  servers.clear();
  std::unreachable();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a cut connection is an outcome, not an end
  CLI::App app("one attempt at a connection, and the evidence of it");
  app.require_subcommand(1);
  Fetch request;
  std::size_t bytes_per_s = 20'000;
  std::vector<std::uint16_t> ports;
  const auto opening = [&](CLI::App* command) {
    command->add_option("opening", request.opening, "tls, ssh or http")
        ->required()
        ->transform(CLI::CheckedTransformer(openings));
  };
  const auto address = [&](CLI::App* command) {
    command->add_option("address", request.address)->required();
  };
  const auto port = [&](CLI::App* command) {
    command->add_option("port", request.port)->required();
  };

  CLI::App* serving = app.add_subcommand("serve", "answer TLS, SSH and HTTP on each TCP port");
  serving->add_option("ports", ports)->required();
  serving->add_option("--rate", bytes_per_s, "bytes a second after the opening");
  CLI::App* fetching =
      app.add_subcommand("get",
                         "open, then read: says \"running\" with the first byte, and at the end or "
                         "at SIGTERM what it saw; exit 0 when all bytes came");
  opening(fetching), address(fetching), port(fetching);
  fetching->add_option("--bytes", request.bytes, "how many to read after the opening");
  fetching->add_option("--silence", request.silence_limit_ms, "milliseconds without a byte");
  CLI::App* flooding =
      app.add_subcommand("flood", "send UDP datagrams until SIGTERM; prints how many");
  address(flooding), port(flooding);
  CLI::App* counting =
      app.add_subcommand("count", "receive UDP datagrams until SIGTERM; prints how many");
  port(counting);
  CLI::App* clock = app.add_subcommand("now", "milliseconds of the clock that last_byte_ms uses");
  CLI11_PARSE(app, argc, argv);

  if (*serving) serve_all(ports, bytes_per_s);
  std::signal(SIGTERM, [](int) { stop = true; });
  if (*fetching) return report(fetch(request, say_running, stop));
  if (*flooding) return report(flood(request.address, request.port, stop));
  if (*counting) return report(count(request.port, stop));
  if (*clock) fmt::print("{}\n", now_ms());
  return 0;
}

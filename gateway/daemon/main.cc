#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "gateway/daemon/config.h"
#include "gateway/daemon/daemon.h"
#include "gateway/daemon/log.h"

namespace {

using namespace sekisho;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr const char* kFooter =
    "Signals: HUP reads the configuration again, TERM stops; the policy stays in force either "
    "way.\n"
    "Exit codes: 0 stopped, 1 could not start, 2 usage or a mistake in the configuration.";

int refuse(const Errors& errors, int code) {
  for (const Error& error : errors) daemon::log(daemon::Severity::error, to_string(error));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // Keys are in this process's memory: no core dump of it.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // Where the log has gone, the gateway goes on.
  signal(SIGPIPE, SIG_IGN);
  CLI::App app("The gateway's daemon: holds the policy in the kernel", "sekishod");
  app.footer(kFooter);
  app.set_version_flag("--version", SEKISHO_VERSION);
  std::string file = daemon::kDefaultConfig;
  bool check = false;
  app.add_option("--config", file, "the configuration")->capture_default_str();
  app.add_flag("--check", check, "only read the configuration and say what is wrong with it");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  auto config = daemon::load_config(file);
  if (!config) return refuse(config.error(), kUsage);
  if (check) return 0;
  if (sodium_init() < 0)
    return refuse({{ErrorCode::failed, "libsodium", "the system gives no random numbers"}},
                  kFailed);
  auto running = daemon::Daemon::start(file, *std::move(config));
  if (!running) return refuse(running.error(), kFailed);
  (*running)->run();
  return 0;
}

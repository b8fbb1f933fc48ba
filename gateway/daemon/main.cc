#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <span>
#include <string>

#include "gateway/daemon/config.h"
#include "gateway/daemon/daemon.h"
#include "gateway/daemon/log.h"
#include "gateway/daemon/usage.h"

namespace {

using namespace sekisho;

constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kLarge = 128 << 10;  // bytes
constexpr int kKept = 8 << 20;

std::string listed(std::span<const daemon::Usage> rows) {
  std::string text;
  for (const auto& [word, meaning] : rows) {
    if (!text.empty()) text += ", ";
    text.append(word).append(" ").append(meaning);
  }
  return text;
}

std::string footer() {
  return "Signals: " + listed(daemon::kSignals) +
         "; the policy stays in force either way.\nExit codes: " + listed(daemon::kExitCodes) + ".";
}

int refuse(const Errors& errors, int code) {
  for (const Error& error : errors) daemon::log(daemon::Severity::error, to_string(error));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // Keys are in this process's memory: no core dump of it.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // What is large is mapped and goes back to the system when it is freed: a policy is read,
  // compared and stored as a whole now and then, and what that takes would stay otherwise.
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kKept);  // a small change finds again the room that the last one left
  // Where the log has gone, the gateway goes on.
  signal(SIGPIPE, SIG_IGN);
  CLI::App app(std::string(daemon::kProgramSummary), "sekishod");
  app.footer(footer());
  app.set_version_flag("--version", SEKISHO_VERSION);
  std::string file = daemon::kDefaultConfig;
  bool check = false;
  app.add_option("--config", file, std::string(daemon::kConfigHelp))->capture_default_str();
  app.add_flag("--check", check, std::string(daemon::kCheckHelp));
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

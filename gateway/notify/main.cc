#include <curl/curl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <CLI/CLI.hpp>
#include <string>
#include <utility>

#include "gateway/journal/journal.h"
#include "gateway/notify/config.h"
#include "gateway/notify/sender.h"
#include "gateway/notify/usage.h"

namespace {

using namespace sekisho;
using journal::Severity;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

std::string footer() {
  std::string text = "Exit codes: ";
  for (const auto& [code, meaning] : notify::kExitCodes) {
    if (!text.ends_with(' ')) text += ", ";
    text.append(code).append(" ").append(meaning);
  }
  return text + ".";
}

int refuse(const Errors& errors, int code) {
  for (const Error& error : errors) journal::log(Severity::error, to_string(error));
  return code;
}

// Readable when it is asked to stop. Before the first thread, which inherits what is blocked.
int open_stop() {
  sigset_t signals{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

int main(int argc, char** argv) {
  // Passwords are in this process's memory: no core dump of it.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  signal(SIGPIPE, SIG_IGN);
  CLI::App app(std::string(notify::kProgramSummary), "sekisho-notify");
  app.footer(footer());
  app.set_version_flag("--version", SEKISHO_VERSION);
  std::string file = notify::kDefaultConfig;
  bool check = false;
  app.add_option("--config", file, std::string(notify::kConfigHelp))->capture_default_str();
  app.add_flag("--check", check, std::string(notify::kCheckHelp));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }
  const int stop = open_stop();
  if (stop < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return refuse({{ErrorCode::failed, "libcurl", "cannot be started"}}, kFailed);
  const auto config = notify::load_config(file);
  if (!config) return refuse(config.error(), kUsage);
  if (check) return 0;
  auto queue = outbox::Queue::open(config->outbox);
  if (!queue) return refuse({queue.error()}, kFailed);
  std::string ways;
  for (const notify::Channel& channel : config->channels)
    ways += (ways.empty() ? "" : ", ") + channel.name;
  journal::log(Severity::notice,
               "sending what comes to " + config->outbox.string() + " by " + ways);
  if (!notify::Sender(*config, *std::move(queue)).run(stop)) return kFailed;
  journal::log(Severity::notice, "stopped; what waits is sent after the next start");
  return 0;
}

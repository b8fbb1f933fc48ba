#include <sodium.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include "gateway/cli/commands.h"
#include "gateway/cli/made_key.h"
#include "gateway/cli/output.h"
#include "gateway/cli/request.h"
#include "gateway/client/client.h"

namespace {

using namespace sekisho;

constexpr const char* kFooter =
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 not permitted, 5 conflict,\n"
    "6 the gateway does not answer, 7 the answer is no, 8 applied and taken back.";

int fail_with(const cli::Options& options, const control::Operation& operation, Errors errors) {
  const int code = cli::exit_code(errors.front().code);
  if (options.json)
    std::cout << cli::as_json(operation, std::unexpected(std::move(errors)));
  else
    std::cerr << cli::as_text(errors);
  return code;
}

// A key made here goes into the typed words as its public half.
Result<std::optional<cli::MadeKey>> made_key(cli::Command& command) {
  if (!command.typed.contains("key_made_at_gateway")) return std::nullopt;
  if (command.typed.contains("public_key")) {
    return fail(ErrorCode::invalid, "--make-key-here", "a public key was given too",
                "give one or the other");
  }
  cli::MadeKey key = cli::make_key();
  command.typed["public_key"] = {key.public_key.to_string()};
  return key;
}

void show_made_key(const control::Reply& reply, const cli::MadeKey& key) {
  const Node* profile = reply->find("profile");
  if (profile == nullptr || profile->string() == nullptr) return;
  const std::string whole = cli::profile_with_key(*profile->string(), key.private_key);
  std::cout << whole << "\n"
            << cli::terminal_qr(whole)
            << "\nThis is shown once and kept nowhere. Bring it to the device, then forget it.\n";
}

int run(const cli::Options& options, cli::Command& command) {
  const control::Operation& operation = *command.operation;
  auto key = made_key(command);
  if (!key) return fail_with(options, operation, {key.error()});
  auto request = cli::make_request(operation, command.typed);
  if (!request) return fail_with(options, operation, std::move(request.error()));
  const control::Reply reply = client::call(options.socket, *request);
  if (!reply) return fail_with(options, operation, reply.error());
  if (*key)
    show_made_key(reply, **key);
  else if (options.json)
    std::cout << cli::as_json(operation, reply);
  else if (!options.quiet)
    std::cout << cli::as_text(operation, *reply);
  return cli::exit_code(reply);
}

}  // namespace

int main(int argc, char** argv) {
  // A private key may pass through this process: no core dump of it.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (sodium_init() < 0) {
    std::cerr << "error[failed]: the system gives no random numbers\n";
    return 1;
  }
  CLI::App app("The gateway's command line: who may reach what, and what happened", "sekisho");
  app.footer(kFooter);
  app.set_version_flag("--version", SEKISHO_VERSION);
  cli::Options options;
  cli::Command command;
  cli::add_commands(app, options, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : cli::kUsage;
  }
  return run(options, command);
}

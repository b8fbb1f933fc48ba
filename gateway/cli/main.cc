#include <sodium.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cli/commands.h"
#include "gateway/cli/completion.h"
#include "gateway/cli/made_key.h"
#include "gateway/cli/output.h"
#include "gateway/cli/request.h"
#include "gateway/client/client.h"

namespace {

using namespace sekisho;

int fail_with(const cli::Options& options, const cli::CommandRow& row, Errors errors) {
  const int code = cli::exit_code(errors.front().code);
  if (options.json)
    std::cout << cli::as_json(row, std::unexpected(std::move(errors)));
  else
    std::cerr << cli::as_text(errors);
  return code;
}

// A key made here goes into the typed words as its public half.
std::optional<cli::MadeKey> made_key(cli::Command& command) {
  if (!command.typed.contains("key_made_at_gateway")) return std::nullopt;
  cli::MadeKey key = cli::make_key();
  command.typed["public_key"] = {key.public_key.to_string()};
  return key;
}

void put_made_key(Node& result, const cli::MadeKey& key) {
  for (auto& [name, value] : std::get<Node::Table>(result.value)) {
    if (name == "profile")
      value = {cli::profile_with_key(std::get<std::string>(value.value), key.private_key)};
  }
}

void show_made_key(const std::string& profile) {
  std::cout << profile << "\n"
            << cli::terminal_qr(profile)
            << "\nThis is shown once and kept nowhere. Bring it to the device, then forget it.\n";
}

// "policy:3:7" -> "office.toml:3:7"
void name_document(Errors& errors, const cli::Typed& typed) {
  const auto file = typed.find("document");
  if (file == typed.end()) return;
  const std::string name = cli::document_name(file->second.front());
  for (Error& error : errors) {
    if (error.place.starts_with(std::string(control::kDocumentName) + ":"))
      error.place.replace(0, control::kDocumentName.size(), name);
  }
}

// CLI11 asks for the missing command before it names the one that nobody knows.
std::string cause_of(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) == nullptr || unknown.empty())
    return error.what();
  return "there is no command \"" + unknown.front() + "\"";
}

// "sekisho person add --help": of the command as far as it was understood.
std::string help_of(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return app.get_name() + " " + (chosen.empty() ? "--help" : help_of(*chosen.front()));
}

int refuse_usage(const CLI::App& app, const CLI::ParseError& error, bool json) {
  const std::string cause = cause_of(app, error);
  const std::string advice = "see: " + help_of(app);
  if (json)
    std::cout << cli::usage_as_json(cause, advice);
  else
    std::cerr << cli::usage_as_text(cause, advice);
  return cli::kUsage;
}

control::Reply answer(const cli::Options& options, const cli::Command& command) {
  const cli::CommandRow& row = *command.row;
  if (row.operation == nullptr) return row.run(command.typed);
  auto request = cli::make_request(*row.operation, command.typed);
  if (!request) return std::unexpected(std::move(request.error()));
  control::Reply reply = client::call(options.socket, *std::move(request));
  if (!reply) name_document(reply.error(), command.typed);
  return reply;
}

int run(const cli::Options& options, cli::Command& command) {
  const auto key = made_key(command);
  control::Reply reply = answer(options, command);
  if (!reply) return fail_with(options, *command.row, std::move(reply.error()));
  if (key) put_made_key(*reply, *key);
  if (options.json)
    std::cout << cli::as_json(*command.row, reply);
  else if (key)
    show_made_key(*reply->find("profile")->string());
  else if (!options.quiet)
    std::cout << cli::as_text(*command.row, *reply);
  return cli::exit_code(reply);
}

}  // namespace

int main(int argc, char** argv) {
  // A private key may pass through this process: no core dump of it.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc > 1 && arguments[1] == std::string_view(cli::kCompleteWord)) {
    const auto words = arguments.subspan(2);
    cli::print_completion(std::vector<std::string>(words.begin(), words.end()));
    return 0;
  }
  if (sodium_init() < 0) {
    std::cerr << "error[failed]: the system gives no random numbers\n";
    return 1;
  }
  CLI::App app("", "sekisho");
  cli::Options options;
  cli::Command command;
  cli::add_commands(app, options, command);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);  // for help or the version
  } catch (const CLI::ParseError& error) {
    // What stands behind a mistake was not read any more.
    const bool json = std::ranges::count(arguments, std::string_view("--json")) > 0;
    return refuse_usage(app, error, json);
  }
  return run(options, command);
}

#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <list>
#include <string>

#include "gateway/cli/request.h"
#include "gateway/client/client.h"

namespace sekisho::cli {

struct Options {
  std::string socket = client::kDefaultSocket;
  bool json = false;
  bool quiet = false;
};

// One chosen command: its operation and what was typed for it.
struct Command {
  const control::Operation* operation = nullptr;
  Typed typed;
};

// Builds the whole command line from the operation table. After parsing, `chosen` is the command.
void add_commands(CLI::App& app, Options& options, Command& chosen);

}  // namespace sekisho::cli

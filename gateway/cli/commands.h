#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <list>
#include <string>

#include "gateway/cli/command_rows.h"
#include "gateway/client/client.h"

namespace sekisho::cli {

struct Options {
  std::string socket = client::kDefaultSocket;
  bool json = false;
  bool quiet = false;
};

// The chosen command, and what was typed for it.
struct Command {
  const CommandRow* row = nullptr;
  Typed typed;
};

// Builds the whole command line from the table of commands. After parsing, `chosen` is the command.
void add_commands(CLI::App& app, Options& options, Command& chosen);

}  // namespace sekisho::cli

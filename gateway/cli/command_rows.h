#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/cli/request.h"
#include "gateway/client/client.h"
#include "gateway/control/message.h"

namespace sekisho::cli {

// A command that can be typed: an operation of the gateway, or what this program does by itself.
struct CommandRow {
  std::string_view group;  // "person"; empty for the commands that stand alone
  std::string_view verb;   // "add"
  std::string_view summary;
  std::span<const control::Parameter> parameters;
  const control::Operation* operation = nullptr;
  control::Reply (*run)(const Typed& typed) = nullptr;  // where there is no operation

  // "person.add", "status"
  std::string name() const;
};

// Every command: those of the operation table in its order, each local one behind its group. Help,
// completion and the manual page are made from this.
std::span<const CommandRow> command_rows();

// The options of every command.
std::span<const control::Parameter> common_options();
inline constexpr std::string_view kSocketOption = "socket";  // the name of the one
inline constexpr const char* kDefaultSocket = client::kDefaultSocket;
inline constexpr const char* kSocketVariable = "SEKISHO_SOCKET";

std::string_view group_summary(std::string_view group);

}  // namespace sekisho::cli

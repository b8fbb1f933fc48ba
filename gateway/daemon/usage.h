#pragma once

#include <array>
#include <string_view>

// What sekishod's help says; its manual page is made of the same words.
namespace sekisho::daemon {

struct Usage {
  std::string_view word;
  std::string_view meaning;
};

inline constexpr std::string_view kProgramSummary =
    "The gateway's daemon: holds the policy in the kernel";
inline constexpr std::string_view kConfigHelp = "the configuration";
inline constexpr std::string_view kCheckHelp =
    "only read the configuration and say what is wrong with it";
inline constexpr std::array kSignals{Usage{"HUP", "reads the configuration again"},
                                     Usage{"TERM", "stops"}};
inline constexpr std::array kExitCodes{Usage{"0", "stopped"}, Usage{"1", "could not start"},
                                       Usage{"2", "usage or a mistake in the configuration"}};

}  // namespace sekisho::daemon

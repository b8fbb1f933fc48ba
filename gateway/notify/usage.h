#pragma once

#include <array>
#include <string_view>

// What the help of sekisho-notify says; its manual page is made of the same words.
namespace sekisho::notify {

struct Usage {
  std::string_view word;
  std::string_view meaning;
};

inline constexpr std::string_view kProgramSummary =
    "Sends the gateway's notices by mail and webhook";
inline constexpr std::string_view kConfigHelp = "the configuration";
inline constexpr std::string_view kCheckHelp =
    "only read the configuration and say what is wrong with it";
inline constexpr std::array kExitCodes{Usage{"0", "stopped"}, Usage{"1", "could not start"},
                                       Usage{"2", "usage or a mistake in the configuration"}};

}  // namespace sekisho::notify

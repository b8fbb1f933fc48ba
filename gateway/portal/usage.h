#pragma once

#include <array>
#include <string_view>
#include <utility>

// The words of its help and of its manual page.
namespace sekisho::portal {

inline constexpr const char* kDefaultSocket = "/run/sekisho/portal.sock";
inline constexpr std::string_view kProgramSummary =
    "the gateway's page inside the tunnel: what became of a device, and where it may flag itself";
inline constexpr std::string_view kSocketHelp = "where sekishod answers the portal";
inline constexpr std::string_view kListenHelp =
    "ADDRESS:PORT to listen at, [v6]:PORT; repeat for more; default: the sockets that systemd "
    "gives";
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kExitCodes{
    {{"0", "it was told to stop"}, {"1", "it cannot listen"}, {"2", "wrong words"}}};

}  // namespace sekisho::portal

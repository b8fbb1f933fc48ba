#pragma once

#include <string>
#include <string_view>

#include "gateway/control/message.h"
#include "policy/base/ip.h"

namespace sekisho::page {

inline constexpr std::size_t kMostBodyBytes = std::size_t{16} * 1024;

// flag.add as a device says it: `body` is JSON with source and, where it likes, severity, detail
// and key, all texts. Nothing else is let through, so a device flags nobody but itself.
Result<control::Request> read_flag(std::string_view body, std::string_view token,
                                   const IpAddress& from);

// What the device hears of it: the flag's number, its state and outcome, whether it was said
// before.
std::string write_flag(const Node& result);

}  // namespace sekisho::page

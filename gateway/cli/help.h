#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/cli/command_rows.h"

// What --help says; the manual page is made of the same words.
namespace sekisho::cli {

inline constexpr std::string_view kProgramSummary =
    "The gateway's command line: who may reach what, and what happened";

// What stands for a parameter's value: "active|suspended", "FILE"; nothing for a flag.
std::string value_of(const control::Parameter& parameter);
// "--state active|suspended", "-q, --quiet"
std::string option_of(const control::Parameter& parameter);
// "sekisho grant remove ID [OPTIONS]": what is required, in the order of the table.
std::string usage_of(const CommandRow& row);

// The help of "sekisho", "sekisho person" or "sekisho person add".
std::string help_of(std::string_view command);

}  // namespace sekisho::cli

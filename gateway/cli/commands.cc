#include "gateway/cli/commands.h"

#include <cstdint>
#include <map>
#include <string>

#include "gateway/cli/help.h"

namespace sekisho::cli {

namespace {

using control::Parameter;
using control::ParameterKind;

void add_parameter(CLI::App& command, const Parameter& parameter, Typed& typed) {
  const std::string key(parameter.name);
  if (parameter.kind == ParameterKind::flag) {
    command.add_flag_callback(std::string(parameter.option),
                              [&typed, key] { typed[key] = {"true"}; });
    return;
  }
  const bool positional = parameter.is_positional();
  // A positional's name is what the request calls it.
  const std::string name = positional ? key : std::string(parameter.option);
  CLI::Option* option = command.add_option_function<std::vector<std::string>>(
      name, [&typed, key](const std::vector<std::string>& words) { typed[key] = words; });
  const bool several =
      parameter.kind == ParameterKind::list || parameter.kind == ParameterKind::services;
  option->required(parameter.required);
  option->expected(1)->allow_extra_args(false);
  option->multi_option_policy(several ? CLI::MultiOptionPolicy::TakeAll
                                      : CLI::MultiOptionPolicy::Throw);
  if (parameter.kind == ParameterKind::number)
    option->check(CLI::TypeValidator<std::int64_t>("NUMBER"));
}

}  // namespace

void add_commands(CLI::App& app, Options& options, Command& chosen) {
  app.formatter_fn([](const CLI::App*, const std::string& command, CLI::AppFormatMode) {
    return help_of(command);
  });
  app.require_subcommand(1);
  app.fallthrough();
  for (const Parameter& parameter : common_options()) {
    const std::string option(parameter.option);
    if (parameter.name == kSocketOption)
      app.add_option(option, options.socket)->envname(kSocketVariable);
    if (parameter.name == "json") app.add_flag(option, options.json);
    if (parameter.name == "quiet") app.add_flag(option, options.quiet);
    if (parameter.name == "help") app.set_help_flag(option);
    if (parameter.name == "version") app.set_version_flag(option, SEKISHO_VERSION);
  }
  std::map<std::string, CLI::App*> groups;
  for (const CommandRow& row : command_rows()) {
    CLI::App* parent = &app;
    if (!row.group.empty()) {
      const std::string group(row.group);
      CLI::App*& known = groups[group];
      if (known == nullptr) {
        known = app.add_subcommand(group, std::string(group_summary(group)))
                    ->require_subcommand(1)
                    ->fallthrough();
      }
      parent = known;
    }
    CLI::App* command = parent->add_subcommand(std::string(row.verb))->fallthrough();
    for (const Parameter& parameter : row.parameters)
      add_parameter(*command, parameter, chosen.typed);
    // One key, from one place.
    if (row.name() == "device.add")
      command->get_option("--make-key-here")->excludes(command->get_option("--public-key"));
    if (row.name() == "policy.fmt")
      command->get_option("--check")->excludes(command->get_option("--write"));
    command->callback([&chosen, &row] { chosen.row = &row; });
  }
}

}  // namespace sekisho::cli

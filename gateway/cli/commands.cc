#include "gateway/cli/commands.h"

#include <cstdint>
#include <map>
#include <string>

namespace sekisho::cli {

namespace {

using control::Operation;
using control::Parameter;
using control::ParameterKind;

void add_parameter(CLI::App& command, const Parameter& parameter, Typed& typed) {
  const std::string key(parameter.name);
  const std::string help(parameter.help);
  if (parameter.kind == ParameterKind::flag) {
    command.add_flag_callback(
        std::string(parameter.option), [&typed, key] { typed[key] = {"true"}; }, help);
    return;
  }
  const bool positional = !parameter.option.starts_with('-');
  // A positional's name is what the request calls it; its usage text is the option's.
  const std::string name = positional ? key : std::string(parameter.option);
  CLI::Option* option = command.add_option_function<std::vector<std::string>>(
      name, [&typed, key](const std::vector<std::string>& words) { typed[key] = words; }, help);
  const bool several =
      parameter.kind == ParameterKind::list || parameter.kind == ParameterKind::services;
  option->type_name(positional ? "" : "TEXT")->required(parameter.required);
  option->expected(1)->allow_extra_args(false);
  option->multi_option_policy(several ? CLI::MultiOptionPolicy::TakeAll
                                      : CLI::MultiOptionPolicy::Throw);
  if (parameter.kind == ParameterKind::number)
    option->check(CLI::TypeValidator<std::int64_t>("NUMBER"));
  if (positional) option->option_text(std::string(parameter.option));
}

std::string group_summary(std::string_view group) {
  if (group == "person") return "People: who may connect";
  if (group == "device") return "Devices: what they connect with";
  if (group == "role") return "Roles: groups of people";
  if (group == "resource") return "Resources: what can be reached";
  if (group == "grant") return "Grants: who may reach what, why, until when";
  if (group == "policy") return "The policy as a whole: check, apply, go back, ask";
  if (group == "audit") return "What was done, by whom, when";
  return {};
}

}  // namespace

void add_commands(CLI::App& app, Options& options, Command& chosen) {
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--socket", options.socket, "the gateway's control socket")
      ->envname("SEKISHO_SOCKET")
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object");
  app.add_flag("-q,--quiet", options.quiet, "print nothing where all went well");
  std::map<std::string, CLI::App*> groups;
  for (const Operation& operation : control::operations()) {
    CLI::App* parent = &app;
    if (!operation.group.empty()) {
      const std::string group(operation.group);
      CLI::App*& known = groups[group];
      if (known == nullptr) {
        known =
            app.add_subcommand(group, group_summary(group))->require_subcommand(1)->fallthrough();
      }
      parent = known;
    }
    CLI::App* command =
        parent->add_subcommand(std::string(operation.verb), std::string(operation.summary))
            ->fallthrough();
    for (const Parameter& parameter : operation.parameters)
      add_parameter(*command, parameter, chosen.typed);
    // One key, from one place.
    if (operation.id == control::OperationId::device_add)
      command->get_option("--make-key-here")->excludes(command->get_option("--public-key"));
    command->callback([&chosen, &operation] { chosen.operation = &operation; });
  }
}

}  // namespace sekisho::cli

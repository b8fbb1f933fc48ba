#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "policy/base/result.h"
#include "policy/model/network.h"

namespace sekisho::daemon {

inline constexpr const char* kDefaultConfig = "/etc/sekisho/sekisho.toml";

// sekisho.toml: what this box is. What staff may do is in the policy, never here.
struct Config {
  std::string gateway_name = "gateway";
  Network network;
  std::string endpoint;  // "address:port" that profiles tell staff to connect to
  // The nftables table can be changed through the daemon alone (Linux 6.9): `nft flush ruleset`
  // passes it by. Off, others can break it, and it is repaired.
  bool own_table = false;
  std::filesystem::path state = "/var/lib/sekisho";
  std::filesystem::path runtime = "/run/sekisho";
  std::filesystem::path outbox = "/var/spool/sekisho";  // not there: nobody is told of anything

  std::filesystem::path socket() const { return runtime / "control.sock"; }
  std::filesystem::path portal_socket() const { return runtime / "portal.sock"; }
};

// Every mistake at once, each with file, line and column.
Checked<Config> read_config(std::string_view text, std::string_view file);
Checked<Config> load_config(const std::filesystem::path& file);

}  // namespace sekisho::daemon

#include "gateway/daemon/config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "policy/model/document.h"
#include "policy/model/node.h"
#include "policy/model/validate.h"

namespace sekisho::daemon {

namespace {

// Reads members of one table after another, and notes what is wrong with each.
class Reader {
 public:
  explicit Reader(Errors& errors) : errors_(errors) {}

  void refuse(std::string path, std::string cause, std::string advice) {
    errors_.push_back(
        {ErrorCode::invalid, std::move(path), std::move(cause), {}, std::move(advice)});
  }

  void known(const Node::Table& table, const std::string& path,
             std::initializer_list<std::string_view> keys) {
    for (const auto& [key, value] : table) {
      if (std::ranges::find(keys, key) != keys.end()) continue;
      std::string allowed;
      for (const std::string_view each : keys) {
        if (!allowed.empty()) allowed += ", ";
        allowed += each;
      }
      refuse(path.empty() ? key : std::string(path).append(".").append(key),
             "there is no such setting", "known here: " + allowed);
    }
  }

  const Node* text(const Node* table, const std::string& path, std::string_view key,
                   std::string& into) {
    const Node* node = table != nullptr ? table->find(key) : nullptr;
    if (node == nullptr) return nullptr;
    if (const std::string* value = node->string(); value != nullptr && !value->empty()) {
      into = *value;
      return node;
    }
    refuse(path + "." + std::string(key), "is not a text", "write it in quotes");
    return nullptr;
  }

  void path(const Node* table, const std::string& where, std::string_view key,
            std::filesystem::path& into) {
    std::string value;
    if (text(table, where, key, value) == nullptr) return;
    into = value;
    if (!into.is_absolute())
      refuse(where + "." + std::string(key), "\"" + value + "\" is not absolute",
             "begin it with /");
  }

  void number(const Node* table, const std::string& path, std::string_view key, std::int64_t least,
              std::int64_t most, auto assign) {
    const Node* node = table != nullptr ? table->find(key) : nullptr;
    if (node == nullptr) return;
    const auto* value = std::get_if<std::int64_t>(&node->value);
    if (value == nullptr || *value < least || *value > most) {
      refuse(path + "." + std::string(key),
             "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most),
             "give one");
      return;
    }
    assign(*value);
  }

  void flag(const Node* table, const std::string& path, std::string_view key, bool& into) {
    const Node* node = table != nullptr ? table->find(key) : nullptr;
    if (node == nullptr) return;
    if (const bool* value = std::get_if<bool>(&node->value)) {
      into = *value;
    } else {
      refuse(path + "." + std::string(key), "is neither true nor false", "write one of the two");
    }
  }

  void prefixes(const Node* table, const std::string& path, std::string_view key,
                std::vector<Prefix>& into) {
    const Node* node = table != nullptr ? table->find(key) : nullptr;
    if (node == nullptr) return;
    const std::string where = path + "." + std::string(key);
    if (node->array() == nullptr)
      return refuse(where, "is not a list", "write it as [\"10.66.0.0/16\", \"fd66::/64\"]");
    into.clear();
    for (std::size_t i = 0; i < node->array()->size(); ++i) {
      const Node& item = (*node->array())[i];
      const std::string at = where + "[" + std::to_string(i) + "]";
      if (item.string() == nullptr) {
        refuse(at, "is not a text", "write a network in quotes: \"10.66.0.0/16\"");
        continue;
      }
      if (auto prefix = Prefix::parse(*item.string()))
        into.push_back(*prefix);
      else
        refuse(at, prefix.error().cause, prefix.error().advice);
    }
  }

 private:
  Errors& errors_;
};

const Node* section(const Node& root, std::string_view name, Reader& reader) {
  const Node* node = root.find(name);
  if (node == nullptr) return nullptr;
  if (node->table() != nullptr) return node;
  reader.refuse(std::string(name), "is not a section", "write it as [" + std::string(name) + "]");
  return nullptr;
}

// "192.0.2.1:51820", "[2001:db8::1]:51820" or "gate.example.com:51820".
bool is_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto port = PortRange::parse(text.substr(colon + 1));
  const std::string_view host = text.substr(0, colon);
  if (!port || port->first != port->last) return false;
  if (host.front() == '[')
    return host.back() == ']' && IpAddress::parse(host.substr(1, host.size() - 2)).has_value();
  return host.size() <= 253 && std::ranges::all_of(host, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

void read_tunnel(const Node* tunnel, Config& config, Reader& reader) {
  if (tunnel == nullptr) {
    reader.refuse("tunnel", "the section is missing", "give at least [tunnel] endpoint and pools");
    return;
  }
  reader.known(*tunnel->table(), "tunnel",
               {"interface", "listen_port", "endpoint", "mtu", "pools", "own_table"});
  Network& network = config.network;
  reader.text(tunnel, "tunnel", "interface", network.interface);
  reader.number(tunnel, "tunnel", "listen_port", 1, 65535, [&](std::int64_t value) {
    network.listen_port = Port(static_cast<std::uint16_t>(value));
  });
  reader.number(tunnel, "tunnel", "mtu", 1280, 9000,
                [&](std::int64_t value) { network.mtu = static_cast<int>(value); });
  reader.flag(tunnel, "tunnel", "own_table", config.own_table);
  reader.prefixes(tunnel, "tunnel", "pools", network.pools);
  if (tunnel->find("pools") == nullptr)
    reader.refuse("tunnel.pools", "is missing",
                  "give the networks that devices get their addresses from");
  if (tunnel->find("endpoint") == nullptr) {
    reader.refuse("tunnel.endpoint", "is missing",
                  "give the address and port that staff connect to, like \"192.0.2.1:51820\"");
  } else if (reader.text(tunnel, "tunnel", "endpoint", config.endpoint) != nullptr &&
             !is_endpoint(config.endpoint)) {
    reader.refuse("tunnel.endpoint", "\"" + config.endpoint + "\" is not an address and port",
                  "write 192.0.2.1:51820, [2001:db8::1]:51820 or name:51820");
  }
}

// What the network must be to carry any policy at all, told in the words of this file.
void check_network(const Network& network, Errors& errors) {
  const auto checked = validate(Policy{}, network);
  if (checked) return;
  for (Error error : checked.error()) {
    constexpr std::string_view kOurs = "network.";
    const bool in_tunnel =
        error.object.starts_with(kOurs) && !error.object.starts_with("network.public_prefixes");
    if (in_tunnel) error.object.replace(0, kOurs.size(), "tunnel.");
    errors.push_back(std::move(error));
  }
}

}  // namespace

Checked<Config> read_config(std::string_view text, std::string_view file) {
  auto root = read_toml(text, file);
  if (!root) {
    if (root.error().advice.empty())
      root.error().advice = "mend the TOML there, then look again with: sekishod --check";
    return std::unexpected(Errors{std::move(root.error())});
  }
  Errors errors;
  Reader reader(errors);
  Config config;
  reader.known(*root->table(), "", {"gateway", "tunnel", "network", "paths"});
  if (const Node* gateway = section(*root, "gateway", reader)) {
    reader.known(*gateway->table(), "gateway", {"name"});
    reader.text(gateway, "gateway", "name", config.gateway_name);
    if (!is_valid_id(config.gateway_name)) {
      reader.refuse("gateway.name", "\"" + config.gateway_name + "\" is not a name",
                    "use 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit");
    }
  }
  read_tunnel(section(*root, "tunnel", reader), config, reader);
  if (const Node* network = section(*root, "network", reader)) {
    reader.known(*network->table(), "network", {"public_prefixes"});
    reader.prefixes(network, "network", "public_prefixes", config.network.public_prefixes);
  }
  if (const Node* paths = section(*root, "paths", reader)) {
    reader.known(*paths->table(), "paths", {"state", "runtime"});
    reader.path(paths, "paths", "state", config.state);
    reader.path(paths, "paths", "runtime", config.runtime);
  }
  if (errors.empty()) check_network(config.network, errors);
  if (errors.empty()) return config;
  locate(errors, *root, file);
  for (Error& error : errors) {
    if (error.place.empty()) error.place = file;  // a whole section is missing
  }
  return std::unexpected(std::move(errors));
}

Checked<Config> load_config(const std::filesystem::path& path) {
  std::ifstream file;
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    errno = EISDIR;  // which would open and read as an empty file
  else
    file.open(path, std::ios::binary);
  if (!file.is_open()) {
    return std::unexpected(Errors{{ErrorCode::invalid,
                                   path.string(),
                                   std::string("cannot be read: ") + std::strerror(errno),
                                   {},
                                   "name the configuration with --config FILE"}});
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  return read_config(text, path.string());
}

}  // namespace sekisho::daemon

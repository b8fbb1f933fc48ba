#include "gateway/daemon/config.h"

#include <algorithm>
#include <utility>

#include "gateway/settings/reader.h"
#include "policy/model/node.h"
#include "policy/model/validate.h"

namespace sekisho::daemon {

namespace {

using settings::Reader;

void read_prefixes(const Node* table, const std::string& path, std::string_view key,
                   std::vector<Prefix>& into, Reader& reader) {
  const Node* node = table != nullptr ? table->find(key) : nullptr;
  if (node == nullptr) return;
  const std::string where = path + "." + std::string(key);
  if (node->array() == nullptr)
    return reader.refuse(where, "is not a list", "write it as [\"10.66.0.0/16\", \"fd66::/64\"]");
  into.clear();
  for (std::size_t i = 0; i < node->array()->size(); ++i) {
    const Node& item = (*node->array())[i];
    const std::string at = where + "[" + std::to_string(i) + "]";
    if (item.string() == nullptr) {
      reader.refuse(at, "is not a text", "write a network in quotes: \"10.66.0.0/16\"");
      continue;
    }
    if (auto prefix = Prefix::parse(*item.string()))
      into.push_back(*prefix);
    else
      reader.refuse(at, prefix.error().cause, prefix.error().advice);
  }
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
  read_prefixes(tunnel, "tunnel", "pools", network.pools, reader);
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
  const auto root = settings::read_root(text, file, "sekishod --check");
  if (!root) return std::unexpected(root.error());
  Errors errors;
  Reader reader(errors);
  Config config;
  reader.known(*root->table(), "", {"gateway", "tunnel", "network", "paths"});
  if (const Node* gateway = reader.section(*root, "gateway")) {
    reader.known(*gateway->table(), "gateway", {"name"});
    reader.text(gateway, "gateway", "name", config.gateway_name);
    if (!is_valid_id(config.gateway_name)) {
      reader.refuse("gateway.name", "\"" + config.gateway_name + "\" is not a name",
                    "use 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit");
    }
  }
  read_tunnel(reader.section(*root, "tunnel"), config, reader);
  if (const Node* network = reader.section(*root, "network")) {
    reader.known(*network->table(), "network", {"public_prefixes"});
    read_prefixes(network, "network", "public_prefixes", config.network.public_prefixes, reader);
  }
  if (const Node* paths = reader.section(*root, "paths")) {
    reader.known(*paths->table(), "paths", {"state", "runtime", "outbox"});
    reader.path(paths, "paths", "state", config.state);
    reader.path(paths, "paths", "runtime", config.runtime);
    reader.path(paths, "paths", "outbox", config.outbox);
  }
  if (errors.empty()) check_network(config.network, errors);
  if (errors.empty()) return config;
  return std::unexpected(settings::placed(std::move(errors), *root, file));
}

Checked<Config> load_config(const std::filesystem::path& file) {
  const auto text = settings::read_text(file);
  if (!text) return std::unexpected(text.error());
  return read_config(*text, file.string());
}

}  // namespace sekisho::daemon

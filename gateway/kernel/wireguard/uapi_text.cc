#include "gateway/kernel/wireguard/uapi_text.h"

#include <sodium.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>

#include "gateway/kernel/netlink/errors.h"
#include "gateway/keys/keys.h"

namespace sekisho::kernel {
namespace {

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<KeyBytes> key_bytes(std::string_view hex) {
  KeyBytes bytes;
  std::size_t length = 0;
  const int done =
      sodium_hex2bin(bytes.data(), bytes.size(), hex.data(), hex.size(), nullptr, &length, nullptr);
  if (done != 0 || length != bytes.size() || hex.size() != 2 * bytes.size()) return std::nullopt;
  return bytes;
}

std::optional<Prefix> prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::parse(text.substr(0, slash));
  const auto length = number<int>(text.substr(slash + 1));
  if (!address || !length || *length < 0 || *length > address->bits()) return std::nullopt;
  return Prefix::covering(*address, *length);
}

bool is_zero(const KeyBytes& bytes) {
  return bytes == KeyBytes{};
}

// Reads one answer line by line. Every line about a peer follows its public_key.
class Reader {
 public:
  explicit Reader(const std::string& interface) { device_.interface = interface; }

  // False where the value is not what the key says it is.
  bool take(std::string_view key, std::string_view value) {
    if (key == "public_key") return begin_peer(value);
    return device_.peers.empty() ? take_for_device(key, value) : take_for_peer(key, value);
  }

  DeviceState finish() { return std::move(device_); }

 private:
  bool begin_peer(std::string_view value) {
    const auto key = key_bytes(value);
    if (key) device_.peers.push_back({.key = PublicKey(*key)});
    return key.has_value();
  }

  bool take_for_device(std::string_view key, std::string_view value) {
    if (key == "private_key") return take_private_key(value);
    if (key == "listen_port") {
      const auto port = number<std::uint16_t>(value);
      device_.listen_port = Port(port.value_or(0));
      return port.has_value();
    }
    if (key == "fwmark") {
      const auto mark = number<std::uint32_t>(value);
      device_.fwmark = mark.value_or(0);
      return mark.has_value();
    }
    return true;
  }

  bool take_private_key(std::string_view value) {
    auto bytes = key_bytes(value);
    if (!bytes) return false;
    if (!is_zero(*bytes)) device_.key = public_key_of(PrivateKey(*bytes));
    sodium_memzero(bytes->data(), bytes->size());
    return true;
  }

  bool take_for_peer(std::string_view key, std::string_view value) {
    PeerState& peer = device_.peers.back();
    if (key == "preshared_key") return take_preshared_key(peer, value);
    if (key == "endpoint") {
      peer.endpoint = value.substr(0, 64);
      return true;
    }
    if (key == "allowed_ip") {
      const auto network = prefix(value);
      if (network) peer.allowed_ips.push_back(*network);
      return network.has_value();
    }
    if (key == "last_handshake_time_sec") {
      // Beyond the year 9999 it is no time; 0 is "never".
      const auto seconds = number<std::int64_t>(value);
      if (!seconds || *seconds < 0 || *seconds > 253'402'300'799) return false;
      if (*seconds > 0) peer.last_handshake = Time(std::chrono::seconds(*seconds));
      return true;
    }
    if (key == "rx_bytes") return take_number(peer.received_bytes, value);
    if (key == "tx_bytes") return take_number(peer.sent_bytes, value);
    if (key == "persistent_keepalive_interval") return take_number(peer.keepalive_s, value);
    return true;
  }

  static bool take_preshared_key(PeerState& peer, std::string_view value) {
    auto bytes = key_bytes(value);
    if (!bytes) return false;
    if (!is_zero(*bytes)) peer.preshared_key.emplace(*bytes);
    sodium_memzero(bytes->data(), bytes->size());
    return true;
  }

  template <class T>
  static bool take_number(T& field, std::string_view value) {
    const auto parsed = number<T>(value);
    if (parsed) field = *parsed;
    return parsed.has_value();
  }

  DeviceState device_;
};

std::unexpected<Error> unreadable(const std::string& interface, std::string_view what) {
  return fail(ErrorCode::failed, "WireGuard interface " + interface,
              "its userspace process gave an answer that cannot be read: " + std::string(what));
}

// Calls take(key, value) for each line before "errno="; fails unless that says 0.
template <class Take>
Result<void> read_answer(const std::string& interface, std::string_view answer, const Take& take) {
  while (!answer.empty()) {
    const std::size_t end = answer.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = answer.substr(0, end);
    answer.remove_prefix(end + 1);
    const std::size_t equals = line.find('=');
    // The line itself may be a secret: only its key is told.
    if (equals == std::string_view::npos) return unreadable(interface, "a line without '='");
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (key == "errno") {
      const auto code = number<int>(value);
      if (!code || *code == std::numeric_limits<int>::min()) return unreadable(interface, "errno");
      if (*code == 0) return {};
      return errno_failure(std::abs(*code), "WireGuard interface " + interface,
                           "said by its userspace process");
    }
    if (!take(key, value))
      return unreadable(interface, "the value of " + std::string(key.substr(0, 40)));
  }
  return unreadable(interface, "it does not end with errno=");
}

}  // namespace

Result<DeviceState> parse_uapi_device(const std::string& interface, std::string_view answer) {
  Reader reader(interface);
  const auto done = read_answer(
      interface, answer,
      [&](std::string_view key, std::string_view value) { return reader.take(key, value); });
  if (!done) return std::unexpected(done.error());
  return reader.finish();
}

Result<void> parse_uapi_outcome(const std::string& interface, std::string_view answer) {
  return read_answer(interface, answer, [](std::string_view, std::string_view) { return false; });
}

SecretText uapi_set_key(const PrivateKey& key) {
  SecretText text;
  text.append("set=1\nprivate_key=");
  text.append_hex(key.reveal());
  text.append("\n\n");
  return text;
}

SecretText uapi_set_port(Port listen_port) {
  SecretText text;
  text.append("set=1\nlisten_port=" + std::to_string(listen_port.value()) + "\n\n");
  return text;
}

SecretText uapi_set_peers(std::span<const PublicKey> remove,
                          std::span<const PeerConfig* const> update) {
  SecretText text;
  text.append("set=1\n");
  for (const PublicKey& key : remove) {
    text.append("public_key=");
    text.append_hex(key.bytes());
    text.append("\nremove=true\n");
  }
  for (const PeerConfig* peer : update) {
    text.append("public_key=");
    text.append_hex(peer->key.bytes());
    text.append("\npreshared_key=");
    if (peer->preshared_key) {
      text.append_hex(peer->preshared_key->reveal());
    } else {
      text.append_hex(KeyBytes{});
    }
    text.append("\nreplace_allowed_ips=true\n");
    for (const Prefix& network : peer->allowed_ips) {
      text.append("allowed_ip=" + network.to_string() + "\n");
    }
  }
  text.append("\n");
  return text;
}

SecretText uapi_call_peers(std::span<const PeerState> peers) {
  SecretText text;
  text.append("set=1\n");
  for (const PeerState& peer : peers) {
    if (peer.endpoint.empty()) continue;
    for (const std::uint16_t seconds : calling_keepalives(peer)) {
      text.append("public_key=");
      text.append_hex(peer.key.bytes());
      text.append("\nupdate_only=true\npersistent_keepalive_interval=" + std::to_string(seconds) +
                  "\n");
    }
  }
  text.append("\n");
  return text;
}

}  // namespace sekisho::kernel

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/kernel/wireguard/secret_text.h"
#include "gateway/kernel/wireguard/state.h"
#include "policy/base/result.h"

// The text of WireGuard's cross-platform userspace interface
// (https://www.wireguard.com/xplatform/): lines of key=value, keys in hexadecimal, an empty line
// ends.
namespace sekisho::kernel {

// The answer to "get=1", up to and with its empty line. Unknown keys are passed over. An answer
// that carries an errno, or does not end with one, is an error.
Result<DeviceState> parse_uapi_device(const std::string& interface, std::string_view answer);

// The answer to "set=1".
Result<void> parse_uapi_outcome(const std::string& interface, std::string_view answer);

// "set=1" requests, with their empty line.
SecretText uapi_set_key(const PrivateKey& key);
SecretText uapi_set_port(Port listen_port);
SecretText uapi_set_peers(std::span<const PublicKey> remove,
                          std::span<const PeerConfig* const> update);
// Sends each peer that has an endpoint a keepalive at once; its setting is left as it was.
SecretText uapi_call_peers(std::span<const PeerState> peers);

}  // namespace sekisho::kernel

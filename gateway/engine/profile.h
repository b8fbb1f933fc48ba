#pragma once

#include <string>
#include <vector>

#include "policy/base/ip.h"
#include "policy/base/keys.h"
#include "policy/model/network.h"

namespace sekisho::engine {

// The WireGuard profile of a device, in the form of wg-quick(8): full tunnel, names by the gateway.
// It holds no private key, which stays on the device. `endpoint` is "address:port" as staff reach
// it.
std::string client_profile(const Network& network, const std::string& endpoint,
                           const std::vector<IpAddress>& device_addresses,
                           const PublicKey& gateway_key, const PresharedKey& preshared_key);

}  // namespace sekisho::engine

#include "gateway/engine/profile.h"

namespace sekisho::engine {

namespace {

std::string comma_separated(const std::vector<IpAddress>& addresses, bool with_length) {
  std::string text;
  for (const IpAddress& address : addresses) {
    if (!text.empty()) text += ", ";
    text += with_length ? Prefix::host(address).to_string() : address.to_string();
  }
  return text;
}

}  // namespace

std::string client_profile(const Network& network, const std::string& endpoint,
                           const std::vector<IpAddress>& device_addresses,
                           const PublicKey& gateway_key, const PresharedKey& preshared_key) {
  // Both default routes even where the tunnel carries one family: the other must not pass beside
  // it.
  return "[Interface]\n"
         "# Only this device has its private key. Set it here (PrivateKey = ...) or, after the "
         "tunnel is\n"
         "# up, with: wg set INTERFACE private-key FILE\n"
         "Address = " +
         comma_separated(device_addresses, true) +
         "\n"
         "DNS = " +
         comma_separated(network.gateway_addresses(), false) +
         "\n"
         "MTU = " +
         std::to_string(network.mtu) +
         "\n"
         "\n"
         "[Peer]\n"
         "PublicKey = " +
         gateway_key.to_string() +
         "\n"
         "PresharedKey = " +
         preshared_key.reveal_base64() +
         "\n"
         "AllowedIPs = 0.0.0.0/0, ::/0\n"
         "Endpoint = " +
         endpoint + "\n";
}

}  // namespace sekisho::engine

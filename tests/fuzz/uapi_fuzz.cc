#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/kernel/wireguard/peers_diff.h"
#include "gateway/kernel/wireguard/uapi_text.h"

// Whatever a userspace WireGuard answers is read or refused; and what was read, written as a
// request and read again, is the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sekisho::kernel;
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  auto device = parse_uapi_device("wg0", answer);
  (void)parse_uapi_outcome("wg0", answer);
  if (!device) return 0;

  std::vector<PeerConfig> peers;
  for (PeerState& peer : device->peers) {
    peers.push_back({peer.key, std::move(peer.preshared_key), std::move(peer.allowed_ips)});
  }
  std::vector<const PeerConfig*> update;
  for (const PeerConfig& peer : peers) update.push_back(&peer);
  const SecretText request = uapi_set_peers({}, update);
  std::string echo(request.view());
  echo.replace(echo.size() - 1, 1, "errno=0\n\n");
  const auto again = parse_uapi_device("wg0", echo);
  if (!again || again->peers.size() != peers.size()) std::abort();
  for (std::size_t index = 0; index < peers.size(); ++index) {
    const PeerState& peer = again->peers[index];
    const auto desired = std::span(peers).subspan(index, 1);
    if (!peers_diff(std::span(&peer, 1), desired).empty()) std::abort();
  }
  return 0;
}

#include "gateway/kernel/wireguard/kernel_backend.h"

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <utility>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/socket.h"
#include "gateway/kernel/wireguard/kernel_messages.h"
#include "gateway/keys/keys.h"

namespace sekisho::kernel {
namespace {

class KernelWireGuard final : public WireGuard {
 public:
  KernelWireGuard(std::string interface, Socket socket, std::uint16_t family)
      : interface_(std::move(interface)),
        what_("WireGuard interface " + interface_),
        socket_(std::move(socket)),
        family_(family) {}

  Result<void> configure(const PrivateKey& key, Port listen_port) override {
    const auto state = read();
    if (!state) return std::unexpected(state.error());
    if (state->key != public_key_of(key)) {
      Message message = wg_set_key(family_, interface_, key);
      if (auto done = socket_.request(message, what_ + ", private key"); !done) return done;
    }
    if (state->listen_port == listen_port) return {};
    Message message = wg_set_port(family_, interface_, listen_port);
    const std::string what = what_ + ", listen port " + std::to_string(listen_port.value());
    if (auto done = socket_.request(message, what); !done) return done;
    return send(wg_call_peers(family_, interface_, state->peers), "a call to the peers");
  }

  Result<DeviceState> read() override {
    Message message = wg_get_device(family_, interface_);
    DeviceReader reader;
    const auto done = socket_.dump(
        message, what_, [&] { reader.restart(); },
        [&](const nlmsghdr& reply) { return reader.take(reply); });
    if (!done) return std::unexpected(done.error());
    return reader.finish();
  }

  Result<void> change(std::span<const PublicKey> remove,
                      std::span<const PeerConfig* const> update) override {
    return send(wg_set_peers(family_, interface_, remove, update), "peers");
  }

 private:
  Result<void> send(std::vector<Message> messages, const std::string& about) {
    for (std::size_t index = 0; index < messages.size(); ++index) {
      std::string what = what_;
      what += ", " + about + ", message " + std::to_string(index + 1) + " of " +
              std::to_string(messages.size());
      if (auto done = socket_.request(messages[index], what); !done) return done;
    }
    return {};
  }

  std::string interface_;
  std::string what_;
  Socket socket_;
  std::uint16_t family_;
};

Result<std::uint16_t> wireguard_family(Socket& socket) {
  Message ask(GENL_ID_CTRL, 0);
  auto* header = ask.extra<genlmsghdr>();
  header->cmd = CTRL_CMD_GETFAMILY;
  header->version = 1;
  mnl_attr_put_strz(ask.header(), CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
  std::uint16_t family = 0;
  const auto done = socket.request(
      ask, "generic netlink family wireguard", [&](const nlmsghdr& reply) -> Result<void> {
        family = Attributes::of(reply, sizeof(genlmsghdr)).u16(CTRL_ATTR_FAMILY_ID).value_or(0);
        return {};
      });
  if (!done) return std::unexpected(done.error());
  return family;
}

}  // namespace

Result<std::unique_ptr<WireGuard>> open_kernel_wireguard(const std::string& interface) {
  auto socket = Socket::open(NETLINK_GENERIC);
  if (!socket) return std::unexpected(socket.error());
  const auto family = wireguard_family(*socket);
  if (!family) return std::unexpected(family.error());
  return std::make_unique<KernelWireGuard>(interface, std::move(*socket), *family);
}

}  // namespace sekisho::kernel

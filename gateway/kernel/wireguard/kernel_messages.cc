#include "gateway/kernel/wireguard/kernel_messages.h"

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <netinet/in.h>
#include <string.h>

#include <chrono>
#include <cstring>
#include <optional>

#include "gateway/kernel/netlink/attributes.h"

namespace sekisho::kernel {
namespace {

// A message whose list of peers just fits nlattr's 16-bit length.
constexpr std::size_t kMessageRoom = std::size_t{60} * 1024;
// What one allowed address and one peer without addresses take at most, with their nests.
constexpr std::size_t kAddressRoom = 48;
constexpr std::size_t kPeerRoom = 128;

Message command(std::uint16_t family, std::uint8_t number, const std::string& interface,
                std::size_t room) {
  Message message(family, 0, room);
  auto* header = message.extra<genlmsghdr>();
  header->cmd = number;
  header->version = WG_GENL_VERSION;
  mnl_attr_put_strz(message.header(), WGDEVICE_A_IFNAME, interface.c_str());
  return message;
}

void put(nlmsghdr* header, std::uint16_t type, std::span<const std::uint8_t> bytes) {
  mnl_attr_put(header, type, bytes.size(), bytes.data());
}

void put_address(nlmsghdr* header, const Prefix& network) {
  nlattr* nest = mnl_attr_nest_start(header, 0);
  mnl_attr_put_u16(header, WGALLOWEDIP_A_FAMILY,
                   network.family() == Family::v4 ? AF_INET : AF_INET6);
  put(header, WGALLOWEDIP_A_IPADDR, network.address().bytes());
  mnl_attr_put_u8(header, WGALLOWEDIP_A_CIDR_MASK, static_cast<std::uint8_t>(network.length()));
  mnl_attr_nest_end(header, nest);
}

// Writes peers into messages, beginning a new one where the last is full.
class PeerWriter {
 public:
  PeerWriter(std::uint16_t family, const std::string& interface)
      : family_(family), interface_(interface) {}

  void remove(const PublicKey& key) {
    begin_peer(key, WGPEER_F_REMOVE_ME);
    end_peer();
  }

  void update(const PeerConfig& peer) {
    begin_peer(peer.key, WGPEER_F_REPLACE_ALLOWEDIPS);
    static constexpr KeyBytes kNone{};
    put(header(), WGPEER_A_PRESHARED_KEY,
        peer.preshared_key ? peer.preshared_key->reveal() : kNone);
    nlattr* addresses = mnl_attr_nest_start(header(), WGPEER_A_ALLOWEDIPS);
    for (const Prefix& network : peer.allowed_ips) {
      if (messages_.back().room_left() < kAddressRoom) {
        mnl_attr_nest_end(header(), addresses);
        end_peer();
        end_message();
        begin_peer(peer.key, 0);
        addresses = mnl_attr_nest_start(header(), WGPEER_A_ALLOWEDIPS);
      }
      put_address(header(), network);
    }
    mnl_attr_nest_end(header(), addresses);
    end_peer();
  }

  void set_keepalive(const PublicKey& key, std::uint16_t seconds) {
    begin_peer(key, WGPEER_F_UPDATE_ONLY);
    mnl_attr_put_u16(header(), WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, seconds);
    end_peer();
  }

  std::vector<Message> finish() {
    end_message();
    return std::move(messages_);
  }

 private:
  nlmsghdr* header() { return messages_.back().header(); }

  void begin_peer(const PublicKey& key, std::uint32_t flags) {
    if (peers_ != nullptr && messages_.back().room_left() < kPeerRoom + kAddressRoom) end_message();
    if (peers_ == nullptr) {
      messages_.push_back(command(family_, WG_CMD_SET_DEVICE, interface_, kMessageRoom));
      peers_ = mnl_attr_nest_start(header(), WGDEVICE_A_PEERS);
    }
    peer_ = mnl_attr_nest_start(header(), 0);
    put(header(), WGPEER_A_PUBLIC_KEY, key.bytes());
    if (flags != 0) mnl_attr_put_u32(header(), WGPEER_A_FLAGS, flags);
  }

  void end_peer() { mnl_attr_nest_end(header(), peer_); }

  void end_message() {
    if (peers_ != nullptr) mnl_attr_nest_end(header(), peers_);
    peers_ = nullptr;
  }

  std::uint16_t family_;
  const std::string& interface_;
  std::vector<Message> messages_;
  nlattr* peers_ = nullptr;
  nlattr* peer_ = nullptr;
};

std::optional<KeyBytes> key_bytes(const Attributes& from, std::uint16_t type) {
  const auto value = from.find(type);
  if (!value || value->size() != kKeyBytes) return std::nullopt;
  KeyBytes bytes;
  std::memcpy(bytes.data(), value->data(), bytes.size());
  return bytes;
}

// A struct sockaddr_in or sockaddr_in6 as WireGuard's tools write it.
std::string endpoint_text(std::span<const std::uint8_t> bytes) {
  char text[INET6_ADDRSTRLEN];
  sa_family_t family = AF_UNSPEC;
  if (bytes.size() >= sizeof family) std::memcpy(&family, bytes.data(), sizeof family);
  if (family == AF_INET && bytes.size() >= sizeof(sockaddr_in)) {
    sockaddr_in address;
    std::memcpy(&address, bytes.data(), sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(address.sin_port));
  }
  if (family == AF_INET6 && bytes.size() >= sizeof(sockaddr_in6)) {
    sockaddr_in6 address;
    std::memcpy(&address, bytes.data(), sizeof address);
    ::inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(address.sin6_port));
  }
  return "";
}

std::optional<Prefix> read_address(const Attributes& from) {
  const auto family = from.u16(WGALLOWEDIP_A_FAMILY);
  const auto address = from.find(WGALLOWEDIP_A_IPADDR);
  const auto length = from.u8(WGALLOWEDIP_A_CIDR_MASK);
  if (!family || !address || !length) return std::nullopt;
  const std::size_t wanted = *family == AF_INET ? 4 : 16;
  if (address->size() != wanted || *length > 8 * wanted) return std::nullopt;
  return Prefix::covering(IpAddress::from_bytes(*address), *length);
}

// struct __kernel_timespec: seconds, nanoseconds.
std::optional<Time> read_time(const Attributes& from) {
  const auto value = from.find(WGPEER_A_LAST_HANDSHAKE_TIME);
  std::int64_t seconds = 0;
  if (value && value->size() >= sizeof seconds) {
    std::memcpy(&seconds, value->data(), sizeof seconds);
  }
  if (seconds <= 0) return std::nullopt;
  return Time(std::chrono::seconds(seconds));
}

void read_peer_values(const Attributes& from, PeerState& peer) {
  if (auto bytes = key_bytes(from, WGPEER_A_PRESHARED_KEY)) {
    if (*bytes != KeyBytes{}) peer.preshared_key.emplace(*bytes);
    explicit_bzero(bytes->data(), bytes->size());
  }
  if (const auto endpoint = from.find(WGPEER_A_ENDPOINT)) peer.endpoint = endpoint_text(*endpoint);
  peer.last_handshake = read_time(from);
  peer.received_bytes = from.u64(WGPEER_A_RX_BYTES).value_or(0);
  peer.sent_bytes = from.u64(WGPEER_A_TX_BYTES).value_or(0);
  peer.keepalive_s = from.u16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL).value_or(0);
}

std::unexpected<Error> unreadable(const DeviceState& device, std::string what) {
  return fail(ErrorCode::failed, "WireGuard interface " + device.interface,
              "the kernel gave " + std::move(what) + " that cannot be read");
}

}  // namespace

Message wg_get_device(std::uint16_t family, const std::string& interface) {
  return command(family, WG_CMD_GET_DEVICE, interface, Message::kDefaultRoom);
}

Message wg_set_key(std::uint16_t family, const std::string& interface, const PrivateKey& key) {
  Message message = command(family, WG_CMD_SET_DEVICE, interface, Message::kDefaultRoom);
  put(message.header(), WGDEVICE_A_PRIVATE_KEY, key.reveal());
  return message;
}

Message wg_set_port(std::uint16_t family, const std::string& interface, Port listen_port) {
  Message message = command(family, WG_CMD_SET_DEVICE, interface, Message::kDefaultRoom);
  mnl_attr_put_u16(message.header(), WGDEVICE_A_LISTEN_PORT, listen_port.value());
  return message;
}

std::vector<Message> wg_set_peers(std::uint16_t family, const std::string& interface,
                                  std::span<const PublicKey> remove,
                                  std::span<const PeerConfig* const> update) {
  PeerWriter writer(family, interface);
  for (const PublicKey& key : remove) writer.remove(key);
  for (const PeerConfig* peer : update) writer.update(*peer);
  return writer.finish();
}

std::vector<Message> wg_call_peers(std::uint16_t family, const std::string& interface,
                                   std::span<const PeerState> peers) {
  PeerWriter writer(family, interface);
  for (const PeerState& peer : peers) {
    if (peer.endpoint.empty()) continue;
    for (const std::uint16_t seconds : calling_keepalives(peer)) {
      writer.set_keepalive(peer.key, seconds);
    }
  }
  return writer.finish();
}

Result<void> DeviceReader::take(const nlmsghdr& message) {
  const Attributes device = Attributes::of(message, sizeof(genlmsghdr));
  if (const auto name = device.text(WGDEVICE_A_IFNAME)) device_.interface = *name;
  if (const auto key = key_bytes(device, WGDEVICE_A_PUBLIC_KEY)) device_.key = PublicKey(*key);
  if (const auto port = device.u16(WGDEVICE_A_LISTEN_PORT)) device_.listen_port = Port(*port);
  if (const auto mark = device.u32(WGDEVICE_A_FWMARK)) device_.fwmark = *mark;
  for (const Attributes::Item& item : device.nest(WGDEVICE_A_PEERS).items()) {
    const Attributes values(item.value);
    const auto key = key_bytes(values, WGPEER_A_PUBLIC_KEY);
    if (!key) return unreadable(device_, "a peer without a key");
    const bool goes_on = !device_.peers.empty() && device_.peers.back().key == PublicKey(*key);
    if (!goes_on) {
      device_.peers.push_back({.key = PublicKey(*key)});
      read_peer_values(values, device_.peers.back());
    }
    for (const Attributes::Item& each : values.nest(WGPEER_A_ALLOWEDIPS).items()) {
      const auto network = read_address(Attributes(each.value));
      if (!network) return unreadable(device_, "an allowed address");
      device_.peers.back().allowed_ips.push_back(*network);
    }
  }
  return {};
}

}  // namespace sekisho::kernel

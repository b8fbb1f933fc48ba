#include "gateway/kernel/wireguard/kernel_messages.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/reply.h"

namespace sekisho::kernel {
namespace {

using ::testing::ElementsAre;

// The messages below were not written by this project's code: each was packed field by field from
// linux/wireguard.h, attribute order as the kernel's wg_get_device_dump has it.
constexpr std::string_view kSet =
    "ec0000001c0001000000000000000000010100000800020077673000d00008803000008024000100"
    "11111111111111111111111111111111111111111111111111111111111111110800030001000000"
    "9c000080240001002222222222222222222222222222222222222222222222222222222222222222"
    "08000300020000002400020033333333333333333333333333333333333333333333333333333333"
    "33333333480009801c0000800600010002000000080002000a420002050003002000000028000080"
    "060001000a00000014000200fd6600000000000000000000000000020500030080000000";
constexpr std::string_view kFirstOfDump =
    "040200001c000200000000000000000000010000060006006cca0000080007002000000008000100"
    "07000000080002007767300024000300666666666666666666666666666666666666666666666666"
    "66666666666666662400040055555555555555555555555555555555555555555555555555555555"
    "5555555588010880bc00008024000100111111111111111111111111111111111111111111111111"
    "11111111111111112400020033333333333333333333333333333333333333333333333333333333"
    "3333333314000600803bb16a00000000050000000000000006000500190000000c000800de000000"
    "000000000c0007006f0000000000000008000a0001000000140004000200ca6cc000020700000000"
    "00000000200009801c0000800600010002000000080002000a4200020500030020000000c8000080"
    "24000100222222222222222222222222222222222222222222222222222222222222222224000200"
    "00000000000000000000000000000000000000000000000000000000000000001400060000000000"
    "00000000050000000000000006000500000000000c00080000000000000000000c00070000000000"
    "0000000008000a0001000000200004000a0011940000000020010db8000000000000000000000007"
    "00000000200009801c0000800600010002000000080002000a4200030500030020000000";
constexpr std::string_view kSecondOfDump =
    "1c0100001c0002000000000000000000000100000800020077673000000108807000008024000100"
    "22222222222222222222222222222222222222222222222222222222222222224800098028000080"
    "060001000a00000014000200fd66000000000000000000000000000305000300800000001c000080"
    "0600010002000000080002000a01000005000300100000008c000080240001004444444444444444"
    "44444444444444444444444444444444444444444444444424000200000000000000000000000000"
    "00000000000000000000000000000000000000001400060000000000000000000500000000000000"
    "06000500000000000c00080000000000000000000c000700000000000000000008000a0001000000"
    "04000980";

constexpr std::uint16_t kFamily = 0x1c;

PublicKey key(std::uint8_t value) {
  KeyBytes bytes;
  bytes.fill(value);
  return PublicKey(bytes);
}

PresharedKey preshared_key(std::uint8_t value) {
  return PresharedKey(key(value).bytes());
}

Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

std::vector<std::uint8_t> from_hex(std::string_view hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const std::string pair(hex.substr(at, 2));
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(pair, nullptr, 16)));
  }
  return bytes;
}

std::vector<std::uint8_t> bytes_of(const Message& message) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(message.header());
  return {begin, begin + message.header()->nlmsg_len};
}

Result<void> take(DeviceReader& reader, const std::vector<std::uint8_t>& bytes) {
  Result<void> done;
  for_each_message(bytes, [&](const nlmsghdr& message) { done = reader.take(message); });
  return done;
}

// What a peer message says, read with the generic attribute reader.
struct SentPeer {
  KeyBytes key;
  std::uint32_t flags;
  std::size_t addresses;
};

std::vector<SentPeer> sent_peers(const Message& message) {
  std::vector<SentPeer> peers;
  const Attributes device = Attributes::of(*message.header(), 4);
  for (const auto& item : device.nest(8).items()) {
    const Attributes peer(item.value);
    SentPeer sent{};
    std::ranges::copy(*peer.find(1), sent.key.begin());
    sent.flags = peer.u32(3).value_or(0);
    sent.addresses = peer.nest(9).items().size();
    peers.push_back(sent);
  }
  return peers;
}

TEST(KernelMessages, SetIsWhatLinuxWireguardHSays) {
  PeerConfig peer{.key = key(0x22), .preshared_key = preshared_key(0x33)};
  peer.allowed_ips = {prefix("10.66.0.2/32"), prefix("fd66::2/128")};
  const PublicKey remove[] = {key(0x11)};
  const PeerConfig* const update[] = {&peer};
  const auto messages = wg_set_peers(kFamily, "wg0", remove, update);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(bytes_of(messages[0]), from_hex(kSet));
}

TEST(KernelMessages, NothingToSetIsNoMessage) {
  EXPECT_TRUE(wg_set_peers(kFamily, "wg0", {}, {}).empty());
}

TEST(KernelMessages, ManyPeersAreSplitBetweenPeersInAsFewMessagesAsFit) {
  std::vector<PeerConfig> peers(10'000);
  std::vector<const PeerConfig*> update;
  for (std::size_t index = 0; index < peers.size(); ++index) {
    KeyBytes bytes{};
    bytes[0] = static_cast<std::uint8_t>(index);
    bytes[1] = static_cast<std::uint8_t>(index >> 8);
    bytes[2] = 1;
    peers[index].key = PublicKey(bytes);
    peers[index].allowed_ips = {prefix("10.66.0.2/32"), prefix("fd66::2/128")};
    update.push_back(&peers[index]);
  }
  const auto messages = wg_set_peers(kFamily, "wg0", {}, update);
  std::size_t seen = 0;
  std::size_t total = 0;
  for (const Message& message : messages) {
    EXPECT_LT(message.header()->nlmsg_len, 65'000u);
    total += message.header()->nlmsg_len;
    EXPECT_EQ(Attributes::of(*message.header(), 4).text(2), "wg0");
    EXPECT_FALSE(Attributes::of(*message.header(), 4).has(5)) << "no device flags, ever";
    for (const SentPeer& peer : sent_peers(message)) {
      EXPECT_EQ(peer.key, peers[seen++].key.bytes());
      EXPECT_EQ(peer.flags, 2u) << "replace this peer's allowed addresses";
      EXPECT_EQ(peer.addresses, 2u);
    }
  }
  EXPECT_EQ(seen, peers.size());
  EXPECT_LE(messages.size(), total / 60'000 + 1);
}

TEST(KernelMessages, APeerThatDoesNotFitGoesOnWithoutTheReplaceFlag) {
  const PeerConfig small{.key = key(1), .allowed_ips = {prefix("10.0.0.1/32")}};
  PeerConfig large{.key = key(2)};
  for (int index = 0; index < 5'000; ++index) {
    const std::uint8_t bytes[] = {10, 1, static_cast<std::uint8_t>(index >> 8),
                                  static_cast<std::uint8_t>(index)};
    large.allowed_ips.push_back(Prefix::host(IpAddress::from_bytes(bytes)));
  }
  const PeerConfig* const update[] = {&small, &large, &small};
  const auto messages = wg_set_peers(kFamily, "wg0", {}, update);
  ASSERT_GT(messages.size(), 2u);
  std::size_t addresses = 0;
  int replacing = 0;
  for (const Message& message : messages) {
    EXPECT_LT(message.header()->nlmsg_len, 65'000u);
    for (const SentPeer& peer : sent_peers(message)) {
      if (peer.key != key(2).bytes()) continue;
      addresses += peer.addresses;
      replacing += peer.flags == 2;
    }
  }
  EXPECT_EQ(addresses, 5'000u);
  EXPECT_EQ(replacing, 1);
  EXPECT_EQ(sent_peers(messages.back()).back().key, key(1).bytes());
}

TEST(KernelMessages, DumpSplitInTheMiddleOfAPeerIsPutTogether) {
  DeviceReader reader;
  ASSERT_TRUE(take(reader, from_hex(kFirstOfDump)));
  ASSERT_TRUE(take(reader, from_hex(kSecondOfDump)));
  const DeviceState device = reader.finish();
  EXPECT_EQ(device.interface, "wg0");
  EXPECT_EQ(device.key, key(0x55));
  EXPECT_EQ(device.listen_port, Port(51820));
  EXPECT_EQ(device.fwmark, 0x20u);
  ASSERT_EQ(device.peers.size(), 3u);
  const PeerState& first = device.peers[0];
  EXPECT_EQ(first.key, key(0x11));
  EXPECT_EQ(first.preshared_key->reveal(), key(0x33).bytes());
  EXPECT_EQ(first.endpoint, "192.0.2.7:51820");
  EXPECT_EQ(first.keepalive_s, 25);
  EXPECT_EQ(first.last_handshake, Time(std::chrono::seconds(1790000000)));
  EXPECT_EQ(first.received_bytes, 111u);
  EXPECT_EQ(first.sent_bytes, 222u);
  EXPECT_THAT(first.allowed_ips, ElementsAre(prefix("10.66.0.2/32")));
  const PeerState& second = device.peers[1];
  EXPECT_EQ(second.endpoint, "[2001:db8::7]:4500");
  EXPECT_FALSE(second.preshared_key);
  EXPECT_FALSE(second.last_handshake);
  EXPECT_THAT(second.allowed_ips,
              ElementsAre(prefix("10.66.0.3/32"), prefix("fd66::3/128"), prefix("10.1.0.0/16")));
  EXPECT_EQ(device.peers[2].key, key(0x44));
  EXPECT_TRUE(device.peers[2].allowed_ips.empty());
  EXPECT_EQ(device.peers[2].endpoint, "");
}

TEST(KernelMessages, RestartForgets) {
  DeviceReader reader;
  ASSERT_TRUE(take(reader, from_hex(kFirstOfDump)));
  reader.restart();
  ASSERT_TRUE(take(reader, from_hex(kSecondOfDump)));
  EXPECT_EQ(reader.finish().peers.size(), 2u);
}

TEST(KernelMessages, CallsWhoeverWasHeardOfAndLeavesTheKeepaliveAsItWas) {
  const PeerState peers[] = {{.key = key(1), .endpoint = "192.0.2.2:40000"},
                             {.key = key(2)},
                             {.key = key(3), .endpoint = "192.0.2.3:40000", .keepalive_s = 25}};
  const auto messages = wg_call_peers(kFamily, "wg0", peers);
  ASSERT_EQ(messages.size(), 1u);
  std::vector<std::string> said;
  for (const auto& item : Attributes::of(*messages[0].header(), 4).nest(8).items()) {
    const Attributes peer(item.value);
    EXPECT_EQ(peer.u32(3), 4u) << "a peer that has gone meanwhile is not made";
    said.push_back(std::to_string(peer.find(1)->front()) + " " + std::to_string(*peer.u16(5)));
  }
  EXPECT_THAT(said, ElementsAre("1 1", "1 0", "3 0", "3 25"));
  EXPECT_TRUE(wg_call_peers(kFamily, "wg0", {}).empty());
}

TEST(KernelMessages, EveryCutOfADumpIsReadOrRefusedWithoutHarm) {
  const std::vector<std::uint8_t> whole = from_hex(kFirstOfDump);
  for (std::uint32_t length = 20; length < whole.size(); ++length) {
    std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + length);
    std::memcpy(cut.data(), &length, sizeof length);
    DeviceReader reader;
    (void)take(reader, cut);
  }
}

TEST(KernelMessages, AnAllowedAddressOfImpossibleLengthIsRefused) {
  std::vector<std::uint8_t> bytes = from_hex(kFirstOfDump);
  // WGALLOWEDIP_A_CIDR_MASK of the first peer: the value behind 05 00 03 00.
  const std::uint8_t mask[] = {5, 0, 3, 0, 32};
  const auto found = std::ranges::search(bytes, mask);
  ASSERT_FALSE(found.empty());
  found.back() = 33;
  DeviceReader reader;
  const auto done = take(reader, bytes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().object, "WireGuard interface wg0");
}

TEST(KernelMessages, KeyAndPortGoAlone) {
  const Message port = wg_set_port(kFamily, "wg0", Port(51820));
  EXPECT_EQ(Attributes::of(*port.header(), 4).u16(6), 51820);
  EXPECT_FALSE(Attributes::of(*port.header(), 4).has(5));
  const Message secret = wg_set_key(kFamily, "wg0", PrivateKey(key(9).bytes()));
  EXPECT_EQ(Attributes::of(*secret.header(), 4).find(3)->front(), 9);
  EXPECT_FALSE(Attributes::of(*secret.header(), 4).has(8));
}

}  // namespace
}  // namespace sekisho::kernel

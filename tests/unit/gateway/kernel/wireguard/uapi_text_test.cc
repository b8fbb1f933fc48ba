#include "gateway/kernel/wireguard/uapi_text.h"

#include <gmock/gmock.h>

#include <string>

#include "gateway/keys/keys.h"

namespace sekisho::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string k11 = "1111111111111111111111111111111111111111111111111111111111111111";
const std::string k22 = "2222222222222222222222222222222222222222222222222222222222222222";
const std::string kZero(64, '0');

KeyBytes filled(std::uint8_t value) {
  KeyBytes bytes;
  bytes.fill(value);
  return bytes;
}

Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

TEST(UapiText, ReadsADevice) {
  const std::string answer =
      "private_key=" + k11 + "\nlisten_port=51820\nfwmark=32\npublic_key=" + k11 +
      "\npreshared_key=" + k22 +
      "\nprotocol_version=1\nendpoint=192.0.2.7:40000\nlast_handshake_time_sec=1790000000\n"
      "last_handshake_time_nsec=5\ntx_bytes=222\nrx_bytes=111\npersistent_keepalive_interval=25\n"
      "allowed_ip=10.66.0.2/32\nallowed_ip=fd66::2/128\npublic_key=" +
      k22 + "\npreshared_key=" + kZero +
      "\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\nsome_future_key=x\nerrno=0\n\n";
  const auto device = parse_uapi_device("wg0", answer);
  ASSERT_TRUE(device) << to_string(device.error());
  EXPECT_EQ(device->interface, "wg0");
  EXPECT_EQ(device->key, public_key_of(PrivateKey(filled(0x11))));
  EXPECT_EQ(device->listen_port, Port(51820));
  EXPECT_EQ(device->fwmark, 32u);
  ASSERT_EQ(device->peers.size(), 2u);
  const PeerState& first = device->peers[0];
  EXPECT_EQ(first.key, PublicKey(filled(0x11)));
  EXPECT_EQ(first.preshared_key->reveal(), filled(0x22));
  EXPECT_EQ(first.endpoint, "192.0.2.7:40000");
  EXPECT_EQ(first.last_handshake, Time(std::chrono::seconds(1790000000)));
  EXPECT_EQ(first.received_bytes, 111u);
  EXPECT_EQ(first.sent_bytes, 222u);
  EXPECT_EQ(first.keepalive_s, 25);
  EXPECT_THAT(first.allowed_ips, ElementsAre(prefix("10.66.0.2/32"), prefix("fd66::2/128")));
  EXPECT_FALSE(device->peers[1].preshared_key);
  EXPECT_FALSE(device->peers[1].last_handshake);
}

TEST(UapiText, ADeviceWithoutAKeyHasNone) {
  const auto device = parse_uapi_device("wg0", "private_key=" + kZero + "\nerrno=0\n\n");
  ASSERT_TRUE(device);
  EXPECT_EQ(device->key, PublicKey());
  EXPECT_EQ(device->listen_port, Port());
}

TEST(UapiText, RefusesWhatIsNoAnswer) {
  for (const std::string& answer :
       {std::string(), std::string("\n"), std::string("errno=0"), std::string("errno=x\n\n"),
        std::string("errno=-2147483648\n\n"), std::string("public_key=12\nerrno=0\n\n"),
        "public_key=" + k11 + "ff\nerrno=0\n\n", std::string("listen_port=65536\nerrno=0\n\n"),
        std::string("listen_port=1 \nerrno=0\n\n"), "public_key=" + k11 + "\n",
        "public_key=" + k11 + "\nallowed_ip=10.0.0.0/33\nerrno=0\n\n",
        "public_key=" + k11 + "\nallowed_ip=10.0.0.0\nerrno=0\n\n",
        "public_key=" + k11 + "\nlast_handshake_time_sec=-1\nerrno=0\n\n",
        "public_key=" + k11 + "\nlast_handshake_time_sec=999999999999999\nerrno=0\n\n"}) {
    EXPECT_FALSE(parse_uapi_device("wg0", answer)) << answer;
  }
}

TEST(UapiText, AnErrnoIsTheError) {
  const auto device = parse_uapi_device("wg0", "errno=-98\n\n");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().object, "WireGuard interface wg0");
  EXPECT_THAT(device.error().cause, HasSubstr("EADDRINUSE"));
  EXPECT_TRUE(parse_uapi_outcome("wg0", "errno=0\n\n"));
  EXPECT_FALSE(parse_uapi_outcome("wg0", "errno=22\n\n"));
  EXPECT_FALSE(parse_uapi_outcome("wg0", ""));
}

TEST(UapiText, ErrorsNeverCarryAValue) {
  const auto device = parse_uapi_device("wg0", "private_key=5ec2e7\nerrno=0\n\n");
  ASSERT_FALSE(device);
  EXPECT_THAT(to_string(device.error()), Not(HasSubstr("5ec2e7")));
  EXPECT_THAT(to_string(device.error()), HasSubstr("private_key"));
  const auto line = parse_uapi_device("wg0", "5ec2e7\n\n");
  ASSERT_FALSE(line);
  EXPECT_THAT(to_string(line.error()), Not(HasSubstr("5ec2e7")));
}

TEST(UapiText, WritesRemovalsThenUpdatesAndNeverReplacesThePeers) {
  PeerConfig with_key{.key = PublicKey(filled(0x22)), .preshared_key = PresharedKey(filled(0x11))};
  with_key.allowed_ips = {prefix("10.66.0.2/32"), prefix("fd66::2/128")};
  const PeerConfig bare{.key = PublicKey(filled(0x33))};
  const PublicKey remove[] = {PublicKey(filled(0x11))};
  const PeerConfig* const update[] = {&with_key, &bare};
  EXPECT_EQ(
      uapi_set_peers(remove, update).view(),
      "set=1\npublic_key=" + k11 + "\nremove=true\npublic_key=" + k22 + "\npreshared_key=" + k11 +
          "\nreplace_allowed_ips=true\nallowed_ip=10.66.0.2/32\nallowed_ip=fd66::2/128\n"
          "public_key=" +
          std::string(64, '3') + "\npreshared_key=" + kZero + "\nreplace_allowed_ips=true\n\n");
}

TEST(UapiText, WritesKeyAndPort) {
  EXPECT_EQ(uapi_set_key(PrivateKey(filled(0x22))).view(), "set=1\nprivate_key=" + k22 + "\n\n");
  EXPECT_EQ(uapi_set_port(Port(51820)).view(), "set=1\nlisten_port=51820\n\n");
}

TEST(UapiText, CallsWhoeverWasHeardOfAndLeavesTheKeepaliveAsItWas) {
  const PeerState peers[] = {
      {.key = PublicKey(filled(0x22)), .endpoint = "192.0.2.2:40000"},
      {.key = PublicKey(filled(0x33))},
      {.key = PublicKey(filled(0x22)), .endpoint = "192.0.2.2:40000", .keepalive_s = 25}};
  const std::string interval =
      "public_key=" + k22 + "\nupdate_only=true\npersistent_keepalive_interval=";
  EXPECT_EQ(uapi_call_peers(peers).view(), "set=1\n" + interval + "1\n" + interval + "0\n" +
                                               interval + "0\n" + interval + "25\n\n");
}

TEST(SecretText, GrowsAndKeepsItsText) {
  SecretText text;
  std::string expected;
  for (int index = 0; index < 1000; ++index) {
    text.append(std::to_string(index));
    expected += std::to_string(index);
  }
  EXPECT_EQ(text.view(), expected);
  const SecretText moved = std::move(text);
  EXPECT_EQ(moved.view(), expected);
}

}  // namespace
}  // namespace sekisho::kernel

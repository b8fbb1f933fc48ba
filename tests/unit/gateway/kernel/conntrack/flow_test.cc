#include "gateway/kernel/conntrack/flow.h"

#include <gmock/gmock.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>

#include "gateway/kernel/netlink/attributes.h"
#include "gateway/kernel/netlink/reply.h"

namespace sekisho::kernel {
namespace {

std::vector<std::uint8_t> from_hex(std::string_view hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

// Entries as a 6.18 kernel sent them in answer to a dump.
constexpr std::string_view kTcp4 =
    "280100000001020007000000481d0000020000003400018014000180080001000a42000208000200"
    "c63364021c0002800500010006000000060002009c4000000600030001bb00003400028014000180"
    "08000100c633640208000200c63364011c00028005000100060000000600020001bb000006000300"
    "040000000800030000000008080008000010001508000c0077c9340808000b000000000108000700"
    "00000257300004802c00018005000100030000000500020000000000050003000000000006000400"
    "0a000000060005000a0000001c0009800c00010000000000000000000c0002000000000000000000"
    "1c000a800c00010000000000000000000c00020000000000000000001c0018800800010000000000"
    "08000200000000000800030000000000";
constexpr std::string_view kUdp6 =
    "0c0100000001020007000000564200000a0000004c0001802c00018014000300fd66000000000000"
    "00000000000000021400040020010db80000000000000000000000021c0002800500010011000000"
    "060002009c4000000600030001bb00004c0002802c0001801400030020010db80000000000000000"
    "0000000214000400fd6600000000000000000000000000021c000280050001001100000006000200"
    "01bb0000060003009c4000000800030000000008080008000010002308000c00f320bfa308000b00"
    "00000001080007000000001d1c0009800c00010000000000000000010c0002000000000000000035"
    "1c000a800c00010000000000000000000c0002000000000000000000";

std::optional<Flow> read(const std::vector<std::uint8_t>& bytes) {
  std::optional<Flow> flow;
  for_each_message(bytes, [&](const nlmsghdr& message) { flow = read_flow(message); });
  return flow;
}

TEST(Flow, ReadsATranslatedTcpFlow) {
  const auto flow = read(from_hex(kTcp4));
  ASSERT_TRUE(flow);
  EXPECT_EQ(to_string(flow->original), "6 10.66.0.2:40000 -> 198.51.100.2:443");
  EXPECT_EQ(to_string(flow->reply), "6 198.51.100.2:443 -> 198.51.100.1:1024");
  EXPECT_EQ(flow->mark, 0x100015u);
}

TEST(Flow, ReadsIPv6) {
  const auto flow = read(from_hex(kUdp6));
  ASSERT_TRUE(flow);
  EXPECT_EQ(to_string(flow->original), "17 [fd66::2]:40000 -> [2001:db8::2]:443");
  EXPECT_EQ(flow->sent.packets, 1u);
  EXPECT_EQ(flow->sent.bytes, 53u);
  EXPECT_EQ(flow->answered.packets, 0u);
}

// TCP whose entry lingers on is no connection any more.
TEST(Flow, KnowsWhichTcpHasEnded) {
  constexpr std::string_view kState = "0500010003000000";  // CTA_PROTOINFO_TCP_STATE: established
  const std::size_t at = kTcp4.find(kState);
  ASSERT_NE(at, std::string_view::npos);
  const auto ended = [&](char state) {
    std::string hex(kTcp4);
    hex[at + 9] = state;
    return read(from_hex(hex))->has_ended;
  };
  for (const char live : {'1', '2', '3', '4', '5'}) EXPECT_FALSE(ended(live)) << live;
  for (const char over : {'6', '7', '8'}) EXPECT_TRUE(ended(over)) << over;
  EXPECT_FALSE(read(from_hex(kUdp6))->has_ended);
}

TEST(Flow, EveryCutIsReadOrRefusedWithoutHarm) {
  const auto whole = from_hex(kTcp4);
  for (std::uint32_t length = 20; length < whole.size(); ++length) {
    std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + length);
    std::memcpy(cut.data(), &length, sizeof length);
    (void)read(cut);
  }
}

TEST(Flow, RequestsNameTheFlowAsItWasRead) {
  const auto bytes = from_hex(kTcp4);
  const auto flow = read(bytes);
  ASSERT_TRUE(flow);
  Batch batch;
  put_mark(batch, *flow, 0x200017, 3);
  put_removal(batch, *flow);
  ASSERT_EQ(batch.size(), 2u);
  const Attributes dumped =
      Attributes::of(*reinterpret_cast<const nlmsghdr*>(bytes.data()), sizeof(nfgenmsg));
  const Attributes update = Attributes::of(*batch.message(0), sizeof(nfgenmsg));
  const Attributes removal = Attributes::of(*batch.message(1), sizeof(nfgenmsg));
  for (const Attributes* request : {&update, &removal}) {
    EXPECT_TRUE(std::ranges::equal(*request->find(1), *dumped.find(1))) << "CTA_TUPLE_ORIG";
    EXPECT_TRUE(std::ranges::equal(*request->find(12), *dumped.find(12))) << "CTA_ID";
  }
  EXPECT_EQ(update.be32(8), 0x200014u) << "CTA_MARK without what is kept";
  EXPECT_EQ(update.be32(21), 0xfffffffcu) << "CTA_MARK_MASK";
  EXPECT_FALSE(removal.has(8));
}

TEST(Flow, OtherMessagesAreNoFlow) {
  Message message(2, 0);
  EXPECT_FALSE(read_flow(*message.header()));
  EXPECT_EQ(read_mark(*message.header()), 0u);
}

}  // namespace
}  // namespace sekisho::kernel

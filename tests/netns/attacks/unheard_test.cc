// What passes for the right first bytes, but the server never takes it: then something else
// follows.
#include <utility>

#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class Unheard : public Attack {};
SEKISHO_BOTH_FAMILIES(Unheard);

const std::string kNop(1, '\x01');
// RFC 2385, with a signature that no server expects.
const std::string kMd5 = std::string("\x13\x12", 2) + std::string(16, 'm') + kNop + kNop;
// RFC 7323: a timestamp that is far behind.
const std::string kStale =
    kNop + kNop + std::string("\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x01", 10);

// In a SYN the server may not take data, and if it does, nobody looked at it.
bool data_in_a_syn(Scene scene) {
  Packet syn = scene.syn(scene.laptop(), scene.server(), 443);
  syn.payload = kHttp;
  return scene.leaves(syn);
}

TEST_P(Unheard, DataInASyn) {
  EXPECT_FALSE(data_in_a_syn(Scene(GetParam())));
  EXPECT_TRUE(data_in_a_syn(Scene(GetParam(), {without("first_packet", "data in a SYN")})));
}

// Plain HTTP after a hello that `change` made worthless to the server.
bool http_after(Scene scene, const std::function<std::string(Packet)>& change,
                std::uint16_t port = 443) {
  Talk talk(scene, port);
  scene.send(Wire::wg0, change(talk.from_client(port == 443 ? kTlsHello : kSshHello)));
  return talk.client(kHttp);
}

TEST_P(Unheard, AHelloWithASignatureOption) {
  const auto signed_hello = [](Packet hello) {
    hello.tcp_options = kMd5;
    return to_bytes(hello);
  };
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{443, 22}) {
    EXPECT_FALSE(http_after(Scene(GetParam()), signed_hello, port));
    EXPECT_TRUE(http_after(
        Scene(GetParam(), {without(port == 443 ? "check_tls" : "check_ssh", "an option by which")}),
        signed_hello, port));
  }
}

// What conntrack itself holds back, because the product tells it to (kernel::conntrack_settings).
bool http_after_with_setting(Family family, const std::string& setting,
                             const std::function<std::string(Packet)>& change) {
  Scene scene(family);
  if (!setting.empty()) scene.rules.at_gateway("sysctl -qw net.netfilter." + setting);
  return http_after(std::move(scene), change);
}

TEST_P(Unheard, AHelloWithABadChecksum) {
  const auto broken = [](const Packet& hello) {
    std::string bytes = to_bytes(hello);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    return bytes;
  };
  EXPECT_FALSE(http_after_with_setting(GetParam(), "", broken));
  EXPECT_TRUE(http_after_with_setting(GetParam(), "nf_conntrack_checksum=0", broken));
}

TEST_P(Unheard, AHelloFarAheadOfTheWindow) {
  const auto far_ahead = [](Packet hello) {
    hello.sequence += 0x10000000;
    return to_bytes(hello);
  };
  EXPECT_FALSE(http_after_with_setting(GetParam(), "", far_ahead));
  EXPECT_TRUE(http_after_with_setting(GetParam(), "nf_conntrack_tcp_be_liberal=1", far_ahead));
}

// These conntrack lets pass: what follows is bounded, and the answer is refused.
constexpr int kMost = 64;

struct Bought {
  int packets = 0;
  bool answered = false;
};

Bought bought_by(Scene scene, const std::function<void(Packet&)>& change) {
  Talk talk(scene);
  Packet hello = talk.from_client(kTlsHello);
  change(hello);
  EXPECT_TRUE(talk.client(hello));
  Bought bought;
  for (int i = 0; i < 2 * kMost; ++i) bought.packets += talk.client(kHttp);
  bought.answered = talk.server(kHttpAnswer);
  return bought;
}

TEST_P(Unheard, OtherHellosBuyLittleAndOneWay) {
  const std::vector<Weakening> open{without("half_checked", "64 packets"),
                                    without("check_tls_reply", "payload, and no TLS handshake")};
  const std::vector<std::function<void(Packet&)>> changes{
      [](Packet& hello) { hello.tcp_options = kStale; },  // once timestamps were agreed on
      [](Packet& hello) { hello.sequence -= 5; },         // before the window: half of it was there
      [](Packet&) {},                                     // to a server that never speaks
  };
  for (const auto& change : changes) {
    const Bought kept = bought_by(Scene(GetParam()), change);
    EXPECT_GT(kept.packets, 0) << "some pass, by design";
    EXPECT_LT(kept.packets, kMost);
    EXPECT_FALSE(kept.answered);
    const Bought opened = bought_by(Scene(GetParam(), open), change);
    EXPECT_EQ(opened.packets, 2 * kMost);
    EXPECT_TRUE(opened.answered);
  }
}

// The bound counts packets, so conntrack must.
TEST_P(Unheard, TheBoundNeedsAccounting) {
  Scene scene(GetParam());
  scene.rules.at_gateway("sysctl -qw net.netfilter.nf_conntrack_acct=0");
  EXPECT_EQ(bought_by(std::move(scene), [](Packet&) {}).packets, 2 * kMost);
}

// Shapes in which data might get past a look at the first bytes.
using Shape = std::function<std::vector<std::string>(const Talk&)>;

bool passes_in_shape(Scene scene, const Shape& shape) {
  const Talk talk(scene);
  bool passed = false;
  for (const std::string& piece : shape(talk)) passed |= scene.leaves(piece);
  return passed;
}

TEST_P(Unheard, HttpInOddShapes) {
  const std::vector<std::pair<const char*, Shape>> shapes{
      {"urgent",
       [](const Talk& talk) {
         return std::vector{to_bytes(talk.from_client(kHttp, kAck | kUrg))};
       }},
      {"with the end",
       [](const Talk& talk) {
         return std::vector{to_bytes(talk.from_client(kHttp, kAck | kFin))};
       }},
      {"in fragments",
       [](const Talk& talk) { return netns::in_fragments(talk.from_client(kHttp)); }},
      {"with IP options",
       [](const Talk& talk) { return std::vector{netns::with_options(talk.from_client(kHttp))}; }},
  };
  for (const auto& [name, shape] : shapes) {
    EXPECT_FALSE(passes_in_shape(Scene(GetParam()), shape)) << name;
    EXPECT_TRUE(passes_in_shape(
        Scene(GetParam(), {without("check_tls", "payload, and no TLS handshake")}), shape))
        << name;
  }
}

}  // namespace
}  // namespace sekisho::attacks

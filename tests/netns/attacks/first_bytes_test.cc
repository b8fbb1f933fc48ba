// Only what opens as TLS or SSH leaves, both sides.
#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class FirstBytes : public Attack {};
SEKISHO_BOTH_FAMILIES(FirstBytes);

// Pieces sent one by one, each after the one before arrived; how many bytes came.
std::size_t bytes_that_arrive(const Scene& scene, std::uint16_t port,
                              const std::vector<std::string>& pieces) {
  Peer listener = scene.listen(port);
  Peer client = scene.dial(port);
  Peer served = listener.accept();
  EXPECT_TRUE(served.good());
  std::size_t bytes = 0;
  for (const std::string& piece : pieces) {
    client.send(piece);
    const std::string arrived = served.receive();
    if (arrived.empty()) break;
    bytes += arrived.size();
  }
  return bytes;
}

std::vector<std::string> one_by_one(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char each : text) pieces.emplace_back(1, each);
  return pieces;
}

TEST_P(FirstBytes, HttpAndSshWhereTlsIsGranted) {
  const Scene kept(GetParam());
  const Scene open(GetParam(), {without("check_tls", "payload, and no TLS handshake")});
  for (const std::string& other :
       {kHttp, kSshHello, std::string("\x15\x03\x03\x00\x02\x01\x00", 7)}) {
    EXPECT_EQ(bytes_that_arrive(kept, 443, {other}), 0U);
    EXPECT_EQ(bytes_that_arrive(open, 443, {other}), other.size());
  }
}

TEST_P(FirstBytes, PlainTextAndTlsWhereSshIsGranted) {
  const Scene kept(GetParam());
  const Scene open(GetParam(), {without("check_ssh", "payload, and not S")});
  for (const std::string& other : {kHttp, kTlsHello}) {
    EXPECT_EQ(bytes_that_arrive(kept, 22, {other}), 0U);
    EXPECT_EQ(bytes_that_arrive(open, 22, {other}), other.size());
  }
}

// One byte says too little to refuse it; the second settles it.
TEST_P(FirstBytes, OneAtATime) {
  const Scene kept(GetParam());
  const Scene open(GetParam(), {without("check_tls", "payload, and no TLS handshake"),
                                without("check_ssh", "payload, and not S")});
  EXPECT_EQ(bytes_that_arrive(kept, 443, one_by_one(kHttp)), 0U);
  EXPECT_EQ(bytes_that_arrive(open, 443, one_by_one(kHttp)), kHttp.size());
  EXPECT_EQ(bytes_that_arrive(kept, 443, {"\x16", kHttp}), 1U);
  EXPECT_EQ(bytes_that_arrive(open, 443, {"\x16", kHttp}), 1 + kHttp.size());
  EXPECT_LE(bytes_that_arrive(kept, 22, {"S", kHttp}), 1U);
  EXPECT_EQ(bytes_that_arrive(open, 22, {"S", kHttp}), 1 + kHttp.size());
}

// After a TLS header a server that never speaks: an upload of anything, one way.
bool uploads_to_a_silent_server(Scene scene, bool accounting) {
  if (!accounting) scene.at_gateway("sysctl -qw net.netfilter.nf_conntrack_acct=0");
  constexpr std::size_t kPieces = 120;
  std::vector<std::string> pieces(kPieces, kHttp);
  pieces.insert(pieces.begin(), kTlsHello);
  const std::size_t bytes = bytes_that_arrive(scene, 443, pieces);
  EXPECT_GT(bytes, kTlsHello.size()) << "some pass, by design";
  return bytes > kTlsHello.size() + 64 * kHttp.size();
}

TEST_P(FirstBytes, ASilentServerGetsLittle) {
  EXPECT_FALSE(uploads_to_a_silent_server(Scene(GetParam()), true));
  EXPECT_TRUE(uploads_to_a_silent_server(Scene(GetParam()), false));
  EXPECT_TRUE(uploads_to_a_silent_server(
      Scene(GetParam(),
            {without("half_checked", "64 packets"), without("check_tls_reply", "64 packets")}),
      true));
}

// What the server says of its own accord, to a client that is silent or lied.
bool server_says(const Scene& scene, std::uint16_t port, const std::string& client_bytes,
                 const std::string& server_bytes) {
  Peer listener = scene.listen(port);
  Peer client = scene.dial(port);
  Peer served = listener.accept();
  if (!client_bytes.empty()) {
    client.send(client_bytes);
    EXPECT_EQ(served.receive(), client_bytes);
  }
  served.send(server_bytes);
  return !client.receive().empty();
}

TEST_P(FirstBytes, AServerThatSaysSomethingElse) {
  const Scene kept(GetParam());
  const Scene open(GetParam(), {without("check_ssh_reply", "payload, and not S"),
                                without("check_tls_reply", "payload, and no TLS handshake")});
  const std::string http_answer = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_FALSE(server_says(kept, 22, "", "220 ready\r\n"));
  EXPECT_TRUE(server_says(open, 22, "", "220 ready\r\n"));
  EXPECT_FALSE(server_says(kept, 22, "SSH-2.0-x\r\n", http_answer));
  EXPECT_TRUE(server_says(open, 22, "SSH-2.0-x\r\n", http_answer));
  EXPECT_FALSE(server_says(kept, 443, "", http_answer));
  EXPECT_TRUE(server_says(open, 443, "", http_answer));
  EXPECT_FALSE(server_says(kept, 443, kTlsHello, http_answer));
  EXPECT_TRUE(server_says(open, 443, kTlsHello, http_answer));
}

// A QUIC flow opens with a long header.
bool short_header_passes(const Scene& scene) {
  Peer served = Peer::udp(scene.lab.server_space, scene.server(), 443);
  Peer client = Peer::udp(scene.lab.laptop_space, scene.laptop(), 4001);
  client.send_to(scene.server(), 443, "\x43" + std::string(1199, 's'));
  return !served.receive_from().empty();
}

TEST_P(FirstBytes, QuicOpensWithALongHeader) {
  EXPECT_FALSE(short_header_passes(Scene(GetParam())));
  EXPECT_TRUE(
      short_header_passes(Scene(GetParam(), {instead("check_quic", "no QUIC", {nft::Accept{}})})));
}

}  // namespace
}  // namespace sekisho::attacks

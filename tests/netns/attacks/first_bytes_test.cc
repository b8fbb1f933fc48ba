// Only what opens as TLS, SSH or QUIC passes where that was granted, both sides.
#include "tests/netns/attacks/scene.h"

namespace sekisho::attacks {
namespace {

class FirstBytes : public Attack {};
SEKISHO_BOTH_FAMILIES(FirstBytes);

const std::string kNoTls = "payload, and no TLS handshake";
const std::string kNoS = "payload, and not S";  // and "... not SSH-"

// How many of the bytes that the client sends, piece by piece, reach the server.
std::size_t bytes_that_arrive(Scene scene, std::uint16_t port,
                              const std::vector<std::string>& pieces) {
  Talk talk(scene, port);
  std::size_t bytes = 0;
  for (const std::string& piece : pieces) {
    if (talk.client(piece)) bytes += piece.size();
  }
  return bytes;
}

std::vector<std::string> one_by_one(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char each : text) pieces.emplace_back(1, each);
  return pieces;
}

TEST_P(FirstBytes, HttpAndSshWhereTlsIsGranted) {
  const std::string alert("\x15\x03\x03\x00\x02\x01\x00", 7);
  for (const std::string& other : {kHttp, kSshHello, alert}) {
    EXPECT_EQ(bytes_that_arrive(Scene(GetParam()), 443, {other}), 0U);
    EXPECT_EQ(bytes_that_arrive(Scene(GetParam(), {without("check_tls", kNoTls)}), 443, {other}),
              other.size());
  }
}

TEST_P(FirstBytes, PlainTextAndTlsWhereSshIsGranted) {
  for (const std::string& other : {kHttp, kTlsHello, std::string("SSL-")}) {
    EXPECT_EQ(bytes_that_arrive(Scene(GetParam()), 22, {other}), 0U);
    EXPECT_EQ(bytes_that_arrive(Scene(GetParam(), {without("check_ssh", kNoS)}), 22, {other}),
              other.size());
  }
}

// One byte says too little to refuse it; the second settles it.
TEST_P(FirstBytes, OneAtATime) {
  const std::vector<std::vector<std::string>> to_tls{one_by_one(kHttp), {"\x16", kHttp}};
  for (const auto& pieces : to_tls) {
    EXPECT_LE(bytes_that_arrive(Scene(GetParam()), 443, pieces), 1U);
    EXPECT_GE(bytes_that_arrive(Scene(GetParam(), {without("check_tls", kNoTls)}), 443, pieces),
              kHttp.size());
  }
  EXPECT_LE(bytes_that_arrive(Scene(GetParam()), 22, {"S", kHttp}), 1U);
  EXPECT_GT(bytes_that_arrive(Scene(GetParam(), {without("check_ssh", kNoS)}), 22, {"S", kHttp}),
            kHttp.size());
}

// What the server says of its own accord, to a client that is silent or lied.
bool server_says(Scene scene, std::uint16_t port, const std::string& client_bytes,
                 const std::string& server_bytes) {
  Talk talk(scene, port);
  if (!client_bytes.empty()) {
    EXPECT_TRUE(talk.client(client_bytes));
  }
  return talk.server(server_bytes);
}

TEST_P(FirstBytes, AServerThatSaysSomethingElse) {
  const std::vector<Weakening> open{without("check_ssh_reply", kNoS),
                                    without("check_tls_reply", kNoTls)};
  struct Lie {
    std::uint16_t port;
    std::string client, server;
  };
  for (const Lie& lie :
       {Lie{22, "", "220 ready\r\n"}, Lie{22, "", "SSL-"}, Lie{22, "SSH-2.0-x\r\n", kHttpAnswer},
        Lie{443, "", kHttpAnswer}, Lie{443, kTlsHello, kHttpAnswer}}) {
    EXPECT_FALSE(server_says(Scene(GetParam()), lie.port, lie.client, lie.server)) << lie.server;
    EXPECT_TRUE(server_says(Scene(GetParam(), open), lie.port, lie.client, lie.server));
  }
}

// A QUIC flow opens with a long header, both sides.
bool quic_client_says(Scene scene, const std::string& bytes) {
  return scene.leaves(scene.datagram(scene.laptop(), scene.server(), 443, bytes));
}

bool quic_server_says(Scene scene, const std::string& bytes) {
  const auto out =
      scene.send(Wire::wg0, scene.datagram(scene.laptop(), scene.server(), 443, kQuicLong));
  EXPECT_EQ(out.size(), 1U);
  Packet answer = netns::parse(out.at(0).bytes).value().back();
  answer.payload = bytes;
  return scene.enters(answer);
}

TEST_P(FirstBytes, QuicOpensWithALongHeader) {
  const std::vector<Weakening> open{without("check_quic", "no QUIC"),
                                    first_of_all("check_quic_reply", {nft::Accept{}})};
  EXPECT_TRUE(quic_client_says(Scene(GetParam()), kQuicLong));
  EXPECT_TRUE(quic_server_says(Scene(GetParam()), kQuicLong));
  for (const std::string& other : {kQuicShort, std::string("plain text"), std::string()}) {
    EXPECT_FALSE(quic_client_says(Scene(GetParam()), other));
    EXPECT_TRUE(quic_client_says(Scene(GetParam(), open), other));
    EXPECT_FALSE(quic_server_says(Scene(GetParam()), other));
    EXPECT_TRUE(quic_server_says(Scene(GetParam(), open), other));
  }
}

}  // namespace
}  // namespace sekisho::attacks

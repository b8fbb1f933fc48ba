#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policy/base/ip.h"
#include "policy/base/ports.h"
#include "policy/model/policy.h"
#include "policy/model/revision.h"

// What is kept of one connection. Fields that Zeek has keep its name and meaning (conn.log,
// ssl.log, ssh.log, quic.log of Zeek 7); `Identity` is ours. What was not seen is not there: never
// a zero that was not counted.
namespace sekisho {

// Wall clock, microseconds, UTC: when the kernel saw the packet.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// Zeek's conn_state. The zero value claims nothing.
enum class ConnState : std::uint8_t {
  OTH,     // seen in the middle, or nothing that the others say
  S0,      // asked, not answered
  S1,      // established, not ended
  SF,      // established, ended by both
  REJ,     // asked, refused by RST
  S2,      // established, the originator alone ended it
  S3,      // established, the responder alone ended it
  RSTO,    // established, reset by the originator
  RSTR,    // reset by the responder
  RSTOS0,  // asked, then reset by the originator, never answered
  RSTRH,   // answered, then reset by the responder, the question never seen
  SH,      // asked and ended by the originator, never answered
  SHR      // answered and ended by the responder, the question never seen
};

enum class AppProtocol : std::uint8_t { none, ssl, ssh, quic, dns, http };

// One direction of a connection.
struct Traffic {
  std::optional<std::uint64_t> bytes;  // payload above TCP, UDP or ICMP
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;  // with the IP header

  bool operator==(const Traffic&) const = default;
};

// IANA code points where the wire has them: names belong to who writes them out.
struct TlsFacts {
  std::optional<std::uint16_t> version;  // what the server chose; supported_versions counts
  std::optional<std::uint16_t> cipher;
  std::optional<std::uint16_t> curve;  // named group of the key exchange
  std::string server_name;             // a claim of the client's
  std::string next_protocol;           // ALPN, as the server chose it
  std::string ja4;                     // of the ClientHello
  bool resumed = false;
  bool established = false;
  bool ech = false;  // the ClientHello holds an encrypted one: server_name is the outer name

  bool operator==(const TlsFacts&) const = default;
};

struct SshFacts {
  std::optional<std::uint8_t> version;  // 1 or 2
  std::string client;                   // identification strings (RFC 4253 4.2), without CR LF
  std::string server;

  bool operator==(const SshFacts&) const = default;
};

struct QuicFacts {
  std::uint32_t version = 0;
  std::string server_name;
  std::string client_initial_dcid;  // bytes
  std::string server_scid;          // bytes

  bool operator==(const QuicFacts&) const = default;
};

// Whose connection it was and what the policy said of it, at its first packet.
struct Identity {
  enum class Verdict : std::uint8_t { deny, allow };

  PersonId person;  // empty: nobody's
  DeviceId device;
  RoleId role;  // by which the grant is theirs; empty: the grant names the person
  ResourceId resource;
  std::optional<Classification> classification;
  GrantId grant;
  RevisionNumber revision;
  Verdict verdict = Verdict::deny;
  std::string reason;  // to_string(Reason) of policy/explain, or what a later check found

  bool operator==(const Identity&) const = default;
};

struct Connection {
  Instant began{};
  std::optional<std::chrono::microseconds> duration;  // none: one packet, or not known
  IpAddress originator;
  std::uint16_t originator_port = 0;  // ICMP: type
  IpAddress responder;
  std::uint16_t responder_port = 0;  // ICMP: code
  std::uint8_t protocol = 0;         // IANA number
  AppProtocol service = AppProtocol::none;
  ConnState state = ConnState::OTH;
  std::string history;  // Zeek's letters; empty where the packets were not seen
  Traffic sent;         // by the originator
  Traffic received;
  std::uint64_t missed_bytes = 0;
  // How many attempts this record stands for: refusals above a rate are merged, exactly. 1 or more.
  std::uint64_t count = 1;
  std::optional<TlsFacts> tls;
  std::optional<SshFacts> ssh;
  std::optional<QuicFacts> quic;
  Identity identity;

  bool operator==(const Connection&) const = default;
};

// As Zeek writes them: "S0", "ssl". AppProtocol::none is empty.
std::string_view to_string(ConnState state);
std::string_view to_string(AppProtocol service);

}  // namespace sekisho

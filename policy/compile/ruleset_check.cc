#include <utility>

#include "policy/compile/ruleset_chains.h"
#include "policy/compile/tables.h"

namespace sekisho {

namespace {

using namespace nft;

constexpr std::uint32_t kClient = AtomMark::kClientProven, kServer = AtomMark::kServerProven;
constexpr std::uint32_t kCheckMask = 0xc;
constexpr std::uint8_t kMd5Signature = 19;  // RFC 2385
constexpr std::uint32_t kOpeningBytes = 96;

constexpr std::uint32_t check_bits(Check check) {
  return static_cast<std::uint32_t>(check) << 2;
}

Rule client_proven_already() {
  return {{HasMark{Mark::ct, kClient, kClient}, Goto{"half_checked"}},
          "the client is proven, the server not yet"};
}

Rule server_proven_already() {
  return {{HasMark{Mark::ct, kServer, kServer}, Accept{}}, "the server is proven"};
}

Rule refuse_other_payload(int bytes, std::uint32_t first, std::string what) {
  return {{PayloadBegins{bytes, 0xffffffff >> (32 - 8 * bytes), first, Compare::differs},
           Goto{"refuse_protocol"}},
          std::move(what)};
}

Rule client_proves(int bytes, std::uint32_t first, std::string what) {
  return {{PayloadBegins{bytes, 0xffffffff >> (32 - 8 * bytes), first}, AddBits{kClient},
           Count{"hellos"}, Log{"hello", kHelloGroup, 0}, Accept{}},
          std::move(what)};
}

Rule server_proves(int bytes, std::uint32_t first, std::string what) {
  return {{PayloadBegins{bytes, 0xffffffff >> (32 - 8 * bytes), first}, AddBits{kServer}, Accept{}},
          std::move(what)};
}

Rule log_syn() {
  return {{TcpFlags{kSyn, kSyn | kAck}, Count{"opened"}, Log{"open", kOpenGroup, kOpeningBytes},
           Accept{}},
          "recorded: a granted flow opens"};
}

// A server that checks MD5 signatures drops what the rules here would take for its proof.
Rule refuse_md5() {
  return {{TcpOption{kMd5Signature}, Goto{"refuse_protocol"}},
          "an option by which the server would drop what proves it"};
}

Rule server_speaks_in_time() {
  return {{PacketsOver{Direction::reply, 64}, Goto{"refuse_protocol"}}, "64 packets and no proof"};
}

// Only granted flows come here, so the "open" record is a verdict and a port scan cannot flood it.
Chain check() {
  const auto is = [](Check check, const char* chain, const char* what) {
    return Rule{{HasMark{Mark::ct, kCheckMask, check_bits(check)}, Goto{chain}}, what};
  };
  return {
      "check",
      "granted: do both sides speak the protocol that was granted",
      {},
      {{{HasState{kRelated}, IsProtocol{Protocol::icmp}, Accept{}},
        "an ICMP error about a granted flow: packet too big, unreachable"},
       {{HasState{kRelated}, IsProtocol{Protocol::icmpv6}, Accept{}},
        "an ICMPv6 error about a granted flow: packet too big, unreachable"},
       is(Check::tls, "check_tls", "TLS was granted"),
       is(Check::ssh, "check_ssh", "SSH was granted"),
       is(Check::quic, "check_quic", "QUIC was granted"),
       {{HasMark{Mark::ct, kCheckMask | kClient | kServer, kClient | kServer}, Goto{"check_none"}},
        "granted as an exception: nothing to prove"},
       {{Goto{"refuse"}}, "cannot be"}}};
}

// RFC 8446 section 5.1: a handshake record is 0x16, then the legacy version 0x03 0x0?. An empty
// segment has no payload and falls through every payload rule.
Chain check_tls() {
  return {"check_tls",
          "TLS: the client opens with a handshake record",
          {},
          {{{IsDirection{Direction::reply}, Goto{"check_tls_reply"}}, "the server's side"},
           log_syn(),
           client_proven_already(),
           refuse_md5(),
           refuse_other_payload(1, 0x16, "payload, and no TLS handshake"),
           client_proves(2, 0x1603, "TLS handshake: the client is proven"),
           {{Accept{}}, "no payload yet"}}};
}

Chain check_tls_reply() {
  return {"check_tls_reply",
          "TLS: the server answers with a handshake record, or early with an alert",
          {},
          {server_proven_already(),
           {{PayloadBegins{1, 0xff, 0x15}, PacketsUnder{Direction::reply, 16}, Accept{}},
            "a TLS alert: the server declines"},
           refuse_other_payload(1, 0x16, "payload, and no TLS handshake"),
           server_proves(2, 0x1603, "TLS handshake: the server is proven"),
           server_speaks_in_time(),
           {{Accept{}}, "no payload yet"}}};
}

constexpr std::uint32_t kSshDash = 0x5353482d;  // "SSH-", RFC 4253 section 4.2

Chain check_ssh() {
  return {"check_ssh",
          "SSH: the client opens with SSH-",
          {},
          {{{IsDirection{Direction::reply}, Goto{"check_ssh_reply"}}, "the server's side"},
           log_syn(),
           client_proven_already(),
           refuse_md5(),
           refuse_other_payload(1, 0x53, "payload, and not S"),
           client_proves(4, kSshDash, "SSH-: the client is proven"),
           refuse_other_payload(4, kSshDash, "payload, and not SSH-"),
           {{Accept{}}, "no payload yet"}}};
}

Chain check_ssh_reply() {
  return {"check_ssh_reply",
          "SSH: the server opens with SSH-, before anything else",
          {},
          {server_proven_already(),
           refuse_other_payload(1, 0x53, "payload, and not S"),
           server_proves(4, kSshDash, "SSH-: the server is proven"),
           refuse_other_payload(4, kSshDash, "payload, and not SSH-"),
           server_speaks_in_time(),
           {{Accept{}}, "no payload yet"}}};
}

// What the client sent may be a segment that the server drops: then it proves nothing, and what
// follows goes one way and must stay little. Needs net.netfilter.nf_conntrack_acct=1.
Chain half_checked() {
  return {"half_checked",
          "until the server is proven, the client sends at most 64 packets",
          {},
          {{{PacketsOver{Direction::original, 64}, Goto{"refuse_protocol"}},
            "64 packets, and the server proved nothing"},
           {{Accept{}}, "the server may still answer"}}};
}

// RFC 9000 section 17.2: a first packet has a long header, the two upper bits set. UDP has no empty
// first packets, so here what has no payload is refused.
Chain check_quic() {
  return {"check_quic",
          "QUIC: the client opens with a long header",
          {},
          {{{IsDirection{Direction::reply}, Goto{"check_quic_reply"}}, "the server's side"},
           client_proven_already(),
           {{PayloadBegins{1, 0xc0, 0xc0}, AddBits{kClient}, Count{"opened"},
             Log{"open", kOpenGroup, kOpeningBytes}, Count{"hellos"}, Log{"hello", kHelloGroup, 0},
             Accept{}},
            "a QUIC long header: the client is proven"},
           {{Goto{"refuse_protocol"}}, "no QUIC"}}};
}

// RFC 8999 section 6: of a version negotiation packet only the first bit is fixed. Packets may
// overtake each other, so an early short header is dropped and the flow goes on.
Chain check_quic_reply() {
  return {"check_quic_reply",
          "QUIC: the server answers with a long header",
          {},
          {server_proven_already(),
           {{PayloadBegins{1, 0x80, 0x80}, AddBits{kServer}, Accept{}},
            "a QUIC long header: the server is proven"},
           {{Count{"refused"}, Log{"protocol", kRefusalGroup, kOpeningBytes}, Drop{}},
            "no QUIC, or a packet that overtook the first one"}}};
}

Chain check_none() {
  return {"check_none",
          "granted as an exception: nothing to prove",
          {},
          {{{HasState{kNew | kRelated}, Count{"opened"}, Log{"open", kOpenGroup, kOpeningBytes}},
            "recorded: a granted flow opens"},
           {{Accept{}}, "granted"}}};
}

}  // namespace

std::vector<Chain> check_chains() {
  return {check(),        check_tls(),  check_tls_reply(),  check_ssh(), check_ssh_reply(),
          half_checked(), check_quic(), check_quic_reply(), check_none()};
}

std::vector<Chain> refusal_chains() {
  const auto unlogged = [](Family family, const char* set) {
    return Rule{{RateOver{family, set, 20, 50}, Count{"refused_unlogged"}, Return{}},
                "more than 20 a second of one device: counted, not logged"};
  };
  return {{"refuse_protocol",
           "granted, but not the protocol that was granted",
           {},
           {{{Count{"refused"}, Log{"protocol", kRefusalGroup, kOpeningBytes}}, "recorded"},
            {{Goto{"reject_it"}}, "and told"}}},
          {"refuse",
           "no, and the device is told so",
           {},
           {{{Jump{"log_refusal"}}, "recorded"}, {{Goto{"reject_it"}}, "and told"}}},
          {"reject_it",
           "how no is said",
           {},
           {{{IsProtocol{Protocol::tcp}, RejectReset{}}, "TCP: reset"},
            {{RejectProhibited{}}, "all else: administratively prohibited"}}},
          {"refuse_silently",
           "no, and nobody is told",
           {},
           {{{Jump{"log_refusal"}}, "recorded"}, {{Drop{}}, "no answer"}}},
          {"log_refusal",
           "a flood of refusals must not drown the record",
           {},
           {unlogged(Family::v4, "quiet4"),
            unlogged(Family::v6, "quiet6"),
            {{Count{"refused"}, Log{"refuse", kRefusalGroup, kOpeningBytes}}, "recorded"}}}};
}

}  // namespace sekisho

#include "gateway/kernel/nftables/expressions.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include <array>
#include <cassert>
#include <cstring>
#include <span>

#include "policy/compile/tables.h"

namespace sekisho::kernel {

namespace {

using namespace nft;

// The first value of a rule goes to register 1; the second of a concatenation follows four bytes
// on.
constexpr std::uint32_t kRegister = NFT_REG_1;
constexpr std::uint32_t kProofBits = AtomMark::kClientProven | AtomMark::kServerProven;

// Where the headers of nft's payload matches keep things.
struct Place {
  std::uint32_t base, offset, length;
};
constexpr Place kTcpFlags{NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1};
constexpr Place kIcmpType{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1};
constexpr Place kDestinationPort{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};
constexpr Place kSourcePort{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2};

constexpr Place place_of(Family family, Side side) {
  if (family == Family::v4) {
    return {NFT_PAYLOAD_NETWORK_HEADER, side == Side::source ? 12U : 16U, 4};
  }
  return {NFT_PAYLOAD_NETWORK_HEADER, side == Side::source ? 8U : 24U, 16};
}

template <class T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// Writes one rule. Knows which dependencies the rule has stated already, as nft does.
class Writer {
 public:
  explicit Writer(nftnl_rule& rule) : rule_(rule) {}

  void operator()(const FromInterface& s) { interface(NFT_META_IIFNAME, s.name); }
  void operator()(const ToInterface& s) { interface(NFT_META_OIFNAME, s.name); }
  void operator()(const IsFamily& s) { need(s.family); }
  void operator()(const HasAddress& s) {
    need(s.prefix.family());
    Place place = place_of(s.prefix.family(), s.side);
    const auto length = static_cast<std::uint32_t>(s.prefix.length());
    std::array<std::uint8_t, 16> mask{};
    for (std::uint32_t bit = 0; bit < length; ++bit) {
      mask[bit / 8] = static_cast<std::uint8_t>(mask[bit / 8] | 0x80U >> (bit % 8));
    }
    // Whole bytes need no mask.
    if (length > 0 && length % 8 == 0) place.length = length / 8;
    load(place);
    if (length == 0 || length % 8 != 0) bitwise(std::span(mask).first(place.length));
    compare(s.is, s.prefix.address().bytes().first(place.length));
  }
  void operator()(const IsProtocol& s) {
    if (s.is == Compare::equal) return need(s.protocol);
    load_meta(NFT_META_L4PROTO);
    compare(s.is, bytes_of(s.protocol));
  }
  void operator()(const UdpPort& s) {
    need(Protocol::udp);
    load(s.side == Side::source ? kSourcePort : kDestinationPort);
    compare(Compare::equal, bytes_of(htons(s.port.value())));
  }
  void operator()(const ToLocalAddress&) {
    add("fib", {{NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR},
                {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE},
                {NFTNL_EXPR_FIB_DREG, kRegister}});
    compare(Compare::equal, bytes_of(std::uint32_t{RTN_LOCAL}));
  }
  void operator()(const IsDirection& s) {
    load_ct(NFT_CT_DIRECTION);
    compare(Compare::equal, bytes_of(s.direction));
  }
  void operator()(const HasState& s) {
    load_ct(NFT_CT_STATE);
    bitwise(bytes_of(s.any_of));
    compare(Compare::differs, bytes_of(std::uint32_t{0}));
  }
  void operator()(const HasMark& s) {
    if (s.mark == Mark::meta) {
      load_meta(NFT_META_MARK);
    } else {
      load_ct(NFT_CT_MARK);
    }
    if (s.mask != 0xffffffff) bitwise(bytes_of(s.mask));
    compare(s.is, bytes_of(s.value));
  }
  void operator()(const TcpFlags& s) {
    need(Protocol::tcp);
    load(kTcpFlags);
    bitwise(bytes_of(s.mask));
    compare(Compare::equal, bytes_of(s.value));
  }
  void operator()(const TcpOption& s) {
    nftnl_expr* e = add("exthdr", {{NFTNL_EXPR_EXTHDR_DREG, kRegister},
                                   {NFTNL_EXPR_EXTHDR_OFFSET, 0},
                                   {NFTNL_EXPR_EXTHDR_LEN, 1},
                                   {NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT},
                                   {NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT}});
    nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, s.kind);
    compare(Compare::equal, bytes_of(std::uint8_t{1}));
  }
  void operator()(const EchoRequest& s) {
    need(s.family);
    need(s.family == Family::v4 ? Protocol::icmp : Protocol::icmpv6);
    load(kIcmpType);
    compare(Compare::equal, bytes_of(s.family == Family::v4 ? std::uint8_t{ICMP_ECHO}
                                                            : std::uint8_t{ICMP6_ECHO_REQUEST}));
  }
  void operator()(const PayloadBegins& s) {
    assert(s.bytes == 1 || s.bytes == 2 || s.bytes == 4);
    const auto length = static_cast<std::uint32_t>(s.bytes);
    const auto in_network_order = [&](std::uint32_t value) {
      return htonl(value << (32 - 8 * length));
    };
    load({NFT_PAYLOAD_INNER_HEADER, 0, length});
    const std::uint32_t mask = in_network_order(s.mask);
    const std::uint32_t value = in_network_order(s.value);
    if (s.mask != 0xffffffff >> (32 - 8 * length)) bitwise(bytes_of(mask).first(length));
    compare(s.is, bytes_of(value).first(length));
  }
  void operator()(const PacketsOver& s) { packets(NFT_CMP_GT, s.direction, s.count); }
  void operator()(const PacketsUnder& s) { packets(NFT_CMP_LT, s.direction, s.count); }
  void operator()(const Granted& s) {
    load_meta(NFT_META_MARK);
    load_ct(NFT_CT_MARK, kSecond);
    if (s.once_proven) bitwise(bytes_of(~kProofBits), kProofBits, kSecond);
    lookup(kGrantsSet);
  }
  void operator()(const InSet& s) {
    need(s.family);
    load(place_of(s.family, s.side));
    lookup(s.set);
  }
  void operator()(const OneIn& s) {
    add("numgen", {{NFTNL_EXPR_NG_DREG, kRegister},
                   {NFTNL_EXPR_NG_MODULUS, s.n},
                   {NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM},
                   {NFTNL_EXPR_NG_OFFSET, 0}});
    compare(Compare::equal, bytes_of(std::uint32_t{0}));
  }
  void operator()(const SetMark& s) {
    nftnl_expr* e = add("immediate", {{NFTNL_EXPR_IMM_DREG, kRegister}});
    nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &s.value, sizeof s.value);
    store(s.mark);
  }
  void operator()(const AddBits& s) {
    load_ct(NFT_CT_MARK);
    bitwise(bytes_of(~s.bits), s.bits);
    store(Mark::ct);
  }
  void operator()(const FindCohort& s) {
    need(s.family);
    load(place_of(s.family, s.side));
    look_up_mark(cohort_map(s.family));
    store(Mark::meta);
  }
  void operator()(const FindAtom& s) {
    need(s.family);
    const Place address = place_of(s.family, Side::destination);
    const std::uint32_t protocol = s.family == Family::v4 ? kSecond : std::uint32_t{NFT_REG_2};
    const std::uint32_t port = s.family == Family::v4 ? kSecond + 1 : std::uint32_t{NFT_REG32_05};
    load(address);
    load_meta(NFT_META_L4PROTO, protocol);
    byteorder(protocol, 2, 1);  // what nft makes of a protocol in a concatenation: nothing to swap
    load(kDestinationPort, port);
    look_up_mark(atom_map(s.family));
    store(Mark::ct);
  }
  void operator()(const FlowsOver& s) {
    nftnl_expr* limit = nftnl_expr_alloc("connlimit");
    nftnl_expr_set_u32(limit, NFTNL_EXPR_CONNLIMIT_COUNT, s.count);
    nftnl_expr_set_u32(limit, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
    put_source(s.family, s.set, NFT_DYNSET_OP_ADD, limit);
  }
  void operator()(const AddSource& s) { put_source(s.family, s.set, NFT_DYNSET_OP_ADD, nullptr); }
  void operator()(const RateOver& s) {
    put_source(s.family, s.set, NFT_DYNSET_OP_UPDATE,
               rate(nftnl_expr_alloc("limit"), s.per_second, s.burst, NFT_LIMIT_F_INV));
  }
  void operator()(const RateUnder& s) { rate(add("limit", {}), s.per_second, s.burst, 0); }
  void operator()(const Count& s) {
    nftnl_expr* e = add("objref", {{NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER}});
    nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, s.counter.c_str());
  }
  void operator()(const Log& s) {
    nftnl_expr* e = add("log", {});
    nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, s.prefix.c_str());
    nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, s.group);
    if (s.snaplen != 0) nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, s.snaplen);
  }
  void operator()(const ClampMss&) {
    add("rt", {{NFTNL_EXPR_RT_KEY, NFT_RT_TCPMSS}, {NFTNL_EXPR_RT_DREG, kRegister}});
    byteorder(kRegister, 2, 2);
    nftnl_expr* e = add("exthdr", {{NFTNL_EXPR_EXTHDR_SREG, kRegister},
                                   {NFTNL_EXPR_EXTHDR_OFFSET, 2},
                                   {NFTNL_EXPR_EXTHDR_LEN, 2},
                                   {NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT}});
    constexpr std::uint8_t kMaximumSegmentSize = 2;
    nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, kMaximumSegmentSize);
  }
  void operator()(const NoTrack&) { add("notrack", {}); }
  void operator()(const Masquerade& s) {
    if (!s.ports) {
      add("masq", {});
      return;
    }
    for (const auto& [port, reg] : {std::pair{s.ports->first, std::uint32_t{NFT_REG_1}},
                                    std::pair{s.ports->last, std::uint32_t{NFT_REG_2}}}) {
      const std::uint16_t number = htons(port.value());
      nftnl_expr* e = add("immediate", {{NFTNL_EXPR_IMM_DREG, reg}});
      nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &number, sizeof number);
    }
    add("masq", {{NFTNL_EXPR_MASQ_REG_PROTO_MIN, NFT_REG_1},
                 {NFTNL_EXPR_MASQ_REG_PROTO_MAX, NFT_REG_2},
                 {NFTNL_EXPR_MASQ_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED}});
  }
  void operator()(const RejectReset&) { reject(NFT_REJECT_TCP_RST, 0); }
  void operator()(const RejectProhibited&) {
    reject(NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
  }
  void operator()(const Accept&) { verdict(NF_ACCEPT); }
  void operator()(const Drop&) { verdict(NF_DROP); }
  void operator()(const Return&) { verdict(NFT_RETURN); }
  void operator()(const Jump& s) { verdict(NFT_JUMP, s.chain); }
  void operator()(const Goto& s) { verdict(NFT_GOTO, s.chain); }

 private:
  static constexpr std::uint32_t kSecond = NFT_REG32_01;
  using Fields = std::initializer_list<std::pair<std::uint16_t, std::uint32_t>>;

  nftnl_expr* add(const char* name, Fields fields) {
    nftnl_expr* e = nftnl_expr_alloc(name);
    for (const auto& [field, value] : fields) nftnl_expr_set_u32(e, field, value);
    nftnl_rule_add_expr(&rule_, e);
    return e;
  }
  void need(Family family) {
    if (family_ == family) return;
    family_ = family;
    load_meta(NFT_META_NFPROTO);
    compare(
        Compare::equal,
        bytes_of(static_cast<std::uint8_t>(family == Family::v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)));
  }
  void need(Protocol protocol) {
    if (protocol_ == protocol) return;
    protocol_ = protocol;
    load_meta(NFT_META_L4PROTO);
    compare(Compare::equal, bytes_of(protocol));
  }
  void load_meta(std::uint32_t key, std::uint32_t reg = kRegister) {
    add("meta", {{NFTNL_EXPR_META_KEY, key}, {NFTNL_EXPR_META_DREG, reg}});
  }
  void load_ct(std::uint32_t key, std::uint32_t reg = kRegister) {
    add("ct", {{NFTNL_EXPR_CT_KEY, key}, {NFTNL_EXPR_CT_DREG, reg}});
  }
  void load(const Place& place, std::uint32_t reg = kRegister) {
    add("payload", {{NFTNL_EXPR_PAYLOAD_DREG, reg},
                    {NFTNL_EXPR_PAYLOAD_BASE, place.base},
                    {NFTNL_EXPR_PAYLOAD_OFFSET, place.offset},
                    {NFTNL_EXPR_PAYLOAD_LEN, place.length}});
  }
  // register = register & mask ^ with
  void bitwise(std::span<const std::uint8_t> mask, std::uint32_t with = 0,
               std::uint32_t reg = kRegister) {
    std::array<std::uint8_t, 16> flip{};
    std::memcpy(flip.data(), &with, sizeof with);
    const auto length = static_cast<std::uint32_t>(mask.size());
    nftnl_expr* e = add("bitwise", {{NFTNL_EXPR_BITWISE_SREG, reg},
                                    {NFTNL_EXPR_BITWISE_DREG, reg},
                                    {NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL},
                                    {NFTNL_EXPR_BITWISE_LEN, length}});
    nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask.data(), length);
    nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, flip.data(), length);
  }
  void byteorder(std::uint32_t reg, std::uint32_t size, std::uint32_t length) {
    add("byteorder", {{NFTNL_EXPR_BYTEORDER_SREG, reg},
                      {NFTNL_EXPR_BYTEORDER_DREG, reg},
                      {NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON},
                      {NFTNL_EXPR_BYTEORDER_LEN, length},
                      {NFTNL_EXPR_BYTEORDER_SIZE, size}});
  }
  void compare(std::uint32_t operation, std::span<const std::uint8_t> with) {
    nftnl_expr* e = add("cmp", {{NFTNL_EXPR_CMP_SREG, kRegister}, {NFTNL_EXPR_CMP_OP, operation}});
    nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, with.data(), static_cast<std::uint32_t>(with.size()));
  }
  void compare(Compare is, std::span<const std::uint8_t> with) {
    compare(is == Compare::equal ? std::uint32_t{NFT_CMP_EQ} : std::uint32_t{NFT_CMP_NEQ}, with);
  }
  void interface(std::uint32_t key, const std::string& name) {
    std::array<std::uint8_t, IFNAMSIZ> padded{};
    assert(name.size() < padded.size());
    std::memcpy(padded.data(), name.data(), name.size());
    load_meta(key);
    compare(Compare::equal, padded);
  }
  void packets(std::uint32_t operation, Direction direction, std::uint64_t count) {
    nftnl_expr* e = add("ct", {{NFTNL_EXPR_CT_KEY, NFT_CT_PKTS}, {NFTNL_EXPR_CT_DREG, kRegister}});
    nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, static_cast<std::uint8_t>(direction));
    byteorder(kRegister, 8, 8);
    compare(operation, bytes_of(htobe64(count)));
  }
  void lookup(const std::string& set) {
    nftnl_expr* e =
        add("lookup", {{NFTNL_EXPR_LOOKUP_SREG, kRegister}, {NFTNL_EXPR_LOOKUP_FLAGS, 0}});
    nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set.c_str());
  }
  void look_up_mark(const std::string& map) {
    nftnl_expr* e = add("lookup", {{NFTNL_EXPR_LOOKUP_SREG, kRegister},
                                   {NFTNL_EXPR_LOOKUP_DREG, kRegister},
                                   {NFTNL_EXPR_LOOKUP_FLAGS, 0}});
    nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, map.c_str());
  }
  void store(Mark mark) {
    if (mark == Mark::meta) {
      add("meta", {{NFTNL_EXPR_META_KEY, NFT_META_MARK}, {NFTNL_EXPR_META_SREG, kRegister}});
    } else {
      add("ct", {{NFTNL_EXPR_CT_KEY, NFT_CT_MARK}, {NFTNL_EXPR_CT_SREG, kRegister}});
    }
  }
  void put_source(Family family, const std::string& set, std::uint32_t operation,
                  nftnl_expr* with) {
    need(family);
    load(place_of(family, Side::source));
    nftnl_expr* e =
        add("dynset", {{NFTNL_EXPR_DYNSET_SREG_KEY, kRegister}, {NFTNL_EXPR_DYNSET_OP, operation}});
    nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, set.c_str());
    if (with != nullptr) nftnl_expr_add_expr(e, NFTNL_EXPR_DYNSET_EXPR, with);
  }
  static nftnl_expr* rate(nftnl_expr* e, std::uint32_t per_second, std::uint32_t burst,
                          std::uint32_t flags) {
    nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, per_second);
    nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, burst);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, flags);
    return e;
  }
  void reject(std::uint32_t type, std::uint8_t code) {
    nftnl_expr* e = add("reject", {{NFTNL_EXPR_REJECT_TYPE, type}});
    nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
  }
  void verdict(int code, const std::string& chain = {}) {
    nftnl_expr* e = add("immediate", {{NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT},
                                      {NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code)}});
    if (!chain.empty()) nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain.c_str());
  }

  nftnl_rule& rule_;
  std::optional<Family> family_;
  std::optional<Protocol> protocol_;
};

// The kernel tells of dynset's timeout also where none was given, and refuses to be given one where
// the set has none.
std::string without_default_timeout(std::string expression) {
  constexpr std::string_view kNone = "timeout 0ms ";
  if (const auto at = expression.find(kNone); at != std::string::npos) {
    expression.erase(at, kNone.size());
  }
  return expression;
}

}  // namespace

std::string comment_data(std::uint8_t type, const std::string& comment) {
  assert(comment.size() <= kLongestComment);
  std::string data{static_cast<char>(type), static_cast<char>(comment.size() + 1)};
  data += comment;
  data += '\0';
  return data;
}

RulePointer make_rule(const std::string& table, const std::string& chain, const nft::Rule& rule) {
  RulePointer made(nftnl_rule_alloc());
  nftnl_rule_set_u32(made.get(), NFTNL_RULE_FAMILY, NFPROTO_INET);
  nftnl_rule_set_str(made.get(), NFTNL_RULE_TABLE, table.c_str());
  nftnl_rule_set_str(made.get(), NFTNL_RULE_CHAIN, chain.c_str());
  const std::string comment = comment_data(NFTNL_UDATA_RULE_COMMENT, rule.comment);
  nftnl_rule_set_data(made.get(), NFTNL_RULE_USERDATA, comment.data(),
                      static_cast<std::uint32_t>(comment.size()));
  Writer writer(*made);
  for (const auto& statement : rule.statements) {
    std::visit([&writer](const auto& one) { writer(one); }, statement);
  }
  return made;
}

std::string canonical(const nftnl_rule& rule) {
  std::string text;
  auto* iterator = nftnl_expr_iter_create(&rule);
  while (auto* expression = nftnl_expr_iter_next(iterator)) {
    std::array<char, 1024> one{};
    nftnl_expr_snprintf(one.data(), one.size(), expression, NFTNL_OUTPUT_DEFAULT, 0);
    text += nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
    text += ' ';
    text += without_default_timeout(one.data());
    text += "; ";
  }
  nftnl_expr_iter_destroy(iterator);
  std::uint32_t length = 0;
  const void* data = nftnl_rule_get_data(&rule, NFTNL_RULE_USERDATA, &length);
  if (data != nullptr) text.append(static_cast<const char*>(data), length);
  return text;
}

}  // namespace sekisho::kernel

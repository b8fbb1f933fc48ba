// A quarantined device and the gateway itself: its services, and what it opens to devices.
#include <algorithm>

#include "tests/netns/attacks/quarantine.h"
#include "tests/netns/attacks/visits.h"

namespace sekisho::attacks {
namespace {

constexpr std::uint16_t kPanel = 8443;

template <std::uint16_t port>
bool service_hears_on(Ward& ward) {
  Visit visit(ward.scene, port);
  EXPECT_TRUE(visit.is_open() && visit.says("before") && visit.hears("before"));
  ward.quarantine();
  return visit.says("after");
}

template <std::uint16_t port>
bool service_answers_on(Ward& ward) {
  Visit visit(ward.scene, port);
  EXPECT_TRUE(visit.is_open() && visit.says("before") && visit.hears("before"));
  ward.quarantine();
  return visit.hears("after");
}

template <std::uint16_t port>
bool service_opens(Ward& ward) {
  ward.quarantine();
  return Visit(ward.scene, port).is_open();
}

bool dns_hears_on(Ward& ward) {
  Questions questions(ward.scene);
  EXPECT_TRUE(questions.asks() && questions.is_answered());
  ward.quarantine();
  return questions.asks();
}

bool dns_answers_late(Ward& ward) {
  Questions questions(ward.scene);
  EXPECT_TRUE(questions.asks());
  ward.quarantine();
  return questions.is_answered();
}

bool dns_hears_anew(Ward& ward) {
  ward.quarantine();
  return Questions(ward.scene).asks();
}

bool ping_of_the_gateway(Ward& ward) {
  ward.quarantine();
  Packet echo = ward.scene.datagram(ward.scene.laptop(), ward.scene.gateway(), 0);
  echo.protocol = ward.scene.v4() ? Protocol::icmp : Protocol::icmpv6;
  constexpr char kReply4 = 0;
  constexpr char kReply6 = static_cast<char>(129);
  return std::ranges::any_of(ward.scene.send(Wire::wg0, echo), [&](const Wire::Arrival& arrival) {
    return ward.scene.v4() ? arrival.bytes.at(20) == kReply4 : arrival.bytes.at(40) == kReply6;
  });
}

bool gateway_opens(Ward& ward) {
  ward.quarantine();
  return Call(ward.scene).is_out();
}

bool gateway_is_answered(Ward& ward) {
  Call call(ward.scene);
  EXPECT_TRUE(call.is_out());
  ward.quarantine();
  return call.is_answered();
}

bool gateway_hears_on(Ward& ward) {
  Call call(ward.scene);
  EXPECT_TRUE(call.is_answered() && call.says("before"));
  ward.quarantine();
  return call.says("after");
}

bool gateway_says_on(Ward& ward) {
  Call call(ward.scene);
  EXPECT_TRUE(call.is_answered() && call.hears("before"));
  ward.quarantine();
  return call.hears("after");
}

std::vector<Attempt> attempts() {
  const std::vector<Weakening> heard{established_first("input")};
  const std::vector<Weakening> answered{established_first("output")};
  const std::vector<Weakening> open{first_of_all("to_gateway", {nft::Accept{}}),
                                    first_of_all("from_gateway", {nft::Accept{}})};
  const std::vector<Weakening> from_us{without("from_gateway", "no cohort is sent nothing"),
                                       without("from_gateway", "nor an isolated one")};
  const std::vector<Weakening> to_us{without("to_gateway", "no cohort reaches nothing"),
                                     without("to_gateway", "an isolated device answers nothing")};
  const auto one = [](const char* name, bool (*succeeds)(Ward&),
                      const std::vector<Weakening>& weakenings,
                      const std::vector<Hold>& levels = {Hold::isolate, Hold::cut}) {
    return Attempt{.name = name,
                   .succeeds = succeeds,
                   .open = weakenings,
                   .in_good_standing = true,
                   .levels = levels};
  };
  const std::vector<Hold> cut{Hold::cut};  // the isolated keep DNS
  return {
      {.name = "another service is opened", .succeeds = service_opens<kPanel>, .open = open},
      one("DNS over TCP hears on", service_hears_on<53>, heard, cut),
      one("DNS over TCP answers on", service_answers_on<53>, answered, cut),
      one("DNS over TCP is opened", service_opens<53>, open, cut),
      one("DNS over UDP hears on", dns_hears_on, heard, cut),
      one("DNS over UDP answers late", dns_answers_late, answered, cut),
      one("DNS over UDP hears anew", dns_hears_anew, open, cut),
      one("ping", ping_of_the_gateway, open),
      one("it opens", gateway_opens, from_us),
      one("it is answered", gateway_is_answered, to_us),
      one("it hears on", gateway_hears_on, to_us),
      one("it says on", gateway_says_on, from_us),
  };
}

SEKISHO_QUARANTINE(QuarantinedGateway, attempts());

}  // namespace
}  // namespace sekisho::attacks

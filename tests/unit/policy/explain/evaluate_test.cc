#include "policy/explain/evaluate.h"

#include <gtest/gtest.h>

#include "tests/model/policy_builder.h"
#include "tests/model/random_policy.h"

namespace sekisho {
namespace {

using model::address;
using model::kNow;
using model::PolicyBuilder;
using enum Classification;

Time after(int seconds) {
  return kNow + std::chrono::seconds(seconds);
}

// tanaka has a laptop and may read the wiki; the vault lies inside the lan.
PolicyBuilder office() {
  PolicyBuilder policy;
  policy.device("laptop", "tanaka", {"10.66.0.2", "fd66::2"})
      .resource("lan", internal, {"10.1.0.0/16"}, {"https", "ssh"})
      .resource("vault", confidential, {"10.1.2.0/24"}, {"https"})
      .resource("wiki", public_, {"10.3.0.0/24"}, {"https", "quic", "tcp:5432"})
      .grant("read", "tanaka", "wiki");
  return policy;
}

Flow flow(std::string_view to, std::uint16_t port, Protocol protocol = Protocol::tcp,
          Opening opening = Opening::nothing) {
  return {.source = address("10.66.0.2"),
          .destination = address(to),
          .protocol = protocol,
          .port = Port(port),
          .opening = opening};
}

Decision ask(const PolicyBuilder& policy, const Flow& question) {
  return evaluate(policy.valid(), question, kNow);
}

std::string why(const PolicyBuilder& policy, const Flow& question) {
  const ValidPolicy valid = policy.valid();
  return explain(valid, question, evaluate(valid, question, kNow));
}

TEST(Evaluate, Granted) {
  const Decision decision = ask(office(), flow("10.3.0.7", 443));
  EXPECT_EQ(decision.verdict, Verdict::permit);
  EXPECT_EQ(decision.reason, Reason::granted);
  EXPECT_EQ(decision.check, Check::tls);
  EXPECT_EQ(decision.person, PersonId("tanaka"));
  EXPECT_EQ(decision.device, DeviceId("laptop"));
  EXPECT_EQ(decision.resource, ResourceId("wiki"));
  EXPECT_EQ(decision.grant, GrantId("read"));
  EXPECT_EQ(why(office(), flow("10.3.0.7", 443)),
            "tanaka may reach wiki (public) by https: grant read");
}

TEST(Evaluate, StandingComesBeforeEverything) {
  PolicyBuilder policy = office();
  const Flow dns = flow("10.66.0.1", 53, Protocol::udp);
  EXPECT_EQ(ask(policy, dns).reason, Reason::gateway_service);
  EXPECT_EQ(ask(policy, dns).verdict, Verdict::permit);
  policy.person("tanaka", {}, kNow);
  EXPECT_EQ(ask(policy, dns).reason, Reason::person_expired);
  policy.policy.people.begin()->second.state = PersonState::suspended;
  EXPECT_EQ(ask(policy, dns).reason, Reason::person_suspended);
  policy.policy.devices.begin()->second.state = DeviceState::blocked;
  EXPECT_EQ(ask(policy, dns).reason, Reason::device_blocked);
  EXPECT_EQ(ask(policy, dns).person, PersonId("tanaka"));
  policy.policy.devices.clear();
  EXPECT_EQ(ask(policy, dns).reason, Reason::unknown_device);
  EXPECT_EQ(ask(policy, dns).verdict, Verdict::refuse);
  EXPECT_EQ(why(policy, dns), "no device has the address 10.66.0.2");
}

TEST(Evaluate, APersonIsThereUntilTheLastSecond) {
  PolicyBuilder policy = office();
  policy.person("tanaka", {}, after(1));
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::granted);
}

TEST(Evaluate, OnlyTcpAndUdp) {
  EXPECT_EQ(ask(office(), flow("10.3.0.7", 0, Protocol::icmp)).reason,
            Reason::protocol_not_offered);
  EXPECT_EQ(ask(office(), flow("10.66.0.1", 53, Protocol::icmp)).reason,
            Reason::protocol_not_offered);
}

TEST(Evaluate, TheGatewayIsDnsAlone) {
  EXPECT_EQ(ask(office(), flow("fd66::1", 53)).reason, Reason::gateway_service);
  EXPECT_EQ(ask(office(), flow("10.66.0.1", 443)).reason, Reason::no_resource);
  PolicyBuilder policy = office();
  policy.resource("all", internal, {"0.0.0.0/0"}, {"https"}).grant("all", "tanaka", "all");
  EXPECT_EQ(ask(policy, flow("10.66.0.1", 443)).reason, Reason::no_resource);
  EXPECT_EQ(ask(policy, flow("127.0.0.1", 443)).reason, Reason::no_resource);
  EXPECT_EQ(ask(policy, flow("10.66.0.9", 443)).reason, Reason::no_resource);
  EXPECT_EQ(ask(policy, flow("10.9.0.9", 443)).reason, Reason::granted);
}

TEST(Evaluate, DevicesReachEachOtherOnlyOnPurpose) {
  PolicyBuilder policy = office();
  policy.resource("staff", internal, {"10.66.0.0/28"}, {"ssh"}).grant("s", "tanaka", "staff");
  EXPECT_EQ(ask(policy, flow("10.66.0.9", 22)).reason, Reason::granted);
  EXPECT_EQ(ask(policy, flow("10.66.0.1", 22)).reason, Reason::no_resource);
  EXPECT_EQ(ask(policy, flow("10.66.0.16", 22)).reason, Reason::no_resource);
}

TEST(Evaluate, AFamilyNeverOpensTheOther) {
  PolicyBuilder policy;
  policy.device("laptop", "tanaka", {"10.66.0.2", "fd66::2"})
      .resource("four", internal, {"0.0.0.0/0"}, {"https"})
      .resource("six", internal, {"fd01::/16"}, {"https"})
      .grant("four", "tanaka", "four");
  for (const std::string_view from : {"10.66.0.2", "fd66::2"}) {
    const auto reason = [&](std::string_view to) {
      Flow question = flow(to, 443);
      question.source = address(from);
      return ask(policy, question).reason;
    };
    EXPECT_EQ(reason("10.1.1.1"), Reason::granted);
    EXPECT_EQ(reason("fd01::1"), Reason::no_grant);
    EXPECT_EQ(reason("2600::1"), Reason::no_grant) << "all of v4 is not the internet of v6";
    EXPECT_EQ(reason("::ffff:10.1.1.1"), Reason::no_resource);
    EXPECT_EQ(reason("::10.1.1.1"), Reason::no_resource);
    EXPECT_EQ(reason("64:ff9b::10.1.1.1"), Reason::no_resource);
  }
}

// A list that is empty matches nothing: no list means "all".
TEST(Evaluate, EmptyMatchesNothing) {
  PolicyBuilder policy;
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::unknown_device);
  policy.device("laptop", "tanaka", {"10.66.0.2"});
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::no_grant);
  EXPECT_EQ(ask(policy, flow("10.1.1.1", 443)).reason, Reason::no_resource);
  policy.grant("net", "role:nobody", "internet");  // tanaka has no roles at all
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::no_grant);
  policy.person("tanaka", {"nobody"});
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::granted);
}

TEST(Evaluate, NoResourceAndNoService) {
  EXPECT_EQ(ask(office(), flow("10.9.0.1", 443)).reason, Reason::no_resource);
  EXPECT_EQ(ask(office(), flow("::ffff:10.3.0.7", 443)).reason, Reason::no_resource);
  const Decision decision = ask(office(), flow("10.3.0.7", 80));
  EXPECT_EQ(decision.reason, Reason::no_service);
  EXPECT_EQ(decision.resource, ResourceId("wiki"));
  EXPECT_EQ(why(office(), flow("10.3.0.7", 80)),
            "wiki (public) covers 10.3.0.7 and does not offer TCP 80");
  // The lan offers SSH, but the vault is stricter and does not.
  EXPECT_EQ(ask(office(), flow("10.1.2.7", 22)).reason, Reason::no_service);
}

TEST(Evaluate, OnlyTheStrictestClassificationOpens) {
  PolicyBuilder policy = office();
  EXPECT_EQ(ask(policy, flow("10.1.2.7", 443)).reason, Reason::no_grant);
  policy.grant("lan", "tanaka", "lan");
  EXPECT_EQ(ask(policy, flow("10.1.1.7", 443)).reason, Reason::granted);
  const Decision decision = ask(policy, flow("10.1.2.7", 443));
  EXPECT_EQ(decision.reason, Reason::weaker_classification);
  EXPECT_EQ(decision.resource, ResourceId("vault"));
  EXPECT_EQ(decision.grant, GrantId("lan"));
  policy.grant("vault", "tanaka", "vault", {}, after(60));
  EXPECT_EQ(ask(policy, flow("10.1.2.7", 443)).reason, Reason::granted);
}

TEST(Evaluate, GrantsRunFromTheirFirstSecondToBeforeTheirEnd) {
  PolicyBuilder policy = office();
  policy.grant("read", "tanaka", "wiki", after(1));
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::grant_not_begun);
  policy.grant("read", "tanaka", "wiki", kNow, after(1));
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::granted);
  policy.grant("read", "tanaka", "wiki", {}, kNow);
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::grant_ended);
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).grant, GrantId("read"));
}

TEST(Evaluate, TheGrantThatLastsLongestDecides) {
  PolicyBuilder policy = office();
  policy.person("tanaka", {"sales"});
  policy.grant("read", "tanaka", "wiki", {}, after(5));
  policy.grant("a", "role:sales", "wiki", {}, after(9));
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).grant, GrantId("a"));
  policy.grant("z", "role:sales", "wiki");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).grant, GrantId("z"));
}

// kNow is 08:00 UTC of a Friday, 17:00 in Tokyo.
WeeklyHours hours(std::string_view span, const char* zone) {
  return {.spans = {DailyHours::parse(span).value()}, .zone = zone};
}

TEST(Evaluate, HoursAreThoseOfTheirPlace) {
  PolicyBuilder policy = office();
  auto& conditions = policy.policy.grants.at(GrantId("read")).conditions;
  conditions.hours = hours("mon-fri 09:00-18:00", "Asia/Tokyo");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::granted);
  EXPECT_EQ(why(policy, flow("10.3.0.7", 443)),
            "tanaka may reach wiki (public) by https: grant read, mon-fri 09:00-18:00, Asia/Tokyo");
  conditions.hours = hours("mon-fri 09:00-17:00", "Asia/Tokyo");
  const Decision decision = ask(policy, flow("10.3.0.7", 443));
  EXPECT_EQ(decision.verdict, Verdict::refuse);
  EXPECT_EQ(decision.reason, Reason::outside_hours);
  EXPECT_EQ(decision.grant, GrantId("read"));
  EXPECT_EQ(why(policy, flow("10.3.0.7", 443)),
            "grant read on wiki (public) is open at other hours only, mon-fri 09:00-17:00, "
            "Asia/Tokyo");
  conditions.hours = hours("mon-fri 09:00-17:00", "Europe/Berlin");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::granted);
  conditions.hours = hours("mon-thu 09:00-18:00", "Asia/Tokyo");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).reason, Reason::outside_hours);
}

TEST(Evaluate, OfOpenGrantsTheOneThatClosesLastDecides) {
  PolicyBuilder policy = office();
  policy.grant("a", "tanaka", "wiki", {}, after(60)).grant("b", "tanaka", "wiki");
  policy.policy.grants.erase(GrantId("read"));
  policy.policy.grants.at(GrantId("b")).conditions.hours = hours("fri 08:00-08:01", "UTC");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).grant, GrantId("a"));
  policy.policy.grants.at(GrantId("b")).conditions.hours = hours("fri 08:00-08:02", "UTC");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).grant, GrantId("b"));
}

// Nobody can sign in yet: what asks for it stays closed.
TEST(Evaluate, AGrantThatAsksForASignInOpensNothing) {
  PolicyBuilder policy = office();
  policy.policy.grants.at(GrantId("read")).conditions.session = std::chrono::minutes(15);
  const Decision decision = ask(policy, flow("10.3.0.7", 443));
  EXPECT_EQ(decision.verdict, Verdict::refuse);
  EXPECT_EQ(decision.reason, Reason::session_needed);
  EXPECT_EQ(
      why(policy, flow("10.3.0.7", 443)),
      "grant read on wiki (public) asks for a sign-in within 15m, and nobody can sign in yet: "
      "it opens nothing");
  policy.grant("other", "tanaka", "wiki");
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 443)).grant, GrantId("other"));
}

TEST(Evaluate, AResourceOnTheInternetHasItsOwnGrants) {
  PolicyBuilder policy = office();
  policy.resource("mail", public_, {}, {"tls:993"}).grant("mail", "tanaka", "mail");
  policy.policy.resources.at(ResourceId("mail")).internet = true;
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 993)).reason, Reason::granted);
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 993)).resource, ResourceId("mail"));
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::no_grant);
  EXPECT_EQ(ask(policy, flow("10.3.0.7", 993)).reason, Reason::no_service);
  EXPECT_EQ(ask(policy, flow("192.168.1.1", 993)).reason, Reason::no_resource);
  policy.grant("net", "tanaka", "internet");
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).grant, GrantId("net"));
  policy.policy.grants.erase(GrantId("mail"));
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 993)).reason, Reason::no_grant);
}

TEST(Evaluate, TheOpeningMustBeWhatTheServiceAsks) {
  const auto reason = [](std::uint16_t port, Protocol protocol, Opening opening) {
    return ask(office(), flow("10.3.0.7", port, protocol, opening)).reason;
  };
  EXPECT_EQ(reason(443, Protocol::tcp, Opening::tls), Reason::granted);
  EXPECT_EQ(reason(443, Protocol::tcp, Opening::ssh), Reason::wrong_opening);
  EXPECT_EQ(reason(443, Protocol::tcp, Opening::other), Reason::wrong_opening);
  EXPECT_EQ(reason(443, Protocol::udp, Opening::quic), Reason::granted);
  EXPECT_EQ(reason(443, Protocol::udp, Opening::tls), Reason::wrong_opening);
  EXPECT_EQ(reason(5432, Protocol::tcp, Opening::other), Reason::granted);
  EXPECT_EQ(
      why(office(), flow("10.3.0.7", 443, Protocol::tcp, Opening::ssh)),
      "tanaka may reach wiki (public) by https, but the flow does not begin with a TLS handshake");
}

TEST(Evaluate, TheInternetIsWhatNothingElseCovers) {
  PolicyBuilder policy = office();
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::no_grant);
  policy.grant("net", "tanaka", "internet");
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::granted);
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 80)).reason, Reason::no_service);
  EXPECT_EQ(ask(policy, flow("192.0.2.1", 443)).reason, Reason::no_resource);
  policy.network.public_prefixes = {model::prefix("192.0.2.0/24")};
  EXPECT_EQ(ask(policy, flow("192.0.2.1", 443)).reason, Reason::granted);
  policy.resource("dns", confidential, {"8.8.8.8"}, {"https"});
  EXPECT_EQ(ask(policy, flow("8.8.8.8", 443)).reason, Reason::no_grant);
  policy.resource("internet", public_, {}, {"quic"});
  EXPECT_EQ(ask(policy, flow("9.9.9.9", 443)).reason, Reason::no_service);
  EXPECT_EQ(ask(policy, flow("9.9.9.9", 443, Protocol::udp)).reason, Reason::granted);
  EXPECT_EQ(why(policy, flow("9.9.9.9", 443, Protocol::udp)),
            "tanaka may reach internet (public) by quic: grant net");
}

TEST(Explain, EveryReasonHasASentenceOfItsOwn) {
  PolicyBuilder policy = office();
  policy.grant("lan", "tanaka", "lan");
  EXPECT_EQ(
      why(policy, flow("10.1.2.7", 443)),
      "grant lan on lan (internal) does not open 10.1.2.7: vault (confidential) covers it too, "
      "and tanaka has no grant on that");
  policy.grant("soon", "tanaka", "vault", after(60), after(90));
  EXPECT_EQ(why(policy, flow("10.1.2.7", 443)),
            "grant soon on vault (confidential) begins at " + to_string(after(60)));
  policy.policy.grants.erase(GrantId("lan"));
  policy.grant("soon", "tanaka", "vault", {}, after(-60));
  EXPECT_EQ(why(policy, flow("10.1.2.7", 443)),
            "grant soon on vault (confidential) ended at " + to_string(after(-60)));
  EXPECT_EQ(why(policy, flow("10.1.1.7", 443)),
            "tanaka has no grant on lan (internal), which covers 10.1.1.7");
  EXPECT_EQ(why(policy, flow("10.9.0.1", 443)), "no resource covers 10.9.0.1");
  EXPECT_EQ(why(policy, flow("10.9.0.1", 0, Protocol::icmp)),
            "ICMP cannot be granted: only TCP and UDP can");
  EXPECT_EQ(why(policy, flow("10.66.0.1", 53)),
            "laptop may use the gateway's own name service, as every device in good standing may");
  policy.person("tanaka", {}, after(-60));
  EXPECT_EQ(why(policy, flow("10.9.0.1", 443)), "tanaka was valid until " + to_string(after(-60)));
  policy.policy.people.begin()->second.state = PersonState::suspended;
  EXPECT_EQ(why(policy, flow("10.9.0.1", 443)), "tanaka is suspended");
  policy.policy.devices.begin()->second.state = DeviceState::blocked;
  EXPECT_EQ(why(policy, flow("10.9.0.1", 443)), "the device laptop of tanaka is blocked");
}

// Who has a grant on the strictest that is not open now is told of that one.
TEST(Evaluate, ACloserGrantThatIsNotOpenSaysWhy) {
  PolicyBuilder policy = office();
  policy.grant("lan", "tanaka", "lan");
  EXPECT_EQ(ask(policy, flow("10.1.2.9", 443)).reason, Reason::weaker_classification);
  policy.grant("vault", "tanaka", "vault", after(60), after(90));
  const Decision decision = ask(policy, flow("10.1.2.9", 443));
  EXPECT_EQ(decision.reason, Reason::grant_not_begun);
  EXPECT_EQ(decision.grant, GrantId("vault"));
}

}  // namespace
}  // namespace sekisho

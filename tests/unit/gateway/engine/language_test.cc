#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "policy/model/document.h"
#include "tests/support/zoneinfo.h"
#include "world.h"

// What the policy language says, through the operations: hours, sign-ins, quotas, the catalogue.
namespace sekisho::engine {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

Node text(std::string_view value) {
  return {std::string(value)};
}
Node texts(std::vector<std::string> values) {
  Node::Array items;
  for (std::string& value : values) items.push_back({std::move(value)});
  return {std::move(items)};
}
Node number(std::int64_t value) {
  return {value};
}
IpAddress ip(std::string_view value) {
  return *IpAddress::parse(value);
}

const IpAddress kLaptop = ip("10.66.0.2");
const IpAddress kWiki = ip("198.51.100.10");

std::string key(char letter) {
  KeyBytes bytes;
  bytes.fill(static_cast<std::uint8_t>(letter));
  return PublicKey(bytes).to_string();
}

// tanaka has a laptop and may reach the wiki.
class LanguageTest : public testing::Test {
 protected:
  LanguageTest() : world(test_network(), zones()) {
    world.tell(Started{});
    must("role.add", {{"id", text("sales")}});
    must("person.add", {{"id", text("tanaka")}, {"roles", texts({"sales"})}});
    must("device.add",
         {{"id", text("laptop")}, {"person", text("tanaka")}, {"public_key", text(key('a'))}});
    must("resource.add", {{"id", text("wiki")},
                          {"classification", text("internal")},
                          {"prefixes", texts({"198.51.100.0/28"})},
                          {"services", texts({"https"})}});
    must("grant.add", {{"id", text("wiki")},
                       {"who", text("person:tanaka")},
                       {"resource", text("wiki")},
                       {"reason", text("work")}});
  }

  Node must(std::string_view operation, Node::Table parameters) {
    auto reply = world.ask(operation, std::move(parameters));
    EXPECT_TRUE(reply.has_value()) << operation << ": " << to_string(reply.error().front());
    return reply.value_or(Node{});
  }
  std::string refusal(std::string_view operation, Node::Table parameters) {
    auto reply = world.ask(operation, std::move(parameters));
    EXPECT_FALSE(reply.has_value()) << operation;
    return reply ? std::string() : to_string(reply.error().front());
  }
  bool open() { return world.passes(kLaptop, kWiki, Protocol::tcp, Port(443)); }
  // The clock goes on; the daemon wakes when the engine asked for it.
  void go_on_to(Time time) {
    while (const auto due = world.engine.next_deadline()) {
      if (*due > time) break;
      world.now = std::max(world.now, *due);
      world.tell(Woke{});
    }
    world.now = time;
  }
  std::string stored() { return world.revisions.at(world.active).document; }

  World world;
};

// The world begins on Sunday, 22 November 2026, at 00:00 UTC: 09:00 in Tokyo.
TEST_F(LanguageTest, HoursOpenAndCloseEveryDay) {
  EXPECT_TRUE(open());
  must("grant.set", {{"id", text("wiki")},
                     {"hours", texts({"mon-fri 09:00-18:00"})},
                     {"zone", text("Asia/Tokyo")}});
  EXPECT_FALSE(open()) << "it is Sunday";
  const Time monday = world.now + hours(24);
  go_on_to(monday - seconds(1));
  EXPECT_FALSE(open());
  for (const Time day : {monday, monday + hours(24), monday + hours(48)}) {
    go_on_to(day);
    EXPECT_TRUE(open()) << to_string(day);
    go_on_to(day + hours(9) - seconds(1));
    EXPECT_TRUE(open()) << to_string(day);
    go_on_to(day + hours(9));
    EXPECT_FALSE(open()) << to_string(day);
  }
}

// Nobody has to be awake for an end.
TEST_F(LanguageTest, HoursCloseWithTheDaemonDead) {
  must("grant.set",
       {{"id", text("wiki")}, {"hours", texts({"sun 08:00-18:00"})}, {"zone", text("Asia/Tokyo")}});
  EXPECT_TRUE(open());
  world.now += hours(9) - seconds(1);
  EXPECT_TRUE(open());
  world.now += seconds(1);
  EXPECT_FALSE(open());
}

// A clock that was wrong: what the hours say of the right time holds at once.
TEST_F(LanguageTest, ASetClockIsAskedAgain) {
  must("grant.set",
       {{"id", text("wiki")}, {"hours", texts({"sun 08:00-18:00"})}, {"zone", text("Asia/Tokyo")}});
  world.now += hours(24);
  world.tell(ClockStepped{});
  EXPECT_FALSE(open());
  world.now -= hours(24);
  world.tell(ClockStepped{});
  EXPECT_TRUE(open());
}

TEST_F(LanguageTest, HoursCanBeTakenAway) {
  must("grant.set",
       {{"id", text("wiki")}, {"hours", texts({"mon 09:00-10:00"})}, {"zone", text("UTC")}});
  EXPECT_FALSE(open());
  must("grant.set", {{"id", text("wiki")}, {"hours", texts({"always"})}});
  EXPECT_TRUE(open());
  EXPECT_THAT(stored(), Not(HasSubstr("zone")));
  EXPECT_EQ(refusal("grant.set", {{"id", text("wiki")}, {"hours", texts({"mon 09:00-10:00"})}}),
            "grant.wiki.zone: is missing (say whose hours they are: zone = \"Asia/Tokyo\")");
  EXPECT_EQ(refusal("grant.set", {{"id", text("wiki")},
                                  {"hours", texts({"mon 09:00-10:00"})},
                                  {"zone", text("Asia/Tokio")}}),
            "grant.wiki.zone: there is no time zone \"Asia/Tokio\" (did you mean \"Asia/Tokyo\"?)");
}

TEST_F(LanguageTest, RulesOfAZoneThatChangeAreFollowed) {
  must("grant.set",
       {{"id", text("wiki")}, {"hours", texts({"sun 08:00-18:00"})}, {"zone", text("Asia/Tokyo")}});
  EXPECT_TRUE(open());
  TimeZones changed = zones();
  changed.at("Asia/Tokyo") = zone("America/New_York");
  world.tell(Reconfigured{test_network(), changed});
  EXPECT_TRUE(world.engine.fatal().empty());
  EXPECT_FALSE(open()) << "19:00 of Saturday there";
  world.tell(Reconfigured{test_network(), zones({"UTC"})});
  EXPECT_FALSE(world.engine.fatal().empty()) << "the policy names a zone that is no more";
  EXPECT_FALSE(open());
}

TEST_F(LanguageTest, AskingForASignInClosesUntilItIsTakenAway) {
  must("grant.set", {{"id", text("wiki")}, {"session", text("15m")}});
  EXPECT_FALSE(open());
  const Node why =
      must("policy.can", {{"who", text("tanaka")}, {"destination", text("198.51.100.10:443")}});
  EXPECT_EQ(*why.find("reason")->string(), "session_needed");
  must("grant.set", {{"id", text("wiki")}, {"session", text("none")}});
  EXPECT_TRUE(open());
}

TEST_F(LanguageTest, KindsAreShown) {
  must("person.set", {{"id", text("tanaka")}, {"kind", text("part_timer")}});
  const Node shown = must("person.show", {{"id", text("tanaka")}});
  EXPECT_EQ(*shown.find("kind")->string(), "part_timer");
  EXPECT_THAT(refusal("person.set", {{"id", text("tanaka")}, {"kind", text("staff")}}),
              HasSubstr("write owner or employee or part_timer or contractor or partner"));
}

TEST_F(LanguageTest, QuotasLimitDevices) {
  const auto phone = [] {
    return Node::Table{
        {"id", text("phone")}, {"person", text("tanaka")}, {"public_key", text(key('b'))}};
  };
  must("quota.set", {{"devices_per_person", number(1)}});
  EXPECT_EQ(std::get<std::int64_t>(must("quota.show", {}).find("devices_per_person")->value), 1);
  EXPECT_EQ(refusal("device.add", phone()),
            "person.tanaka: has 2 devices, and at most 1 are allowed by quota.devices_per_person "
            "(remove a device, or give this person device_quota = 2)");
  must("person.set", {{"id", text("tanaka")}, {"device_quota", number(2)}});
  must("device.add", phone());
  EXPECT_THAT(refusal("person.set", {{"id", text("tanaka")}, {"device_quota", number(0)}}),
              HasSubstr("has 2 devices, and at most 1"));
  must("quota.set", {{"devices_per_person", number(0)}});
  must("person.set", {{"id", text("tanaka")}, {"device_quota", number(0)}});
  EXPECT_EQ(*must("quota.show", {}).find("devices_per_person")->string(), "any number");
  EXPECT_THAT(stored(), Not(HasSubstr("quota")));
}

TEST_F(LanguageTest, TheResponseIsSetFieldByField) {
  Node shown = must("response.show", {});
  EXPECT_EQ(*shown.find("high")->string(), "isolate");
  EXPECT_EQ(*shown.find("officer")->string(), "every owner");
  EXPECT_EQ(*shown.find("contact")->string(), "nobody");
  EXPECT_THAT(stored(), Not(HasSubstr("response")));
  must("response.set", {{"remediation", texts({"wiki"})},
                        {"contact", text("佐藤 03-0000-0000")},
                        {"officer", text("tanaka")},
                        {"two_people", text("true")},
                        {"low", text("record")},
                        {"most_devices", number(2)},
                        {"window", text("30m")},
                        {"reason", text("as agreed")}});
  must("response.set", {{"critical", text("cut")}});
  EXPECT_THAT(stored(), HasSubstr("[response]\nremediation = [\"wiki\"]\n"
                                  "contact = \"佐藤 03-0000-0000\"\nofficer = \"tanaka\"\n"
                                  "two_people = true\nlow = \"record\"\nmedium = \"isolate\"\n"
                                  "high = \"isolate\"\ncritical = \"cut\"\nmost_devices = 2\n"
                                  "most_percent = 10\nwindow = \"30m\"\n"));
  must("response.set", {{"contact", text("none")}, {"two_people", text("false")}});
  shown = must("response.show", {});
  EXPECT_EQ(*shown.find("contact")->string(), "nobody");
  EXPECT_FALSE(std::get<bool>(shown.find("two_people")->value));
  EXPECT_EQ(*shown.find("officer")->string(), "tanaka");
}

TEST_F(LanguageTest, AResponseThatMakesNoSenseIsRefused) {
  const auto set = [&](std::string name, Node value) {
    return refusal("response.set", {{std::move(name), std::move(value)}});
  };
  EXPECT_EQ(set("remediation", texts({"internet"})),
            "response.remediation[internet]: resource \"internet\" is all addresses of the "
            "internet: a device that reaches them is not isolated (name a resource that has "
            "prefixes)");
  EXPECT_THAT(set("remediation", texts({"wike"})), HasSubstr("there is no resource \"wike\""));
  EXPECT_THAT(set("officer", text("tanka")), HasSubstr("there is no person \"tanka\""));
  EXPECT_THAT(set("two_people", text("perhaps")), HasSubstr("response.two_people: "));
  EXPECT_THAT(set("high", text("panic")), HasSubstr("write record or isolate or cut"));
  EXPECT_THAT(set("most_devices", number(0)), HasSubstr("0 is no number of devices"));
  EXPECT_THAT(set("most_percent", number(101)), HasSubstr("write 1 to 100"));
  EXPECT_THAT(set("window", text("169h")), HasSubstr("write a time from 1m to 168h"));
  EXPECT_THAT(set("contact", text("a\nb")), HasSubstr("control characters"));
}

TEST_F(LanguageTest, WhatTheResponseNamesCannotBeRemoved) {
  must("person.add", {{"id", text("sato")}});
  must("resource.add", {{"id", text("updates")},
                        {"classification", text("public")},
                        {"prefixes", texts({"203.0.113.9/32"})},
                        {"services", texts({"https"})}});
  must("grant.remove", {{"id", text("wiki")}});
  must("response.set", {{"remediation", texts({"updates", "wiki"})}, {"officer", text("sato")}});
  EXPECT_EQ(refusal("person.remove", {{"id", text("sato")}}),
            "person.sato: is still named by response (first: response set --officer none, or "
            "another)");
  EXPECT_EQ(refusal("resource.remove", {{"id", text("updates")}}),
            "resource.updates: is still named by response (first: response set --remediation "
            "wiki)");
  EXPECT_THAT(
      refusal("resource.set", {{"id", text("updates")}, {"classification", text("confidential")}}),
      HasSubstr("response.remediation[updates]: resource \"updates\" is confidential"));
  must("response.set", {{"remediation", texts({"wiki"})}});
  must("resource.remove", {{"id", text("updates")}});
  EXPECT_THAT(refusal("resource.remove", {{"id", text("wiki")}}),
              HasSubstr("first: response set --remediation none"));
  must("response.set", {{"remediation", texts({"none"})}, {"officer", text("none")}});
  must("resource.remove", {{"id", text("wiki")}});
  must("person.remove", {{"id", text("sato")}});
}

TEST_F(LanguageTest, WhatIsConfidentialNamesAPersonAndAnEnd) {
  must("resource.add", {{"id", text("payroll")},
                        {"classification", text("confidential")},
                        {"prefixes", texts({"198.51.100.16/32"})},
                        {"services", texts({"https"})}});
  const auto grant = [](const char* who, const char* until) {
    return Node::Table{{"id", text("pay")},
                       {"who", text(who)},
                       {"resource", text("payroll")},
                       {"reason", text("closing")},
                       {"until", text(until)}};
  };
  EXPECT_THAT(refusal("grant.add", grant("role:sales", "2027-03-31")), HasSubstr("names a person"));
  EXPECT_THAT(refusal("grant.add", grant("person:tanaka", "never")), HasSubstr("has an end"));
  must("grant.add", grant("person:tanaka", "2027-03-31"));
  EXPECT_TRUE(world.passes(kLaptop, ip("198.51.100.16"), Protocol::tcp, Port(443)));
  EXPECT_THAT(refusal("grant.set", {{"id", text("pay")}, {"until", text("never")}}),
              HasSubstr("has an end"));
  EXPECT_THAT(
      refusal("resource.set", {{"id", text("wiki")}, {"classification", text("confidential")}}),
      HasSubstr("has an end"));
}

TEST_F(LanguageTest, TheCatalogueIsReadyAndNothingOfItIsOn) {
  const std::string before = stored();
  const Node catalogue = must("service-catalogue", {});
  EXPECT_EQ(stored(), before);
  must("policy.import", {{"document", *catalogue.find("document")}});
  const IpAddress anywhere = ip("203.0.113.5");
  EXPECT_FALSE(world.passes(kLaptop, anywhere, Protocol::tcp, Port(993)));
  EXPECT_FALSE(world.passes(kLaptop, anywhere, Protocol::udp, Port(123)));
  must("grant.add", {{"id", text("mail")},
                     {"who", text("role:sales")},
                     {"resource", text("mail")},
                     {"reason", text("daily work")}});
  EXPECT_TRUE(world.passes(kLaptop, anywhere, Protocol::tcp, Port(993)));
  EXPECT_FALSE(world.passes(kLaptop, anywhere, Protocol::udp, Port(123)));
  EXPECT_FALSE(world.passes(kLaptop, anywhere, Protocol::tcp, Port(443)));
  // Narrowed to a provider.
  must("resource.set", {{"id", text("mail")}, {"prefixes", texts({"203.0.113.0/28"})}});
  EXPECT_TRUE(world.passes(kLaptop, anywhere, Protocol::tcp, Port(993)));
  EXPECT_FALSE(world.passes(kLaptop, ip("203.0.113.77"), Protocol::tcp, Port(993)));
  must("resource.set", {{"id", text("mail")}, {"internet", {true}}});
  EXPECT_TRUE(world.passes(kLaptop, ip("203.0.113.77"), Protocol::tcp, Port(993)));
}

TEST_F(LanguageTest, PartsOfTheCatalogueCanBeChosen) {
  const Node some = must("service-catalogue", {{"only", texts({"time", "mail"})}});
  EXPECT_EQ(some.find("entries")->array()->size(), 2U);
  EXPECT_THAT(*some.find("document")->string(), HasSubstr("[resource.time]"));
  EXPECT_THAT(*some.find("document")->string(), Not(HasSubstr("push")));
  EXPECT_THAT(refusal("service-catalogue", {{"only", texts({"fax"})}}),
              HasSubstr("\"fax\" is not in the catalogue (known there: mail push-apple"));
}

TEST_F(LanguageTest, AnImportNeverChangesTheQuota) {
  const auto import = [](int devices) {
    return Node::Table{
        {"document", text("[quota]\ndevices_per_person = " + std::to_string(devices) + "\n")}};
  };
  must("policy.import", import(3));
  must("policy.import", import(3));
  EXPECT_EQ(refusal("policy.import", import(4)),
            "quota: exists already (leave it out of the document, or change it with: quota set)");
  const Node rows = must("policy.diff", {{"document", text("")}});
  EXPECT_EQ(*rows.find("objects")->array()->back().find("object")->string(), "quota");
}

TEST_F(LanguageTest, AnImportNeverChangesTheResponse) {
  const auto import = [](const char* contact) {
    return Node::Table{
        {"document", text("[response]\ncontact = \"" + std::string(contact) + "\"\n")}};
  };
  must("policy.import", import("Sato"));
  must("policy.import", import("Sato"));
  EXPECT_EQ(refusal("policy.import", import("Mori")),
            "response: exists already (leave it out of the document, or change it with: response "
            "set)");
  const Node rows = must("policy.diff", {{"document", text("")}});
  EXPECT_EQ(*rows.find("objects")->array()->back().find("object")->string(), "response");
}

TEST_F(LanguageTest, ALookAlikeIdIsNamed) {
  EXPECT_EQ(
      refusal("person.add", {{"id", text("t\u0430naka")}}),
      "person.t\u0430naka: \"t\u0430naka\" cannot be a name: its character 2 only looks as it "
      "should (U+0430) (write \"tanaka\", in plain letters)");
}

// Taking back asks for the zones as well.
TEST_F(LanguageTest, AFailedRemovalOfAGrantWithHoursIsTakenBack) {
  must("grant.set", {{"id", text("wiki")},
                     {"hours", texts({"mon-sun 00:00-23:00"})},
                     {"zone", text("Asia/Tokyo")}});
  EXPECT_TRUE(open());
  for (std::size_t failing = 0; failing < 3; ++failing) {
    world.failing = {world.effects + failing};
    EXPECT_FALSE(world.ask("grant.remove", {{"id", text("wiki")}}).has_value());
    EXPECT_TRUE(open()) << failing;
    EXPECT_TRUE(world.ask("grant.show", {{"id", text("wiki")}}).has_value()) << failing;
  }
}

}  // namespace
}  // namespace sekisho::engine

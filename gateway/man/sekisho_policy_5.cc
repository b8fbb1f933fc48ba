#include <algorithm>
#include <string>

#include "gateway/control/operations.h"
#include "gateway/man/pages.h"

namespace sekisho::man {

namespace {

using control::OperationId;

// "active, suspended": as the table of operations has them.
std::string choices(OperationId operation, std::string_view parameter) {
  std::string text;
  for (const control::Parameter& declared : control::operation(operation).parameters) {
    if (declared.name != parameter) continue;
    for (const control::Value& value : declared.values)
      text += (text.empty() ? "" : ", ") + std::string(value.word);
  }
  return text;
}

void people(Page& page) {
  page.subsection("[role.ID]: a group of people");
  page.item("name", "A text. Required. The name people read.");

  page.subsection("[person.ID]: who may connect");
  page.item("name", "A text. Required. The name people read.");
  page.item("kind", "One of " + choices(OperationId::person_set, "kind") + ". Default: employee.");
  page.item("roles", "A list of ids of roles.");
  page.item("state", "One of " + choices(OperationId::person_set, "state") +
                         ". Default: active. Who is suspended reaches nothing.");
  page.item("valid_until", "A time: the first second without access.");
  page.item("device_quota",
            "A number, 1 to 1000: how many devices they may have, in the place of "
            "the policy's quota.");

  page.subsection("[device.ID]: what a person connects with");
  page.item("person", "The id of a person. Required. Whose it is.");
  page.item("public_key", "A text. Required. Its WireGuard public key, base64.");
  page.item("addresses",
            "A list. Required. Its tunnel addresses: one IPv4, one IPv6 or both, in the "
            "pools of the gateway.");
  page.item("state", "One of " + choices(OperationId::device_set, "state") +
                         ". Default: active. What is blocked is off the network.");
}

void destinations(Page& page) {
  page.subsection("[resource.ID]: what can be reached");
  page.item("name", "A text. Required. The name people read.");
  page.item("classification",
            "One of " + choices(OperationId::resource_set, "classification") +
                ". Required. A grant on what is confidential names a person and has an end. Where "
                "resources overlap, the strictest decides.");
  page.item("prefixes", "A list of networks, such as \"198.51.100.0/24\" or \"2001:db8::/48\".");
  page.item("internet", "true: it is on all addresses of the internet, in the place of networks.");
  page.item("services",
            "A list. Required. `https`, `ssh`, `quic`, `tls:PORT` and `ssh:PORT` pass where the "
            "first bytes prove them. Anything else is an exception and says why: `{ service = "
            "\"tcp:5432\", reason = \"...\" }`, or `udp:PORT`. A PORT may be a range: 8000-8010.");
  page.paragraph(
      "The resource `internet` is built in: all public addresses that no other resource has, by "
      "https and ssh. A document may list it to choose other services. The key `names` is kept for "
      "destinations by name, and refused until then.");

  page.subsection("[grant.ID]: who may reach what, why, until when");
  page.item("who", "Required. `person:ID` or `role:ID`.");
  page.item("resource", "The id of a resource, or internet. Required.");
  page.item("reason", "A text. Required. What the access is for.");
  page.item("from", "A time: the first second of the right.");
  page.item("until", "A time: the first second without the right.");
  page.item("hours",
            "A list of hours of the week, such as \"mon-fri 09:00-18:00\" or \"sat,sun "
            "22:00-06:00\". It opens at these alone. Needs zone.");
  page.item("zone",
            "Whose hours they are: a name of the IANA database, such as \"Asia/Tokyo\". A "
            "change of the clocks may shorten hours, never lengthen them.");
  page.item("session",
            "A length of time from \"1m\" to \"24h\": it opens to a sign-in not older "
            "than this. Until people can sign in, such a grant opens nothing.");

  page.subsection("[quota]: how much there may be");
  page.item("devices_per_person",
            "A number, 1 to 1000: how many devices a person without a quota of their own may have. "
            "Without it, any number.");
}

void response(Page& page) {
  const std::string actions = "One of " + choices(OperationId::response_set, "high") +
                              ": what a flag of this severity does by itself. Default: isolate.";
  page.subsection("[response]: what happens when a device is flagged");
  page.item("remediation",
            "A list of ids of resources: what an isolated device still reaches beside the name "
            "service and the notice page. Neither confidential ones nor those of the internet.");
  page.item("contact", "A text: whom its user calls. The notice page shows it.");
  page.item("officer",
            "The id of a person whose devices are never quarantined automatically. Without it, "
            "those of every person of kind owner.");
  page.item("two_people",
            "true: a release takes two people: the first asks for it, another one agrees. What is "
            "quarantined under this rule is released under it, whatever the policy says by then. A "
            "person is a Unix user: give sudo to nobody who is to be one of two. Default: false.");
  for (const char* severity : {"low", "medium", "high", "critical"}) page.item(severity, actions);
  page.item("most_devices",
            "A number, 1 or more. Default: 3. No more devices than this are quarantined "
            "automatically within the window; beyond it a flag asks.");
  page.item("most_percent",
            "A number, 1 to 100. Default: 10. The same as a share of all devices, at least one. "
            "The fewer of both counts.");
  page.item("window", "A length of time from \"1m\" to \"168h\". Default: 1h.");
}

void writing(Page& page) {
  page.section("WRITING IT");
  page.paragraph(
      "An ID has 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit; one with a point is "
      "quoted. A text is at most 200 bytes of UTF-8. A time is RFC 3339, such as "
      "2027-03-31T18:00:00+09:00; a date alone is its first second, UTC. In JSON the tables are "
      "objects, with the same keys, and times are texts.");
  page.paragraph(
      "`sekisho policy check` says every mistake with its line and what to do. `sekisho policy "
      "fmt` "
      "writes a document in one form: sections and ids in order, defaults written out, every "
      "comment "
      "by what it stood by. `sekisho policy diff` says what would change, `sekisho policy apply` "
      "makes it so, as a whole or not at all.");
}

}  // namespace

Page sekisho_policy_5() {
  Page page("sekisho-policy", 5, "the policy document of a Sekisho gateway");
  page.section("DESCRIPTION");
  page.paragraph(
      "Who may reach what, in TOML 1.0 or JSON: people with their roles and devices, resources, "
      "and "
      "grants that let the one reach the other. What no grant opens is refused. `sekisho`(1) reads "
      "and writes it; the gateway keeps every revision.");
  page.section("TABLES");
  page.paragraph(
      "Each object is a table whose name ends with its id. An unknown key is a mistake.");
  people(page);
  destinations(page);
  response(page);
  writing(page);
  page.section("EXAMPLES");
  page.example(
      "[role.sales]\n"
      "name = \"Sales\"\n"
      "\n"
      "[person.mori]\n"
      "name = \"Mori Aiko\"\n"
      "kind = \"part_timer\"\n"
      "roles = [\"sales\"]\n"
      "\n"
      "[resource.wiki]\n"
      "name = \"Wiki\"\n"
      "classification = \"internal\"\n"
      "prefixes = [\"198.51.100.0/24\"]\n"
      "services = [\"https\", { service = \"tcp:5432\", reason = \"reports, until spring\" }]\n"
      "\n"
      "[grant.sales-wiki]\n"
      "who = \"role:sales\"\n"
      "resource = \"wiki\"\n"
      "reason = \"daily work\"\n"
      "until = 2027-03-31\n"
      "hours = [\"mon-fri 09:00-18:00\"]\n"
      "zone = \"Asia/Tokyo\"");
  page.section("SEE ALSO");
  page.paragraph("`sekisho`(1), `sekisho.toml`(5), `sekishod`(8)");
  return page;
}

}  // namespace sekisho::man

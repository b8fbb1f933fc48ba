#include "policy/model/catalogue.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "policy/model/document.h"

namespace sekisho {
namespace {

// "tls:993" or, of an exception, its name and its reason.
struct Listed {
  std::string_view name;
  std::string_view reason = {};
};

CatalogueEntry entry(std::string id, std::string name, std::string breaks,
                     std::initializer_list<Listed> services) {
  CatalogueEntry made{.id = ResourceId(std::move(id)), .breaks = std::move(breaks), .resource = {}};
  made.resource.name = std::move(name);
  made.resource.classification = Classification::public_;
  made.resource.internet = true;
  for (const Listed& listed : services) {
    auto service = Service::parse(listed.name);
    assert(service);
    service->reason = listed.reason;
    made.resource.services.push_back(*std::move(service));
  }
  std::ranges::sort(made.resource.services);
  return made;
}

constexpr std::string_view kMedia =
    "sound and pictures of meetings, encrypted by the program itself (SRTP); no first bytes prove "
    "it";

}  // namespace

// Ports as the makers publish them: IANA's registry and RFC 8314 (mail), Apple's "Use Apple
// products on enterprise networks", Google's "Configure your network for FCM", Microsoft 365's,
// Zoom's, Google Meet's and Webex's network requirements.
std::span<const CatalogueEntry> service_catalogue() {
  static const std::vector<CatalogueEntry> catalogue{
      entry("mail", "Mail programs",
            "Mail programs neither receive (993) nor send (465, 587); web mail works.",
            {{"tls:993"},
             {"tls:465"},
             {"tcp:587",
              "mail submission begins in clear text and turns to TLS by STARTTLS; where the "
              "provider offers port 465, take this out"}}),
      entry("push-apple", "Notifications of Apple devices",
            "iPhones, iPads and Macs get notifications late: they fall back to 443 after a while.",
            {{"tls:5223"}}),
      entry("push-android", "Notifications of Android devices",
            "Android phones get notifications late or not at all.", {{"tls:5228-5230"}}),
      entry("time", "Network time", "Clocks drift, and certificates look expired or not yet valid.",
            {{"udp:123",
              "NTP is neither encrypted nor proven by first bytes; clocks need it, and so do "
              "certificates"}}),
      entry("system-updates", "Updates over plain HTTP",
            "Windows and Linux updates, revocation checks of certificates, and the test by which "
            "devices find out whether they are online.",
            {{"tcp:80",
              "operating systems fetch signed updates, CRL and OCSP over plain HTTP; whatever else "
              "speaks HTTP passes too"}}),
      entry("meetings-teams", "Microsoft Teams calls", "Calls fall back to TCP 443 and stutter.",
            {{"udp:3478-3481", kMedia}}),
      entry("meetings-zoom", "Zoom calls", "Calls fall back to TCP 443 and stutter.",
            {{"udp:3478-3479", kMedia}, {"udp:8801-8810", kMedia}}),
      entry("meetings-google", "Google Meet calls", "Calls fall back to TCP 443 and stutter.",
            {{"udp:3478", kMedia}, {"udp:19302-19309", kMedia}}),
      entry("meetings-webex", "Webex calls", "Calls fall back to TCP 443 and stutter.",
            {{"udp:5004", kMedia}, {"udp:9000", kMedia}}),
  };
  return catalogue;
}

std::string write_catalogue(const std::vector<const CatalogueEntry*>& entries) {
  std::string text =
      "# What a full tunnel breaks on the first day. Nothing here is on: take out what is not "
      "needed,\n"
      "# add the rest with `sekisho policy import FILE`, then grant it to those who need it.\n"
      "# Each is open to all of the internet; where the addresses of a provider are known, write\n"
      "# prefixes for internet = true, and list https there too, or web pages at them close.\n";
  for (const CatalogueEntry* entry : entries) {
    text += "\n# Without it: " + entry->breaks + "\n";
    text += write_toml(
        {.value = Node::Table{
             {"resource", {.value = Node::Table{{entry->id.str(), encode(entry->resource)}}}}}});
  }
  return text;
}

}  // namespace sekisho

#include "policy/model/catalogue.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "policy/base/text.h"
#include "policy/model/validate.h"
#include "tests/support/golden.h"
#include "tests/unit/policy/model/example.h"

namespace sekisho {
namespace {

std::string whole() {
  std::vector<const CatalogueEntry*> all;
  for (const CatalogueEntry& entry : service_catalogue()) all.push_back(&entry);
  return write_catalogue(all);
}

// tests/golden/accept holds what it prints, as an officer would import it, and the golden test says
// that it is valid as it stands.
TEST(Catalogue, IsTheDocumentOfTheGoldenTest) {
  const auto path =
      std::filesystem::path(SEKISHO_GOLDEN) / "accept/011-service-catalogue/as-written.toml";
  expect_file(path, whole());
}

TEST(Catalogue, IsOfResourcesAloneAndGrantsNothing) {
  const auto policy = read_policy(whole(), Syntax::toml, "catalogue").value();
  EXPECT_TRUE(policy.grants.empty());
  ASSERT_EQ(policy.resources.size(), service_catalogue().size());
  for (const CatalogueEntry& entry : service_catalogue()) {
    EXPECT_EQ(policy.resources.at(entry.id), entry.resource);
    EXPECT_TRUE(entry.resource.internet);
  }
}

TEST(Catalogue, HasWhatAFullTunnelBreaksOnTheFirstDay) {
  std::set<std::string> offered;
  for (const CatalogueEntry& entry : service_catalogue()) {
    for (const Service& service : entry.resource.services) {
      offered.insert(service.name());
      EXPECT_EQ(service.is_exception(), !service.reason.empty()) << service.name();
    }
  }
  for (const char* name : {"tls:993", "tls:465", "tcp:587", "tls:5223", "tls:5228-5230", "udp:123",
                           "tcp:80", "udp:3478-3481", "udp:8801-8810"}) {
    EXPECT_TRUE(offered.contains(name)) << name;
  }
}

}  // namespace
}  // namespace sekisho

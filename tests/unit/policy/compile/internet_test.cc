#include "policy/compile/internet.h"

#include <gtest/gtest.h>

#include "policy/compile/atoms.h"
#include "tests/model/policy_builder.h"

namespace sekisho {
namespace {

using model::address;
using model::PolicyBuilder;

bool is_internet(const PolicyBuilder& policy, std::string_view text, std::uint16_t port = 443) {
  const AtomSpace space = cut(policy.valid(), {}).value();
  const AtomMark mark = find_atom(space, address(text), Protocol::tcp, Port(port));
  for (const Atom& atom : space.atoms) {
    if (atom.mark == mark) return atom.opened_by.contains(kInternet);
  }
  return false;
}

// First and last address of each row, and its neighbours where they are ordinary addresses.
TEST(Internet, EndsWhereTheRegistriesSay) {
  const PolicyBuilder policy;
  for (const std::string_view outside : {"0.0.0.0",
                                         "0.255.255.255",
                                         "10.0.0.0",
                                         "10.255.255.255",
                                         "100.64.0.0",
                                         "100.127.255.255",
                                         "127.0.0.1",
                                         "169.254.169.254",
                                         "172.16.0.0",
                                         "172.31.255.255",
                                         "192.0.0.8",
                                         "192.0.0.11",
                                         "192.0.0.170",
                                         "192.0.2.1",
                                         "192.88.99.1",
                                         "192.168.0.1",
                                         "198.18.0.0",
                                         "198.19.255.255",
                                         "198.51.100.1",
                                         "203.0.113.255",
                                         "224.0.0.0",
                                         "239.255.255.255",
                                         "240.0.0.0",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::ffff:8.8.8.8",
                                         "64:ff9b::808:808",
                                         "100::1",
                                         "1fff::1",
                                         "2001::1",
                                         "2001:1::",
                                         "2001:1::4",
                                         "2001:2::1",
                                         "2001:10::1",
                                         "2001:1ff::1",
                                         "2001:db8::1",
                                         "2002::1",
                                         "3fff::1",
                                         "3fff:fff:ffff::1",
                                         "4000::",
                                         "5f00::1",
                                         "fc00::1",
                                         "fe80::1",
                                         "ff02::1"}) {
    EXPECT_FALSE(is_internet(policy, outside)) << outside;
  }
  for (const std::string_view inside :
       {"1.0.0.0",         "9.255.255.255", "11.0.0.0",       "100.63.255.255",  "100.128.0.0",
        "126.255.255.255", "128.0.0.0",     "172.15.255.255", "172.32.0.0",      "192.0.0.9",
        "192.0.0.10",      "192.0.1.0",     "192.31.196.1",   "192.52.193.1",    "192.88.98.1",
        "192.88.100.1",    "192.175.48.1",  "198.17.255.255", "198.20.0.0",      "203.0.112.255",
        "223.255.255.255", "2000::",        "2001:1::1",      "2001:1::2",       "2001:1::3",
        "2001:3::1",       "2001:4:112::1", "2001:20::1",     "2001:3f:ffff::1", "2001:200::1",
        "2001:db7::1",     "2001:db9::1",   "2003::1",        "2620:4f:8000::1", "3fff:1000::1",
        "3ffe::1"}) {
    EXPECT_TRUE(is_internet(policy, inside)) << inside;
  }
}

TEST(Internet, LeavesListedResourcesPoolsAndTheGateway) {
  PolicyBuilder policy;
  policy.network.pools = {model::prefix("93.184.220.0/24")};
  policy.network.public_prefixes = {model::prefix("198.51.100.0/24")};
  policy.resource("site", Classification::public_, {"93.184.216.0/24"}, {"tls:8443"});
  policy.resource("near", Classification::public_, {"198.51.100.128/25"}, {"tls:8443"});
  EXPECT_FALSE(is_internet(policy, "93.184.220.1"));
  EXPECT_FALSE(is_internet(policy, "93.184.220.77"));
  EXPECT_TRUE(is_internet(policy, "93.184.221.1"));
  EXPECT_FALSE(is_internet(policy, "93.184.216.34"));
  EXPECT_TRUE(is_internet(policy, "93.184.217.34"));
  EXPECT_TRUE(is_internet(policy, "198.51.100.127"));
  EXPECT_FALSE(is_internet(policy, "198.51.100.128"));
}

TEST(Internet, OffersHttpsAndSshOrWhatThePolicyLists) {
  PolicyBuilder policy;
  EXPECT_TRUE(is_internet(policy, "8.8.8.8", 443));
  EXPECT_TRUE(is_internet(policy, "8.8.8.8", 22));
  EXPECT_FALSE(is_internet(policy, "8.8.8.8", 80));
  policy.resource("internet", Classification::public_, {}, {"https", "quic"});
  EXPECT_TRUE(is_internet(policy, "8.8.8.8", 443));
  EXPECT_FALSE(is_internet(policy, "8.8.8.8", 22));
  const AtomSpace space = cut(policy.valid(), {}).value();
  const AtomMark quic = find_atom(space, address("8.8.8.8"), Protocol::udp, Port(443));
  EXPECT_EQ(quic.check(), Check::quic);
}

}  // namespace
}  // namespace sekisho

#include "policy/model/quarantine.h"

#include <gtest/gtest.h>

namespace sekisho {
namespace {

PublicKey key(std::uint8_t number) {
  return PublicKey(KeyBytes{number});
}

class CatchDevices : public testing::Test {
 protected:
  // What holds the laptop after the devices became these, one after the other.
  Hold hold_on(const char* id) {
    catch_devices(quarantine, policy);
    return quarantined_by({quarantine}).on(DeviceId(id), policy.devices.at(DeviceId(id)));
  }
  void enrol(const char* id, std::uint8_t number, const char* person = "tanaka") {
    policy.devices[DeviceId(id)] = {
        .person = PersonId(person), .public_key = key(number), .addresses = {}};
  }

  Policy policy;
  Quarantine quarantine{
      .target = DeviceId("laptop"), .reason = "", .by = "", .devices = {}, .keys = {}};
};

TEST_F(CatchDevices, NobodyElses) {
  enrol("laptop", 1);
  enrol("phone", 2);
  EXPECT_EQ(hold_on("laptop"), Hold::cut);
  EXPECT_EQ(hold_on("phone"), Hold::none);
}

TEST_F(CatchDevices, FromNameToKeyToName) {
  enrol("laptop", 1);
  EXPECT_EQ(hold_on("laptop"), Hold::cut);
  enrol("laptop", 2);
  EXPECT_EQ(hold_on("laptop"), Hold::cut);
  policy.devices.clear();
  enrol("new", 2, "suzuki");
  EXPECT_EQ(hold_on("new"), Hold::cut) << "the key that it got meanwhile";
  enrol("new", 3);
  EXPECT_EQ(hold_on("new"), Hold::cut) << "the name that the key got";
}

TEST_F(CatchDevices, OfAPersonUnderAnotherId) {
  quarantine.target = PersonId("tanaka");
  policy.people[PersonId("tanaka")] = {};
  enrol("laptop", 1);
  enrol("other", 9, "suzuki");
  EXPECT_EQ(hold_on("laptop"), Hold::cut);
  policy.people.clear();
  policy.people[PersonId("tanaka-k")] = {};
  enrol("laptop", 1, "tanaka-k");
  enrol("phone", 2, "tanaka-k");
  EXPECT_EQ(hold_on("phone"), Hold::cut);
  EXPECT_EQ(hold_on("other"), Hold::none);
}

TEST_F(CatchDevices, OfAPersonThatIsHeldAlsoOnceTheyAreSomebodyElses) {
  quarantine.target = PersonId("tanaka");
  policy.people[PersonId("tanaka")] = {};
  enrol("laptop", 1);
  enrol("phone", 2, "suzuki");
  EXPECT_EQ(hold_on("laptop"), Hold::cut);
  enrol("tablet", 3);
  EXPECT_EQ(hold_on("tablet"), Hold::cut);
  enrol("tablet", 3, "suzuki");
  EXPECT_EQ(hold_on("tablet"), Hold::cut);
  EXPECT_EQ(hold_on("phone"), Hold::none);
}

}  // namespace
}  // namespace sekisho

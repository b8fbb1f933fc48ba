#include <gmock/gmock.h>

#include "gateway/store/store.h"
#include "tests/unit/gateway/store/sample_state.h"

namespace sekisho::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const QuarantineTarget kLaptop = DeviceId("laptop");

class StoreQuarantines : public StoreTest {
 protected:
  void put(const Quarantine& quarantine) {
    recorded(operation("quarantine.add", quarantine.since),
             [&](const Operation& entry) { return store().put_quarantine(quarantine, entry); });
  }
  void release(const QuarantineTarget& target, Time at = kNow, const std::string& by = "sato") {
    Operation entry = operation("quarantine.release", at);
    entry.actor.user = by;
    recorded(entry, [&](const Operation& recorded_as) {
      return store().release_quarantine(target, "a false alarm", recorded_as);
    });
  }
  std::vector<std::string> targets(const std::vector<Quarantine>& all) {
    std::vector<std::string> names;
    for (const Quarantine& each : all) names.push_back(to_string(each.target));
    return names;
  }
};

TEST_F(StoreQuarantines, ComeBackAsTheyWerePutOldestFirst) {
  Quarantine everyone = quarantine(Everyone{});
  everyone.level = Hold::cut;
  everyone.devices.clear();
  everyone.keys.clear();
  Quarantine person = quarantine(PersonId("tanaka"), later(-5));
  person.reason = "she says: 'it \"talks\"'; DROP TABLE quarantines; 不審";
  person.automatic = true;
  const Quarantine resource = quarantine(ResourceId("wiki"), later(2));
  const std::vector<Quarantine> all{quarantine(kLaptop), everyone, person, resource};
  for (const Quarantine& each : all) put(each);
  EXPECT_EQ(must(store().quarantines()), all);
  open_again();
  EXPECT_EQ(must(store().quarantines()), all);
  EXPECT_THAT(must(store().past_quarantines(10)), IsEmpty());
}

TEST_F(StoreQuarantines, PutAgainIsTheSameOneChanged) {
  put(quarantine(kLaptop));
  put(quarantine(ResourceId("wiki")));
  Quarantine changed = quarantine(kLaptop, later(60));
  changed.level = Hold::cut;
  changed.reason = "and it was opened";
  changed.by = "suzuki";
  changed.automatic = true;
  changed.devices = {DeviceId("tablet")};
  changed.keys = {PublicKey(key_bytes(3))};
  put(changed);
  EXPECT_THAT(must(store().quarantines()), ElementsAre(changed, quarantine(ResourceId("wiki"))));
  EXPECT_EQ(sql("SELECT count(*) FROM quarantines"), "2");
}

TEST_F(StoreQuarantines, ARequestForReleaseIsKeptAndWithdrawn) {
  Quarantine asking = quarantine(kLaptop);
  asking.release = ReleaseAsked{.by = "suzuki",
                                .uid = 0xffffffff,
                                .at = later(9),
                                .reason = "it was found again",
                                .finding = ""};
  put(quarantine(kLaptop));
  put(quarantine(ResourceId("wiki")));
  put(asking);
  open_again();
  EXPECT_THAT(must(store().quarantines()), ElementsAre(asking, quarantine(ResourceId("wiki"))));
  put(quarantine(kLaptop));
  EXPECT_THAT(must(store().quarantines()),
              ElementsAre(quarantine(kLaptop), quarantine(ResourceId("wiki"))));
}

TEST_F(StoreQuarantines, AReleasedOneIsPastAndSaysHow) {
  put(quarantine(kLaptop));
  put(quarantine(ResourceId("wiki")));
  release(kLaptop, later(100), "suzuki");
  open_again();
  EXPECT_THAT(must(store().quarantines()), ElementsAre(quarantine(ResourceId("wiki"))));
  EXPECT_THAT(must(store().past_quarantines(10)),
              ElementsAre(PastQuarantine{.quarantine = quarantine(kLaptop),
                                         .released_at = later(100),
                                         .released_by = "suzuki",
                                         .release_reason = "because",
                                         .finding = "a false alarm"}));
}

// What was released is history: the next one of the same target is another.
TEST_F(StoreQuarantines, ATargetIsQuarantinedAnewAfterItsRelease) {
  put(quarantine(kLaptop));
  release(kLaptop, later(100));
  Quarantine next = quarantine(kLaptop, later(200));
  next.reason = "lost again";
  put(next);
  EXPECT_THAT(must(store().quarantines()), ElementsAre(next));
  release(kLaptop, later(300));
  const auto past = must(store().past_quarantines(10));
  ASSERT_EQ(past.size(), 2U);
  EXPECT_EQ(past[0].quarantine, next);
  EXPECT_EQ(past[1].quarantine, quarantine(kLaptop));
  EXPECT_EQ(past[1].released_at, later(100));
}

TEST_F(StoreQuarantines, ThePastIsToldLatestFirst) {
  int at = 0;
  for (const char* id : {"a", "b", "c", "d"}) put(quarantine(DeviceId(id)));
  for (const char* id : {"b", "d", "a"}) release(DeviceId(id), later(++at));
  release(DeviceId("c"), later(at));  // in the same second
  const auto told = [&](std::size_t limit) {
    std::vector<Quarantine> all;
    for (const auto& past : must(store().past_quarantines(limit))) all.push_back(past.quarantine);
    return targets(all);
  };
  EXPECT_THAT(told(10), ElementsAre("device:c", "device:a", "device:d", "device:b"));
  EXPECT_THAT(told(2), ElementsAre("device:c", "device:a"));
  EXPECT_THAT(told(0), IsEmpty());
}

TEST_F(StoreQuarantines, WhatIsNotInForceCannotBeReleased) {
  put(quarantine(kLaptop));
  release(kLaptop);
  const auto before = must(store().operations(100));
  for (const QuarantineTarget& target : std::vector<QuarantineTarget>{
           kLaptop, PersonId("laptop"), ResourceId("laptop"), Everyone{}}) {
    const Error error = why(store().release_quarantine(target, "none", operation("x")));
    EXPECT_EQ(error.code, ErrorCode::not_found) << to_string(target);
    EXPECT_EQ(error.object, to_string(target));
  }
  EXPECT_EQ(must(store().operations(100)), before);
  EXPECT_EQ(must(store().past_quarantines(10)).size(), 1U);
}

// For the guard against a mistaken source.
TEST_F(StoreQuarantines, ThoseThatNobodyOrderedAreFoundByTheirBeginning) {
  for (const auto& [id, seconds] : {std::pair("old", 9), {"first", 10}, {"later", 11}, {"z", 12}}) {
    Quarantine each = quarantine(DeviceId(id), later(seconds));
    each.automatic = true;
    put(each);
  }
  put(quarantine(DeviceId("ordered"), later(20)));
  release(DeviceId("later"), later(30));
  EXPECT_THAT(targets(must(store().automatic_quarantines(later(9)))),
              ElementsAre("device:first", "device:later", "device:z"));
  EXPECT_THAT(must(store().automatic_quarantines(later(12))), IsEmpty());
}

TEST_F(StoreQuarantines, NoneCanBeDeleted) {
  put(quarantine(kLaptop));
  put(quarantine(ResourceId("wiki")));
  release(kLaptop);
  for (const char* which : {"", " WHERE released_at IS NULL", " WHERE released_at IS NOT NULL"}) {
    EXPECT_EQ(refusal_of(directory_.file(), std::string("DELETE FROM quarantines") + which),
              SQLITE_CONSTRAINT);
  }
  sql("DROP TRIGGER quarantines_stay; DELETE FROM quarantines");
  EXPECT_THAT(must(store().quarantines()), IsEmpty()) << "the trigger alone keeps them";
}

TEST_F(StoreQuarantines, ATargetHasOneAtATimeInTheFileToo) {
  put(quarantine(kLaptop));
  EXPECT_EQ(refusal_of(directory_.file(),
                       "INSERT INTO quarantines(target, level, reason, by, since, automatic,"
                       " devices, keys) SELECT target, level, reason, by, since, automatic,"
                       " devices, keys FROM quarantines"),
            SQLITE_CONSTRAINT);
}

struct Damage {
  const char* set;
  const char* told;
};

class DamagedQuarantine : public StoreQuarantines, public testing::WithParamInterface<Damage> {};

// Never as if nobody were quarantined, and never as something that it was not.
TEST_P(DamagedQuarantine, IsAnErrorThatNamesIt) {
  Quarantine automatic = quarantine(kLaptop);
  automatic.automatic = true;
  put(automatic);
  const auto damage = [&] {
    sql(std::string("PRAGMA ignore_check_constraints=1; UPDATE quarantines SET ") + GetParam().set);
  };
  const auto expect_told = [&](const Error& error) {
    EXPECT_EQ(error.object, directory_.file().string());
    EXPECT_THAT(error.cause, HasSubstr(GetParam().told));
  };
  damage();
  expect_told(why(store().quarantines()));
  expect_told(why(store().automatic_quarantines(later(-1))));
  sql("UPDATE quarantines SET released_at = 1, released_by = '', release_reason = ''");
  expect_told(why(store().past_quarantines(10)));
}

INSTANTIATE_TEST_SUITE_P(
    Every, DamagedQuarantine,
    testing::Values(Damage{"level = 'isolated'", "the quarantine of device:laptop is not one"},
                    Damage{"level = 'none'", "the quarantine of device:laptop is not one"},
                    Damage{"level = ''", "the quarantine of device:laptop is not one"},
                    Damage{"target = 'laptop'", "the quarantine of laptop is not one"},
                    Damage{"target = 'device:'", "the quarantine of device: is not one"},
                    Damage{"keys = 'AAAA'", "a key of the quarantine of device:laptop"},
                    Damage{"keys = substr(keys, 2)", "a key of the quarantine of device:laptop"},
                    Damage{"keys = keys || char(10)", "a key of the quarantine of device:laptop"}));

}  // namespace
}  // namespace sekisho::store

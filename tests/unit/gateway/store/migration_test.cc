#include <gmock/gmock.h>

#include "gateway/store/store.h"
#include "tests/unit/gateway/store/sample_state.h"

// States that an older sekishod wrote.
namespace sekisho::store {
namespace {

using testing::IsEmpty;

constexpr const char* kToThird =
    "ALTER TABLE quarantines DROP COLUMN two_people; ALTER TABLE quarantines DROP COLUMN people;"
    "ALTER TABLE quarantines DROP COLUMN places; ALTER TABLE flags DROP COLUMN public_key;"
    "DROP INDEX flags_by_key; CREATE UNIQUE INDEX flag_said_once ON flags(device, person, source,"
    " key) WHERE key <> ''; PRAGMA user_version=3;";
constexpr const char* kToSecond =
    "DROP TABLE quarantines; DROP TABLE flags; DROP TABLE device_tokens; PRAGMA user_version=2;";
constexpr const char* kToFirst = "DROP TABLE provisional; PRAGMA user_version=1;";
constexpr const char* kWholeSchema =
    "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master ORDER BY type, name)";

struct Contents {
  std::vector<RecordedOperation> operations;
  std::vector<LedgerDevice> devices;
  std::vector<RevisionInfo> history;
  std::string document;
  KeyBytes preshared_key{};
  std::string key;
  Time newest;
  bool operator==(const Contents&) const = default;
};

class Migration : public StoreTest {
 protected:
  Migration() {
    must(store().gateway_key([] { return PrivateKey(key_bytes(7)); }));
    const auto number = must(store().add_pending(revision("one", {})));
    must(store().activate(number, adding(device("laptop", 1, {address("10.66.0.2")})),
                          operation("policy.apply"), trial_));
    must(store().add_pending(revision("two", number)));
    must(store().abandon(RevisionNumber(2), operation("policy.apply", later(3))));
    before_ = read();
  }
  Contents read() {
    return {
        .operations = must(store().operations(100)),
        .devices = must(store().devices()),
        .history = must(store().history(100)),
        .document = must(store().active())->document,
        .preshared_key =
            must(store().preshared_key(DeviceId("laptop"), PublicKey(key_bytes(1)))).reveal(),
        .key = must(store().gateway_key([] { return PrivateKey(key_bytes(8)); })).reveal_base64(),
        .newest = must(store().newest_time())};
  }
  // Takes from the file what the newer schemas brought, and opens it.
  void open_as(const std::string& older) {
    store_.reset();
    sql(older);
    open_again();
  }
  void expect_whole() {
    EXPECT_EQ(read(), before_);
    EXPECT_EQ(must(store().verify_operations()), std::nullopt);
    EXPECT_EQ(sql("PRAGMA user_version"), "4");
    const Directory made_now;
    must(Store::open(made_now.state(), kNow));
    EXPECT_EQ(sql(kWholeSchema), tamper(made_now.file(), kWholeSchema));
  }
  void expect_quarantine_works() {
    EXPECT_THAT(must(store().quarantines()), IsEmpty());
    EXPECT_THAT(must(store().flags(10)), IsEmpty());
    must(store().put_quarantine(quarantine(Everyone{}), operation("quarantine.add")));
    must(store().add_flag(flag("laptop", "a"), operation("flag.add")));
    must(store().set_device_token(DeviceId("laptop"), {}, operation("device.token")));
    EXPECT_EQ(must(store().verify_operations()), std::nullopt);
  }

  const Provisional trial_{.back_to = {},
                           .until = later(60),
                           .length = std::chrono::seconds(60),
                           .author = "tanaka",
                           .cuts = {"device.phone"}};
  Contents before_;
};

TEST_F(Migration, TheThirdSchemaKeepsAllThatItHeld) {
  must(store().put_quarantine(quarantine(Everyone{}), operation("quarantine.add")));
  must(store().add_flag(flag("laptop", "a"), operation("flag.add")));
  before_ = read();
  const auto flags = must(store().flags(10));
  open_as(kToThird);
  EXPECT_EQ(read(), before_);
  Quarantine kept = quarantine(Everyone{});
  kept.two_people = false;  // what the third schema does not know
  kept.people.clear();
  kept.places.clear();
  EXPECT_EQ(must(store().quarantines()), std::vector{kept});
  EXPECT_EQ(must(store().flags(10)), flags);
  must(store().add_flag(flag("laptop", "a"), operation("flag.add")));
  EXPECT_EQ(sql("PRAGMA user_version"), "4");
}

TEST_F(Migration, TheSecondSchemaKeepsAllThatItHeld) {
  open_as(kToSecond);
  expect_whole();
  EXPECT_EQ(must(store().provisional()), trial_);
  expect_quarantine_works();
}

TEST_F(Migration, TheFirstSchemaKeepsAllThatItHeld) {
  open_as(std::string(kToSecond) + kToFirst);
  expect_whole();
  EXPECT_EQ(must(store().provisional()), std::nullopt);
  expect_quarantine_works();
}

// A step is whole or not taken: what stands in its way leaves the file as the older program knows
// it.
TEST_F(Migration, OneThatFailsLeavesTheOlderState) {
  store_.reset();
  sql(std::string(kToSecond) + "CREATE TABLE flags(other TEXT)");
  const std::string schema = sql(kWholeSchema);
  EXPECT_FALSE(Store::open(directory_.state(), kNow));
  EXPECT_EQ(sql(kWholeSchema), schema);
  EXPECT_EQ(sql("PRAGMA user_version"), "2");
  sql("DROP TABLE flags");
  open_again();
  expect_whole();
}

TEST_F(Migration, QuarantinesOfThisSchemaStayAsTheyAre) {
  must(store().put_quarantine(quarantine(Everyone{}), operation("quarantine.add")));
  before_ = read();
  open_again();
  expect_whole();
  EXPECT_EQ(must(store().quarantines()), std::vector{quarantine(Everyone{})});
}

}  // namespace
}  // namespace sekisho::store

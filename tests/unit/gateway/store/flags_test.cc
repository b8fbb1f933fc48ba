#include <gmock/gmock.h>

#include "gateway/store/sha256.h"
#include "gateway/store/store.h"
#include "tests/unit/gateway/store/sample_state.h"

// Flags, and the tokens with which devices bring them.
namespace sekisho::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;

const PersonId kTanaka("tanaka");
const DeviceId kLaptop("laptop");

class StoreFlags : public StoreTest {
 protected:
  // As it is kept then.
  Flag add(Flag flag) {
    flag.number = *recorded(operation("flag.add", flag.time),
                            [&](const Operation& entry) { return store().add_flag(flag, entry); });
    return flag;
  }
  void set(const Flag& flag, FlagState state, const std::string& outcome) {
    recorded(operation("flag.act", later(5)), [&](const Operation& entry) {
      return store().set_flag(flag.number, state, outcome, entry);
    });
  }
  std::optional<Flag> find(const std::string& key, const DeviceId& device = kLaptop,
                           const PersonId& person = kTanaka, const std::string& source = "clamav") {
    return must(store().find_flag(device, person, source, key));
  }
};

TEST_F(StoreFlags, ComeBackAsTheyWereAddedNewestFirst) {
  std::vector<Flag> newest_first;
  for (const Severity severity : kSeverities) {
    for (const FlagState state : kFlagStates) {
      Flag each = flag("laptop", "", later(static_cast<int>(newest_first.size())));
      each.severity = severity;
      each.state = state;
      newest_first.insert(newest_first.begin(), add(each));
    }
  }
  Flag odd = flag("", "'; DROP TABLE flags; --");
  odd.detail = "木馬 \"x\"";
  odd.by = "";
  newest_first.insert(newest_first.begin(), add(odd));
  EXPECT_EQ(newest_first.back().number, FlagNumber(1));
  EXPECT_EQ(newest_first.front().number, FlagNumber(newest_first.size()));
  EXPECT_EQ(must(store().flags(100)), newest_first);
  open_again();
  EXPECT_EQ(must(store().flags(100)), newest_first);
  newest_first.resize(3);
  EXPECT_EQ(must(store().flags(3)), newest_first);
  EXPECT_THAT(must(store().flags(0)), IsEmpty());
}

TEST_F(StoreFlags, OneIsFoundByItsNumber) {
  add(flag("laptop", ""));
  const Flag second = add(flag("phone", ""));
  EXPECT_THAT(must(store().flag(second.number)), Optional(second));
  EXPECT_EQ(must(store().flag(FlagNumber(3))), std::nullopt);
  EXPECT_EQ(must(store().flag(FlagNumber())), std::nullopt);
  EXPECT_EQ(must(store().flag(FlagNumber(~std::uint64_t{0}))), std::nullopt);
}

TEST_F(StoreFlags, OfTheSameKeyTheLastIsFound) {
  add(flag("laptop", "scan-7"));
  Flag again = flag("laptop", "scan-7", later(60));
  again.detail = "something else";
  again = add(again);
  EXPECT_THAT(must(store().find_flag(again.device, again.person, again.source, again.key)),
              Optional(again));
}

TEST_F(StoreFlags, AKeyIsOfOneSourceAndOneDevice) {
  const Flag first = add(flag("laptop", "7"));
  Flag other_source = flag("laptop", "7");
  other_source.source = "osquery";
  other_source = add(other_source);
  const Flag other_device = add(flag("phone", "7"));
  Flag other_person = flag("laptop", "7");
  other_person.person = PersonId("suzuki");
  other_person = add(other_person);
  EXPECT_THAT(find("7"), Optional(first));
  EXPECT_THAT(find("7", kLaptop, kTanaka, "osquery"), Optional(other_source));
  EXPECT_THAT(find("7", DeviceId("phone")), Optional(other_device));
  EXPECT_THAT(find("7", kLaptop, PersonId("suzuki")), Optional(other_person));
  EXPECT_EQ(find("8"), std::nullopt);
  EXPECT_EQ(find("7", DeviceId()), std::nullopt);
  EXPECT_EQ(find("7", kLaptop, kTanaka, "clam"), std::nullopt);
}

TEST_F(StoreFlags, WithoutAKeyEachIsAnother) {
  EXPECT_EQ(add(flag("laptop", "")).number, FlagNumber(1));
  EXPECT_EQ(add(flag("laptop", "")).number, FlagNumber(2));
  EXPECT_EQ(find(""), std::nullopt) << "no key names none of them";
}

TEST_F(StoreFlags, ADecisionIsKeptAndAsksNoMore) {
  const Flag first = add(flag("laptop", "a"));
  const Flag second = add(flag("phone", "b"));
  EXPECT_EQ(must(store().flags_asking()), 2U);
  set(first, FlagState::dismissed, "a test file");
  Flag decided = first;
  decided.state = FlagState::dismissed;
  decided.outcome = "a test file";
  open_again();
  EXPECT_EQ(must(store().flags(10)), (std::vector{second, decided}));
  EXPECT_EQ(must(store().flags_asking()), 1U);
  set(second, FlagState::acted, "quarantined by sato");
  EXPECT_EQ(must(store().flags_asking()), 0U);
}

TEST_F(StoreFlags, WhatDoesNotExistIsNotDecided) {
  add(flag("laptop", ""));
  const auto flags = must(store().flags(10));
  const auto operations = must(store().operations(100));
  const Error error =
      why(store().set_flag(FlagNumber(2), FlagState::acted, "x", operation("flag.act")));
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_EQ(error.object, "flag 2");
  EXPECT_EQ(must(store().flags(10)), flags);
  EXPECT_EQ(must(store().operations(100)), operations);
}

TEST_F(StoreFlags, NoneCanBeDeleted) {
  add(flag("laptop", ""));
  EXPECT_EQ(refusal_of(directory_.file(), "DELETE FROM flags"), SQLITE_CONSTRAINT);
  sql("DROP TRIGGER flags_stay; DELETE FROM flags");
  EXPECT_THAT(must(store().flags(10)), IsEmpty()) << "the trigger alone keeps them";
}

class DamagedFlag : public StoreFlags, public testing::WithParamInterface<const char*> {};

TEST_P(DamagedFlag, IsAnErrorThatNamesIt) {
  add(flag("laptop", "a"));
  sql(std::string("PRAGMA ignore_check_constraints=1; UPDATE flags SET ") + GetParam());
  for (const Error& error : {why(store().flags(10)), why(store().flag(FlagNumber(1))),
                             why(store().find_flag(kLaptop, kTanaka, "clamav", "a"))}) {
    EXPECT_EQ(error.object, directory_.file().string());
    EXPECT_THAT(error.cause, HasSubstr("flag 1 is not one"));
  }
}

INSTANTIATE_TEST_SUITE_P(Every, DamagedFlag,
                         testing::Values("state = 'open'", "state = ''", "severity = 'worst'",
                                         "severity = ''"));

class StoreTokens : public StoreTest {
 protected:
  void make(const DeviceId& device, const std::string& token) {
    recorded(operation("device.token"), [&](const Operation& entry) {
      return store().set_device_token(device, sha256(token), entry);
    });
  }
  std::optional<DeviceId> owner(const std::string& token) {
    return must(store().device_of_token(sha256(token)));
  }
  void change(const DeviceChange& change) {
    must(store().change_devices(change, operation("device.set")));
  }
};

TEST_F(StoreTokens, OneNamesItsDeviceAndTheNextReplacesIt) {
  make(kLaptop, "first");
  make(DeviceId("phone"), "other");
  EXPECT_EQ(owner("first"), kLaptop);
  EXPECT_EQ(owner("other"), DeviceId("phone"));
  EXPECT_EQ(owner(""), std::nullopt);
  make(kLaptop, "second");
  open_again();
  EXPECT_EQ(owner("second"), kLaptop);
  EXPECT_EQ(owner("first"), std::nullopt);
  EXPECT_EQ(owner("other"), DeviceId("phone"));
}

TEST_F(StoreTokens, ADeviceThatGoesTakesItsOwnAlong) {
  change(adding(device("laptop", 1, {})));
  change(adding(device("phone", 2, {})));
  make(kLaptop, "laptop's");
  make(DeviceId("phone"), "phone's");
  change({.remove = {kLaptop}});
  EXPECT_EQ(owner("laptop's"), std::nullopt);
  EXPECT_EQ(owner("phone's"), DeviceId("phone"));
  change(adding(device("laptop", 1, {})));
  EXPECT_EQ(owner("laptop's"), std::nullopt) << "and it does not come back with the name";
}

TEST_F(StoreTokens, AndSoItDoesWithARevision) {
  change(adding(device("laptop", 1, {})));
  make(kLaptop, "laptop's");
  // Another key: whoever had the device before may have its token.
  DeviceChange rekeyed = adding(device("laptop", 9, {}));
  rekeyed.remove = {kLaptop};
  const auto number = must(store().add_pending(revision("rekeyed", {})));
  EXPECT_EQ(owner("laptop's"), kLaptop) << "nothing has changed yet";
  must(store().activate(number, rekeyed, operation("device.set")));
  EXPECT_EQ(owner("laptop's"), std::nullopt);
}

TEST_F(StoreTokens, ARefusedChangeOfDevicesKeepsThem) {
  change(adding(device("laptop", 1, {})));
  make(kLaptop, "laptop's");
  const DeviceChange refused{.remove = {kLaptop, DeviceId("nobody's")}};
  EXPECT_EQ(why(store().change_devices(refused, operation("device.set"))).code,
            ErrorCode::not_found);
  EXPECT_EQ(owner("laptop's"), kLaptop);
}

}  // namespace
}  // namespace sekisho::store

#include <gmock/gmock.h>

#include "gateway/store/sha256.h"
#include "gateway/store/store.h"
#include "tests/unit/gateway/store/sample_state.h"

namespace sekisho::store {
namespace {

class Operations : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 1; i <= 9; ++i) must(store_.record(operation("op" + std::to_string(i), later(i))));
  }
  // As an intruder with the file would: past the triggers.
  void forge(const std::string& sql) {
    tamper(directory_.file(),
           "DROP TRIGGER operations_stay; DROP TRIGGER operations_stay_unchanged; " + sql);
  }

  Directory directory_;
  Store store_ = must(Store::open(directory_.state(), kNow));
};

TEST_F(Operations, ComeBackAsRecordedNewestFirst) {
  Operation odd = operation("odd", later(10));
  odd.after = std::string("a\0b", 3);
  odd.reason = "";
  odd.via = Via::daemon;
  odd.actor.uid = 0xffffffff;
  EXPECT_EQ(must(store_.record(odd)), Sequence(10));
  const auto newest = must(store_.operations(3));
  ASSERT_EQ(newest.size(), 3U);
  EXPECT_EQ(newest[0].operation, odd);
  EXPECT_EQ(newest[1].operation, operation("op9", later(9)));
  const auto older = must(store_.operations(100, newest[2].sequence));
  ASSERT_EQ(older.size(), 7U);
  EXPECT_EQ(older.back().sequence, Sequence(1));
}

TEST_F(Operations, TheChainHolds) {
  EXPECT_EQ(must(store_.verify_operations()), std::nullopt);
}

// The encoding of README.md, built here by hand.
TEST_F(Operations, TheEncodingIsTheDocumentedOne) {
  const auto number = [](std::uint64_t value) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  const auto text = [&](const std::string& value) { return number(value.size()) + value; };
  const std::string bytes = std::string(32, '\0') + number(1) + number(1'800'000'001) +
                            text("tanaka") + number(1000) + text("socket") + text("op1") +
                            text("policy") + text("old") + text("new") + text("because") +
                            text("ok");
  EXPECT_EQ(must(store_.operations(1, Sequence(2))).front().hash, sha256(bytes));
}

TEST_F(Operations, TheDatabaseRefusesToChangeThem) {
  for (const char* sql : {"UPDATE operations SET reason = 'x'", "DELETE FROM operations"}) {
    EXPECT_EQ(refusal_of(directory_.file(), sql), SQLITE_CONSTRAINT) << sql;
  }
}

class ForgedColumn : public Operations, public testing::WithParamInterface<const char*> {};

TEST_P(ForgedColumn, BreaksTheChain) {
  forge("UPDATE operations SET " + std::string(GetParam()) + " WHERE sequence = 5");
  EXPECT_EQ(must(store_.verify_operations()), Sequence(5));
  // Records appended after the forgery do not heal it.
  must(store_.record(operation("later")));
  EXPECT_EQ(must(store_.verify_operations()), Sequence(5));
}

INSTANTIATE_TEST_SUITE_P(Every, ForgedColumn,
                         testing::Values("time = time + 1", "user = 'root'", "uid = uid + 1",
                                         "uid = uid + 4294967296", "via = 'daemon'", "name = 'x'",
                                         "object = 'x'", "before = 'x'", "after = 'x'",
                                         "reason = 'x'", "result = 'x'", "hash = zeroblob(32)",
                                         "hash = x'00'"));

// What moves from one field into its neighbour keeps the bytes but not the lengths.
TEST_F(Operations, TextMovedBetweenFieldsBreaksTheChain) {
  forge("UPDATE operations SET name = name || 'p', object = substr(object, 2) WHERE sequence = 4");
  EXPECT_EQ(must(store_.verify_operations()), Sequence(4));
}

TEST_F(Operations, AMissingRecordBreaksTheChain) {
  forge("DELETE FROM operations WHERE sequence = 3");
  EXPECT_EQ(must(store_.verify_operations()), Sequence(3));
}

TEST_F(Operations, SwappedRecordsBreakTheChain) {
  forge(
      "UPDATE operations SET sequence = 100 WHERE sequence = 6;"
      "UPDATE operations SET sequence = 6 WHERE sequence = 7;"
      "UPDATE operations SET sequence = 7 WHERE sequence = 100");
  EXPECT_EQ(must(store_.verify_operations()), Sequence(6));
}

TEST(Sha256, IsFips180) {
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace sekisho::store

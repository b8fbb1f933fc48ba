#include <gmock/gmock.h>

#include <set>

#include "gateway/store/sha256.h"
#include "gateway/store/store.h"
#include "tests/unit/gateway/store/sample_state.h"

namespace sekisho::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Revisions : public testing::Test {
 protected:
  RevisionNumber activated(const std::string& document, RevisionNumber base) {
    const auto number = must(store_.add_pending(revision(document, base)));
    must(store_.activate(number, {}, operation("policy.apply")));
    return number;
  }
  void reopen() {
    {
      const Store closed = std::move(store_);
    }
    store_ = must(Store::open(directory_.state(), later(60)));
  }
  RevisionState state(unsigned number) {
    return must(store_.revision(RevisionNumber(number))).info.state;
  }

  std::set<std::string> digests_;
  Directory directory_;
  Store store_ = must(Store::open(directory_.state(), kNow));
};

TEST_F(Revisions, NoneIsActiveInTheBeginning) {
  EXPECT_EQ(must(store_.active()), std::nullopt);
  EXPECT_EQ(must(store_.atom_space()), AtomSpace{});
  EXPECT_TRUE(must(store_.history(10)).empty());
}

TEST_F(Revisions, OneGoesFromPendingToActiveAndComesBackExactly) {
  const std::string document = "[person.tanaka]\nname = \"田中\"\n";
  const auto number = must(store_.add_pending(revision(document, {})));
  EXPECT_EQ(number, RevisionNumber(1));
  EXPECT_EQ(state(1), RevisionState::pending);
  EXPECT_EQ(must(store_.active()), std::nullopt);
  must(store_.activate(number, {}, operation("policy.apply")));
  reopen();

  const auto active = must(store_.active());
  ASSERT_TRUE(active);
  EXPECT_EQ(text_of(*active), document);
  EXPECT_EQ(active->space, space(4098));
  EXPECT_EQ(active->info, (RevisionInfo{.number = number,
                                        .state = RevisionState::active,
                                        .author = "tanaka",
                                        .reason = "new wiki",
                                        .time = kNow,
                                        .base = {},
                                        .digest = active->info.digest}));
  EXPECT_EQ(active->info.digest.size(), 64U);
  EXPECT_EQ(must(store_.operations(10)).front().operation, operation("policy.apply"));
}

TEST_F(Revisions, TheFormerActiveOneIsSuperseded) {
  const auto first = activated("one", {});
  activated("two", first);
  EXPECT_EQ(state(1), RevisionState::superseded);
  EXPECT_EQ(state(2), RevisionState::active);
  const auto history = must(store_.history(10));
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].number, RevisionNumber(2));
  EXPECT_EQ(history[0].base, first);
  EXPECT_EQ(must(store_.history(10, RevisionNumber(2))).size(), 1U);
  EXPECT_EQ(must(store_.history(1)).size(), 1U);
}

TEST_F(Revisions, AnEditOfAnOlderRevisionIsAConflict) {
  const auto first = activated("one", {});
  activated("two", first);
  const auto stale = store_.add_pending(revision("three", first));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, ErrorCode::conflict);
  EXPECT_THAT(stale.error().cause, HasSubstr("revision 2 is active"));
  EXPECT_EQ(must(store_.history(10)).size(), 2U);
}

TEST_F(Revisions, OnlyOneIsPending) {
  must(store_.add_pending(revision("one", {})));
  const auto second = store_.add_pending(revision("two", {}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
}

TEST_F(Revisions, AnAbandonedOneKeepsItsNumberAndItsWhy) {
  Operation entry = operation("policy.apply");
  entry.result = "kernel: no memory";
  must(store_.abandon(must(store_.add_pending(revision("one", {}))), entry));
  EXPECT_EQ(state(1), RevisionState::abandoned);
  EXPECT_EQ(must(store_.operations(1)).front().operation.result, "kernel: no memory");
  EXPECT_EQ(activated("two", {}), RevisionNumber(2));
  EXPECT_FALSE(store_.activate(RevisionNumber(1), {}, operation("policy.apply")));
  EXPECT_FALSE(store_.abandon(RevisionNumber(2), entry));
}

TEST_F(Revisions, OneFoundPendingIsAbandonedAndThatRecorded) {
  activated("one", {});
  must(store_.add_pending(revision("two", RevisionNumber(1))));
  reopen();
  EXPECT_EQ(state(1), RevisionState::active);
  EXPECT_EQ(state(2), RevisionState::abandoned);
  const auto newest = must(store_.operations(1)).front().operation;
  EXPECT_EQ(newest.name, "policy.abandon");
  EXPECT_EQ(newest.object, "revision:2");
  EXPECT_EQ(newest.time, later(60));
  EXPECT_NE(newest.result, "ok");
}

TEST_F(Revisions, AnActivationThatFailsChangesNothing) {
  activated("one", {});
  const auto number = must(store_.add_pending(revision("two", RevisionNumber(1))));
  const std::size_t recorded = must(store_.operations(100)).size();
  // The second removal is of a device that does not exist; all before it must be taken back.
  DeviceChange change = adding(device("laptop", 1, {address("10.9.0.2")}));
  change.remove = {DeviceId("nobody")};
  const auto done = store_.activate(number, change, operation("policy.apply"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::not_found);
  EXPECT_EQ(state(1), RevisionState::active);
  EXPECT_EQ(state(2), RevisionState::pending);
  EXPECT_TRUE(must(store_.devices()).empty());
  EXPECT_EQ(must(store_.operations(100)).size(), recorded);
}

TEST_F(Revisions, AtomNumbersAreNeverGivenAgain) {
  activated("one", {});
  auto wider = revision("two", RevisionNumber(1), 5000);
  must(store_.abandon(must(store_.add_pending(wider)), operation("policy.apply")));
  reopen();
  EXPECT_EQ(must(store_.atom_space()).next, 5000U);
  EXPECT_EQ(must(store_.atom_space()).atoms, space(0).atoms);
  EXPECT_EQ(must(store_.active())->space.next, 5000U);

  const auto again = store_.add_pending(revision("three", RevisionNumber(1), 4999));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().cause, HasSubstr("given before"));
  EXPECT_TRUE(store_.add_pending(revision("three", RevisionNumber(1), 5000)));
}

TEST_F(Revisions, EqualAtomsAreStoredOnce) {
  RevisionNumber base;
  for (const char* document : {"one", "two", "three"}) base = activated(document, base);
  auto other = revision("four", base);
  other.space = space(4098, "other");
  must(store_.add_pending(other));
  EXPECT_EQ(tamper(directory_.file(), "SELECT count(*) FROM atom_spaces"), "2");
}

// A revision is its edit; the whole is asked for in the beginning, and when the edits since weigh
// as much as it does.
TEST_F(Revisions, EditsAreKeptAndNowAndThenTheWhole) {
  int asked = 0;
  RevisionNumber base;
  for (int i = 1; i <= 200; ++i) {
    auto next = revision("edit " + std::to_string(i), base);
    next.document = [&asked, i] {
      ++asked;
      return "whole " + std::to_string(i) + std::string(600, '.');
    };
    if (i > 1) next.space.reset();
    base = must(store_.add_pending(next));
    must(store_.activate(base, {}, operation("policy.apply")));
  }
  EXPECT_EQ(asked, 3);
  const Revision early = must(store_.revision(RevisionNumber(50)));
  EXPECT_THAT(early.document, StartsWith("whole 1."));
  EXPECT_EQ(early.edits.size(), 49U);
  EXPECT_EQ(early.edits.front(), "edit 2");
  EXPECT_EQ(early.edits.back(), "edit 50");
  EXPECT_EQ(early.space, must(store_.revision(base)).space);
  const Revision late = must(store_.revision(base));
  EXPECT_THAT(late.document, AllOf(StartsWith("whole "), Not(StartsWith("whole 1."))));
  EXPECT_EQ(late.edits.back(), "edit 200");
}

TEST_F(Revisions, ADigestStandsForAllThatCameBefore) {
  for (int i = 0; i < 2; ++i) {
    Directory directory;
    Store store = must(Store::open(directory.state(), kNow));
    auto first = revision(i == 0 ? "one" : "eins", {});
    must(store.activate(must(store.add_pending(first)), {}, operation("policy.apply")));
    must(store.add_pending(revision("two", RevisionNumber(1))));
    digests_.insert(must(store.revision(RevisionNumber(2))).info.digest);
  }
  EXPECT_EQ(digests_.size(), 2U);
}

TEST_F(Revisions, DamagedDocumentOrAtomsAreToldAndNotGivenOut) {
  activated("one", {});
  tamper(directory_.file(), "UPDATE revisions SET edit = 'onf'");
  EXPECT_THAT(why(store_.active()).cause, HasSubstr("text of revision 1"));
  tamper(directory_.file(),
         "UPDATE revisions SET edit = 'one';"
         "UPDATE atom_spaces SET content = replace(content, '443', '442')");
  EXPECT_THAT(why(store_.active()).cause, HasSubstr("atoms of revision 1"));
}

TEST_F(Revisions, OfAnyTimeTheOneInForceIsFound) {
  EXPECT_EQ(why(store_.revision_at(kNow)).code, ErrorCode::not_found);
  NewRevision first = revision("first", {});
  NewRevision second = revision("second", RevisionNumber(1));
  NewRevision given_up = revision("given up", RevisionNumber(2));
  second.time = later(10);
  given_up.time = later(20);
  must(store_.activate(must(store_.add_pending(first)), {}, operation("policy.apply")));
  must(store_.activate(must(store_.add_pending(second)), {}, operation("policy.apply")));
  must(store_.abandon(must(store_.add_pending(given_up)), operation("policy.apply")));
  const auto at = [&](int seconds) { return must(store_.revision_at(later(seconds))).info.number; };
  EXPECT_EQ(at(0), RevisionNumber(1));
  EXPECT_EQ(at(9), RevisionNumber(1));
  EXPECT_EQ(at(10), RevisionNumber(2));
  EXPECT_EQ(at(1000), RevisionNumber(2));
  EXPECT_EQ(text_of(must(store_.revision_at(later(5)))), "first");
  const Error none = why(store_.revision_at(later(-1)));
  EXPECT_EQ(none.code, ErrorCode::not_found);
  EXPECT_THAT(none.advice, HasSubstr("policy history"));
}

TEST_F(Revisions, ATrialIsKeptUntilItIsConfirmedOrFollowed) {
  EXPECT_EQ(must(store_.provisional()), std::nullopt);
  const Provisional trial{.back_to = RevisionNumber(1),
                          .until = later(60),
                          .length = std::chrono::seconds(60),
                          .author = "tanaka",
                          .cuts = {"device.phone", "person.suzuki"}};
  const auto activate = [&](const std::string& document, unsigned base,
                            const std::optional<Provisional>& provisional) {
    const auto number = must(store_.add_pending(revision(document, RevisionNumber(base))));
    must(store_.activate(number, {}, operation("policy.apply"), provisional));
  };
  activate("first", 0, {});
  activate("second", 1, trial);
  reopen();
  EXPECT_EQ(must(store_.provisional()), trial);
  must(store_.confirm(operation("policy.confirm")));
  EXPECT_EQ(must(store_.operations(1)).front().operation.name, "policy.confirm");
  EXPECT_EQ(must(store_.provisional()), std::nullopt);
  activate("third", 2, trial);
  activate("fourth", 3, {});
  EXPECT_EQ(must(store_.provisional()), std::nullopt);
}

TEST_F(Revisions, UnknownNumberIsNotFound) {
  EXPECT_EQ(why(store_.revision(RevisionNumber(9))).code, ErrorCode::not_found);
}

}  // namespace
}  // namespace sekisho::store

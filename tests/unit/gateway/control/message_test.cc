#include "gateway/control/message.h"

#include <gmock/gmock.h>

#include <array>
#include <set>

namespace sekisho::control {
namespace {

using testing::HasSubstr;

TEST(Operations, EveryNameAndRouteIsUnique) {
  std::set<std::string> names;
  std::set<std::string> routes;
  for (const Operation& operation : operations()) {
    EXPECT_TRUE(names.insert(operation.name()).second) << operation.name();
    EXPECT_TRUE(routes.insert(std::string(operation.method) + std::string(operation.path)).second)
        << operation.name();
    EXPECT_EQ(find_operation(operation.name()), &operation);
  }
}

TEST(Operations, NothingIsOpenToNobodyAndChangesTakeMoreThanLooking) {
  const std::set<std::string> of_the_portal{"flag.add", "notice.show"};
  for (const Operation& operation : operations()) {
    const bool of_portal = of_the_portal.contains(operation.name());
    EXPECT_EQ(may(Authority::portal, operation), of_portal) << operation.name();
    EXPECT_FALSE(may(Authority::nobody, operation)) << operation.name();
    EXPECT_FALSE(operation.changes && may(Authority::auditor, operation)) << operation.name();
    EXPECT_TRUE(may(Authority::officer, operation)) << operation.name();
    // RFC 9110: GET changes nothing.
    EXPECT_FALSE(operation.changes && operation.method == "GET") << operation.name();
  }
}

TEST(Frames, LengthIsBigEndianAndBounded) {
  const std::string framed = frame("abc");
  EXPECT_EQ(framed, std::string("\0\0\0\3abc", 7));
  EXPECT_EQ(*frame_length(std::array<std::uint8_t, 4>{0, 0, 1, 2}), 258U);
  EXPECT_FALSE(frame_length(std::array<std::uint8_t, 4>{0x7f, 0, 0, 0}).has_value());
}

TEST(Requests, RoundTrip) {
  const Request request{OperationId::person_add, {Node::Table{{"id", {std::string("tanaka")}}}}};
  const auto again = decode_request(encode(request));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->operation, OperationId::person_add);
  EXPECT_EQ(*again->parameters.find("id")->string(), "tanaka");
}

TEST(Requests, MistakesAreAllTold) {
  const auto refused =
      decode_request(R"({"operation":"grant.add","parameters":{"id":7,"colour":"red"}})");
  ASSERT_FALSE(refused.has_value());
  std::string all;
  for (const Error& error : refused.error()) all += to_string(error) + "\n";
  EXPECT_THAT(all, HasSubstr("grant.add.id: the value is not a text"));
  EXPECT_THAT(all, HasSubstr("grant.add.colour: this operation has no such parameter"));
  EXPECT_THAT(all, HasSubstr("grant.add.who: is missing"));
}

TEST(Requests, NonsenseIsRefused) {
  for (const char* nonsense :
       {"", "[]", "{}", "{\"operation\":1}", "{\"operation\":\"person.fly\"}",
        "{\"operation\":\"status\",\"parameters\":[]}", "\xff"}) {
    EXPECT_FALSE(decode_request(nonsense).has_value()) << nonsense;
  }
}

TEST(Replies, ResultsAndErrorsRoundTrip) {
  const auto result = decode_reply(encode(Reply(Node{Node::Table{{"answer", {true}}}})));
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(std::get<bool>(result->find("answer")->value));
  const Errors errors{{ErrorCode::conflict, "policy", "changed", "policy:1:2", "look"}};
  const auto failed = decode_reply(encode(Reply(std::unexpected(errors))));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error(), errors);
}

}  // namespace
}  // namespace sekisho::control

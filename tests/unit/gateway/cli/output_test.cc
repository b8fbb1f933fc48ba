#include "gateway/cli/output.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "gateway/cli/made_key.h"
#include "gateway/cli/request.h"
#include "gateway/keys/keys.h"

namespace sekisho::cli {
namespace {

using control::find_operation;
using testing::HasSubstr;

const CommandRow* find_row(std::string_view name) {
  const auto rows = command_rows();
  return &*std::ranges::find(rows, name, &CommandRow::name);
}

Node text(std::string_view value) {
  return {std::string(value)};
}

TEST(Output, ListsAreTablesAndWideCharactersTakeTwoColumns) {
  const Node rows{Node::Array{
      {Node::Table{{"id", text("tanaka")}, {"name", text("田中")}, {"state", text("active")}}},
      {Node::Table{{"id", text("al")}, {"name", text("Al")}, {"state", text("active")}}}}};
  EXPECT_EQ(as_text(*find_row("person.list"), rows),
            "ID      NAME  STATE\n"
            "tanaka  田中  active\n"
            "al      Al    active\n");
}

TEST(Output, AnEmptyListSaysSo) {
  EXPECT_EQ(as_text(*find_row("person.list"), {Node::Array{}}), "none\n");
}

TEST(Output, JsonNamesItsSchema) {
  EXPECT_EQ(as_json(*find_row("status"), Node{Node::Table{{"answer", {true}}}}),
            "{\"schema\": \"sekisho.status/1\", \"result\": {\"answer\": true}}\n");
}

TEST(Output, ErrorsSayCodeObjectCauseAndWhatToDo) {
  EXPECT_EQ(
      as_text(Errors{{ErrorCode::conflict, "person.tanaka", "exists already", {}, "change it"}}),
      "error[conflict]: person.tanaka: exists already\n  what to do: change it\n");
}

TEST(Output, MistakesInTheWordsTypedHaveTheSameForms) {
  EXPECT_EQ(usage_as_text("id is required", "see: sekisho person add --help"),
            "error[usage]: id is required\n  what to do: see: sekisho person add --help\n");
  EXPECT_EQ(
      usage_as_json("id is required", "see: sekisho person add --help"),
      "{\"schema\": \"sekisho.usage/1\", \"errors\": [{\"code\": \"usage\", \"object\": \"\", "
      "\"cause\": \"id is required\", \"place\": \"\", "
      "\"advice\": \"see: sekisho person add --help\"}]}\n");
}

TEST(Output, ExitCodes) {
  EXPECT_EQ(exit_code(control::Reply(Node{Node::Table{{"answer", {false}}}})), 7);
  EXPECT_EQ(exit_code(control::Reply(Node{Node::Table{{"answer", {true}}}})), 0);
  EXPECT_EQ(exit_code(control::Reply(Node{Node::Array{}})), 0);
  EXPECT_EQ(exit_code(ErrorCode::failed), 1);
  EXPECT_EQ(exit_code(ErrorCode::not_found), 3);
  EXPECT_EQ(exit_code(ErrorCode::not_permitted), 4);
  EXPECT_EQ(exit_code(ErrorCode::conflict), 5);
  EXPECT_EQ(exit_code(ErrorCode::unreachable), 6);
}

TEST(Output, EveryExitCodeIsExplained) {
  int expect = 0;
  for (const ExitCode& exit : exit_codes()) {
    EXPECT_EQ(exit.code, expect++);
    EXPECT_FALSE(exit.name.empty() || exit.meaning.empty()) << exit.code;
  }
  for (const ErrorCode code :
       {ErrorCode::failed, ErrorCode::invalid, ErrorCode::not_found, ErrorCode::not_permitted,
        ErrorCode::conflict, ErrorCode::unreachable, ErrorCode::answered_no,
        ErrorCode::rolled_back})
    EXPECT_LT(exit_code(code), expect);
}

TEST(Help, NamesTheSocketThatIsAskedByDefault) {
  EXPECT_THAT(std::string(common_options().front().help), HasSubstr(kDefaultSocket));
  EXPECT_THAT(std::string(common_options().front().help), HasSubstr(kSocketVariable));
}

TEST(Requests, ServicesCarryTheirReasons) {
  const auto request =
      make_request(*find_operation("resource.add"),
                   {{"id", {"db"}}, {"services", {"https", "tcp:5432=no TLS there"}}});
  ASSERT_TRUE(request.has_value());
  const Node::Array& services = *request->parameters.find("services")->array();
  EXPECT_EQ(*services[0].string(), "https");
  EXPECT_EQ(*services[1].find("service")->string(), "tcp:5432");
  EXPECT_EQ(*services[1].find("reason")->string(), "no TLS there");
}

TEST(Requests, AMissingFileAndABadNumberAreErrors) {
  EXPECT_FALSE(
      make_request(*find_operation("policy.check"), {{"document", {"/nonexistent"}}}).has_value());
  EXPECT_FALSE(make_request(*find_operation("policy.history"), {{"limit", {"3x"}}}).has_value());
}

TEST(MadeKey, StandsInTheProfileAndFitsItsPublicHalf) {
  const MadeKey key = make_key();
  EXPECT_EQ(public_key_of(key.private_key), key.public_key);
  const std::string profile =
      profile_with_key("[Interface]\n# one\n# two\nAddress = 10.66.0.2/32\n", key.private_key);
  EXPECT_EQ(profile, "[Interface]\nPrivateKey = " + key.private_key.reveal_base64() +
                         "\nAddress = 10.66.0.2/32\n");
  EXPECT_THAT(terminal_qr(profile), HasSubstr("▀"));
}

}  // namespace
}  // namespace sekisho::cli

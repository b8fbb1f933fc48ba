#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/page/flag.h"
#include "gateway/page/notice.h"
#include "gateway/page/problem.h"

namespace sekisho::page {
namespace {

using testing::HasSubstr;
using testing::Not;

Node text(std::string value) {
  return {std::move(value)};
}

const IpAddress kFrom = *IpAddress::parse("10.66.0.2");

TEST(NoticePage, SaysWhatBecameOfTheDeviceInBothLanguages) {
  const Node answer{Node::Table{{"state", text("isolated")},
                                {"device", text("laptop")},
                                {"since", text("2026-11-28T09:00:00Z")},
                                {"contact", text("Sato & <b>")}}};
  const std::string page = notice_page(&answer);
  for (const char* word : {"切り離されています", "has been cut off", "laptop",
                           "2026-11-28T09:00:00Z", "Sato &amp; &lt;b&gt;"}) {
    EXPECT_THAT(page, HasSubstr(word));
  }
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(NoticePage, AFreeDeviceIsNotAlarmed) {
  const Node answer{Node::Table{{"state", text("free")}, {"device", text("laptop")}}};
  EXPECT_THAT(notice_page(&answer), HasSubstr("Nothing is wrong with this device"));
}

TEST(NoticePage, WhatIsNotKnownIsNotGuessed) {
  const Node odd{Node::Table{{"state", text("whatever")}}};
  const Node none{Node::Table{}};
  for (const Node* answer : {&odd, &none, static_cast<const Node*>(nullptr)}) {
    EXPECT_THAT(notice_page(answer), HasSubstr("is not known"));
  }
}

TEST(Flag, CarriesWhatTheDeviceSaysAndWhoItIs) {
  const auto request = read_flag(R"({"source":"clamav","detail":"EICAR","key":"k"})", "t", kFrom);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->operation, control::OperationId::flag_add);
  EXPECT_EQ(*request->parameters.find("token")->string(), "t");
  EXPECT_EQ(*request->parameters.find("address")->string(), "10.66.0.2");
  EXPECT_EQ(*request->parameters.find("detail")->string(), "EICAR");
  // What it is made into is what the gateway reads.
  EXPECT_TRUE(control::decode_request(control::encode(*request)));
}

TEST(Flag, NothingElseIsLetThrough) {
  for (const char* body :
       {"", "x", "[]", "7", "{}", R"({"detail":"no source"})", R"({"source":7})",
        R"({"source":"a","target":"device:b"})", R"({"source":"a","address":"10.66.0.9"})",
        R"({"source":"a","token":"b"})", R"({"source":"a","source":"b"})"}) {
    const auto refused = read_flag(body, "t", kFrom);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid) << body;
    EXPECT_FALSE(refused.error().advice.empty()) << body;
  }
}

TEST(Flag, TheDeviceHearsNoMoreThanItNeeds) {
  const Node result{Node::Table{{"flag", {std::int64_t{7}}},
                                {"device", text("laptop")},
                                {"state", text("acted")},
                                {"outcome", text("it was isolated")},
                                {"repeated", {false}},
                                {"proof", text("not for it")},
                                {"by", text("nor this")}}};
  EXPECT_EQ(
      write_flag(result),
      R"({"flag": 7, "device": "laptop", "state": "acted", "outcome": "it was isolated", "repeated": false})");
}

TEST(Problem, HasTheStatusThatFits) {
  EXPECT_EQ(status_of(ErrorCode::invalid), 422);
  EXPECT_EQ(status_of(ErrorCode::not_permitted), 403);
  EXPECT_EQ(status_of(ErrorCode::not_found), 404);
  EXPECT_EQ(status_of(ErrorCode::conflict), 409);
  EXPECT_EQ(status_of(ErrorCode::unreachable), 503);
  EXPECT_EQ(status_of(ErrorCode::failed), 500);
  EXPECT_EQ(
      problem(Error{ErrorCode::not_permitted, "token", "is wrong", {}, "make one"}),
      R"({"status": 403, "code": "not_permitted", "detail": "token: is wrong", "advice": "make one"})");
}

}  // namespace
}  // namespace sekisho::page

#include "gateway/notice/notice.h"

#include <gmock/gmock.h>

#include "gateway/notice/delivery.h"

namespace sekisho::notice {
namespace {

constexpr const char* kId = "20261128T135014.123Z-0f1e2d3c4b5a6978";

Notice sample() {
  return {.id = kId,
          .time = *parse_time("2026-11-28T13:50:14Z"),
          .gateway = "gate",
          .kind = Kind::drift,
          .severity = Severity::high,
          .object = "kernel",
          .actor = "sekishod",
          .reason = "changed by nft",
          .facts = {{"before", "a table"}, {"result", "repaired"}}};
}

TEST(Notice, ReadsWhatWasWritten) {
  const auto read = read_notice(write_notice(sample()), "f");
  ASSERT_TRUE(read.has_value()) << to_string(read.error());
  EXPECT_EQ(*read, sample());
}

TEST(Notice, LongAndStrangeTextsFit) {
  Notice notice = sample();
  notice.object = "a\r\nBcc: x\x7f\xff" + std::string(5000, '"');
  notice.reason = "";
  for (int i = 0; i < 3000; ++i) notice.reason += "あ";
  for (int i = 0; i < 40; ++i)
    notice.facts.push_back({"fact" + std::to_string(i), std::string(9000, '\\')});
  notice.facts.push_back({"before", "again"});
  const std::string text = write_notice(notice);
  EXPECT_LE(text.size(), kMostNoticeBytes);
  const auto read = read_notice(text, "f");
  ASSERT_TRUE(read.has_value()) << to_string(read.error());
  EXPECT_EQ(*read, bounded(notice));
  EXPECT_EQ(read->facts.size(), kMostFacts);
  EXPECT_EQ(read->object.find_first_of("\r\n\x7f\xff"), std::string::npos);
  EXPECT_TRUE(read->reason.ends_with("あ..."));
}

TEST(Notice, AnIdIsAnIdAndHasATime) {
  EXPECT_TRUE(is_id(kId));
  EXPECT_EQ(time_of_id(kId), *parse_time("2026-11-28T13:50:14Z"));
  for (const char* wrong :
       {"", "../x", "20261128T135014.123Z-0f1e2d3c4b5a697", "20261128T135014.123Z-0f1e2d3c4b5a697G",
        "20261328T135014.123Z-0f1e2d3c4b5a6978", "20261128T135014.123Z-0f1e2d3c4b5a6978/"})
    EXPECT_FALSE(is_id(wrong)) << wrong;
}

TEST(Notice, RefusesWhatIsNone) {
  const std::string good = write_notice(sample());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"drift", "dirt"},
                                                        {"high", "7"},
                                                        {kId, "x"},
                                                        {"2026-11-28T13", "2026-11-28X13"},
                                                        {"\"kernel\"", "7"},
                                                        {"kernel", "a\\nb"},
                                                        {"\"repaired\"", "true"},
                                                        {"\"actor\"", "\"actors\""},
                                                        {"}", ""}}) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    EXPECT_FALSE(read_notice(text, "f").has_value()) << text;
  }
  EXPECT_FALSE(read_notice(std::string(kMostNoticeBytes + 1, ' '), "f").has_value());
}

TEST(Report, ReadsWhatWasWrittenAndAddsUp) {
  const Time time = *parse_time("2026-11-28T13:50:14Z");
  const Report report{.channels = {{.name = "mail.a",
                                    .delivered = 2,
                                    .failed = 1,
                                    .last_delivery = time,
                                    .last_error = "no",
                                    .last_error_time = time},
                                   {.name = "webhook.b",
                                    .delivered = 3,
                                    .failed = 0,
                                    .last_delivery = time + std::chrono::seconds(1),
                                    .last_error = "",
                                    .last_error_time = {}}},
                      .bad = 4,
                      .trouble = "disk"};
  const auto read = read_report(write_report(report), "f");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, report);
  EXPECT_EQ(delivered(report), 5U);
  EXPECT_EQ(failed(report), 1U);
  EXPECT_EQ(last_delivery(report), time + std::chrono::seconds(1));
  EXPECT_EQ(last_errors(report), "mail.a: no");
  EXPECT_FALSE(read_report("{}", "f").has_value());
  EXPECT_FALSE(read_report(R"({"channels":[{}],"bad":0,"trouble":""})", "f").has_value());
}

}  // namespace
}  // namespace sekisho::notice

#include "gateway/notice/mail.h"

#include <gmock/gmock.h>

#include "gateway/notice/webhook.h"

namespace sekisho::notice {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Notice kCut{.id = "20261128T135014.123Z-0f1e2d3c4b5a6978",
                  .time = *parse_time("2026-11-28T13:50:14Z"),
                  .gateway = "gate",
                  .kind = Kind::cut,
                  .severity = Severity::critical,
                  .object = "device.tanaka-laptop",
                  .actor = "sato",
                  .reason = "紛失",
                  .facts = {}};

TEST(Words, SayWhatWhoAndWhy) {
  const Message english = message_of(std::span(&kCut, 1), Language::en);
  EXPECT_EQ(english.id, kCut.id);
  EXPECT_EQ(english.subject, "[gate] Access was cut: device.tanaka-laptop");
  EXPECT_THAT(english.text, HasSubstr("Reason: 紛失\n"));
  EXPECT_THAT(english.text, HasSubstr("Severity: critical\n"));
  const Message japanese = message_of(std::span(&kCut, 1), Language::ja);
  EXPECT_EQ(japanese.subject, "[gate] 通信を遮断しました: device.tanaka-laptop");
  EXPECT_THAT(japanese.text, HasSubstr("理由: 紛失\n"));
}

TEST(Words, ManyAreOneList) {
  std::vector<Notice> many(250, kCut);
  many.back().kind = Kind::drift;
  const Message message = message_of(many, Language::en);
  EXPECT_THAT(message.subject,
              StartsWith("[gate] 250 notices: Access was cut 249, The kernel was changed"));
  EXPECT_EQ(std::ranges::count(message.text, '\n'), 2 + 100 + 1 + 2);
  EXPECT_THAT(message.text, HasSubstr("+ 150 more\n"));
  EXPECT_THAT(webhook_of(message, many), HasSubstr("\"count\": 250"));
}

TEST(Mail, IsAMail) {
  const Message message = message_of(std::span(&kCut, 1), Language::ja);
  const std::string mail = mail_of(message, "gw@example.com", "it@example.com", kCut.time);
  EXPECT_THAT(mail, StartsWith("Date: Sat, 28 Nov 2026 13:50:14 +0000\r\n"
                               "From: <gw@example.com>\r\nTo: <it@example.com>\r\n"
                               "Subject: =?UTF-8?B?"));
  EXPECT_THAT(mail, HasSubstr("\r\nMessage-ID: <" + kCut.id + "@example.com>\r\n"));
  for (std::size_t at = 0; at < mail.size();) {
    const std::size_t end = mail.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 84U);  // a subject's first line has its name before it
    at = end + 2;
  }
}

TEST(Mail, NothingBecomesAHeader) {
  Notice evil = kCut;
  evil.object = "x\r\nBcc: evil@example.com\r\n\r\nbody";
  evil.gateway = "g\nTo: evil@example.com";
  const Message message = message_of(std::span(&evil, 1), Language::en);
  const std::string mail = mail_of(message, "gw@example.com", "it@example.com", kCut.time);
  EXPECT_THAT(mail, Not(HasSubstr("evil")));
  EXPECT_THAT(message.text, Not(HasSubstr("\nBcc")));
}

TEST(Mail, AnAddressIsOneAddress) {
  for (const char* good : {"a@b", "it+x@example.com"}) EXPECT_TRUE(is_mail_address(good)) << good;
  for (const char* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "<a@b>", "a@b,c@d", "a@b\r\nRCPT",
                          "あ@b", "\"a\"@b"})
    EXPECT_FALSE(is_mail_address(bad)) << bad;
  EXPECT_FALSE(is_mail_address("a@" + std::string(254, 'x')));
}

}  // namespace
}  // namespace sekisho::notice

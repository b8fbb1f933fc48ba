#include "gateway/notify/config.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>

namespace sekisho::notify {
namespace {

using testing::HasSubstr;

constexpr const char* kMail =
    "[mail.a]\nserver = \"mail.example.com\"\nfrom = \"a@example.com\"\nto = \"b@example.com\"\n";

std::string secret(const std::string& text, mode_t mode) {
  const std::string file = testing::TempDir() + "secret" + std::to_string(mode);
  std::filesystem::remove(file);
  std::ofstream(file) << text;
  chmod(file.c_str(), mode);
  return file;
}

TEST(Config, ReadsWhatIsThereAndKeepsDefaults) {
  const std::string file = secret("s3cret\n", 0600);
  const auto config = read_config(
      std::string(kMail) + "port = 587\nuser = \"u\"\npassword_file = \"" + file +
          "\"\n[webhook.b]\nurl = \"https://example.com/x?y=1\"\nsecret_file = \"" + file + "\"\n",
      "notify.toml");
  ASSERT_TRUE(config.has_value()) << to_string(config.error().front());
  ASSERT_EQ(config->channels.size(), 2U);
  EXPECT_EQ(config->channels[0].name, "mail.a");
  const auto& mail = std::get<Mail>(config->channels[0].way);
  EXPECT_TRUE(mail.starttls);
  EXPECT_EQ(mail.password, "s3cret");
  EXPECT_EQ(std::get<Webhook>(config->channels[1].way).secret, "s3cret");
  EXPECT_EQ(config->give_up_after, std::chrono::hours(72));
}

TEST(Config, TlsFromTheFirstByteButAtPort587) {
  const auto config = read_config(kMail, "f");
  EXPECT_EQ(std::get<Mail>(config->channels[0].way).port, 465);
  EXPECT_FALSE(std::get<Mail>(config->channels[0].way).starttls);
}

// Each mistake alone: where it is, and what is said of it.
TEST(Config, EveryMistakeHasItsPlace) {
  struct Case {
    std::string text, place, cause;
  };
  const std::string hook = "[webhook.b]\nurl = ";
  for (const Case& each :
       {Case{"", "f", "there is no way out"},
        Case{"[mail.a]\nserver = 7\nfrom = \"a@b\"\nto = \"a@b\"", "f:2:10", "not a text"},
        Case{std::string(kMail) + "colour = 1", "f:5:10", "no such setting"},
        Case{std::string(kMail) + "port = 0", "f:5:8", "1 to 65535"},
        Case{std::string(kMail) + "security = \"none\"", "f:5:12", "not known"},
        Case{std::string(kMail) + "user = \"x\"", "f:1:1", "one of user and password_file"},
        Case{std::string(kMail) + "ca_file = \"/none\"", "f:5:11", "cannot be read"},
        Case{std::string(kMail) + "[notify]\nlanguage = \"fr\"", "f:6:12", "not known"},
        Case{std::string(kMail) + "[notify]\noutbox = \"x\"", "f:6:10", "not absolute"},
        Case{std::string(kMail) + "[notify]\nmost_per_minute = 0", "f:6:19", "1 to 60"},
        Case{"[mail.a]\nserver = \"a b\"\nfrom = \"a@b\"\nto = \"a@b\"", "f:2:10",
             "neither a host"},
        Case{"[mail.a]\nserver = \"a\"\nfrom = \"a@b\"\nto = \"a@b, c@d\"", "f:4:6",
             "not one mail address"},
        Case{hook + "\"http://example.com\"", "f:2:7", "not an https:// address"},
        Case{hook + "\"https://u:p@example.com\"", "f:2:7", "not an https:// address"},
        Case{hook + "\"file:///etc/passwd\"", "f:2:7", "not an https:// address"},
        Case{hook + "\"https://x\"\nsecret_file = \"" + secret("x", 0644) + "\"", "f:3:15",
             "can be read by everybody"},
        Case{hook + "\"https://x\"\nsecret_file = \"" + secret("", 0600) + "\"", "f:3:15",
             "does not hold one line"}}) {
    const auto config = read_config(each.text, "f");
    ASSERT_FALSE(config.has_value()) << each.text;
    const Error& error = config.error().front();
    EXPECT_THAT(error.cause, HasSubstr(each.cause)) << each.text;
    EXPECT_EQ(error.place, each.place) << each.text << error.object;
    EXPECT_FALSE(error.advice.empty()) << each.text;
  }
}

TEST(Config, AWebhookIsNotTold) {
  const auto config = read_config("[webhook.b]\nurl = \"http://example.com/s3cret\"", "f");
  EXPECT_EQ(to_string(config.error().front()).find("s3cret"), std::string::npos);
}

// The sample is right, with every setting, but for the files of this box that it names.
TEST(Config, TheSampleIsRight) {
  std::ifstream in(SEKISHO_SAMPLE_CONFIG, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  const std::string file = secret("x", 0600);
  text = std::regex_replace(text, std::regex("\"/etc/sekisho/[^\"]*\""), "\"" + file + "\"");
  text = std::regex_replace(text, std::regex("\n#([a-z_]+ = )"), "\n$1");
  const auto config = read_config(text, "notify.toml");
  ASSERT_TRUE(config.has_value()) << to_string(config.error().front());
  EXPECT_EQ(config->channels.size(), 2U);
  const Config defaults;
  EXPECT_EQ(config->outbox, defaults.outbox);
  EXPECT_EQ(config->give_up_after, defaults.give_up_after);
  EXPECT_EQ(config->most_per_minute, defaults.most_per_minute);
  // Every setting that is known stands in it.
  for (const char* section : {"notify", "mail.office", "webhook.chat"}) {
    const auto refused = read_config("[" + std::string(section) + "]\nsurprise = 1\n", "f");
    std::string known = refused.error().front().advice;
    for (const Error& error : refused.error())
      if (error.advice.starts_with("known here: ")) known = error.advice.substr(12);
    static const std::regex kKey("[a-z_]+");
    for (std::sregex_iterator at(known.begin(), known.end(), kKey), end; at != end; ++at)
      EXPECT_THAT(text, HasSubstr("\n" + at->str() + " = ")) << section;
  }
}

}  // namespace
}  // namespace sekisho::notify

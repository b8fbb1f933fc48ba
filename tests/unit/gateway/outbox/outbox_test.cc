#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gateway/outbox/queue.h"
#include "gateway/outbox/writer.h"

namespace sekisho::outbox {
namespace {

using testing::HasSubstr;

class Outbox : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "outboxXXXXXX";
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string put(std::string object = "kernel") {
    auto id = Writer(folder_).put({.kind = notice::Kind::drift, .object = std::move(object)});
    EXPECT_TRUE(id.has_value()) << to_string(id.error());
    return id.value_or("");
  }
  static std::vector<std::string> objects(Queue& queue) {
    const auto fresh = queue.arrivals([](const std::string&) { return false; });
    std::vector<std::string> names;
    for (const auto& notice : fresh.value()) names.push_back(notice.object);
    return names;
  }
  std::size_t count(const char* name) const {
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator(folder_ / name))
      ++files;
    return files;
  }

  std::filesystem::path folder_;
};

TEST_F(Outbox, WhatIsPutComesOutInOrder) {
  Writer writer(folder_);
  for (const char* object : {"a", "b", "c"})
    ASSERT_TRUE(writer.put({.object = object}).has_value());
  auto queue = Queue::open(folder_);
  ASSERT_TRUE(queue.has_value()) << to_string(queue.error());
  EXPECT_THAT(objects(*queue), testing::ElementsAre("a", "b", "c"));
  struct stat about{};
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() != ".json") continue;
    ASSERT_EQ(stat(entry.path().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0640U);
  }
}

TEST_F(Outbox, WithoutAFolderItIsNotSetUp) {
  Writer writer(folder_ / "none");
  EXPECT_EQ(writer.put({}).error().code, ErrorCode::not_found);
  EXPECT_FALSE(writer.look().set_up);
  EXPECT_EQ(writer.look().lost, 0U);
}

TEST_F(Outbox, IsBoundedAndCountsWhatIsLost) {
  Writer writer(folder_);
  for (std::size_t i = 1; i < kMostWaiting; ++i) {
    const std::string digits = std::to_string(10'000 + i).substr(1);
    std::ofstream(folder_ / ("20261128T135014.123Z-000000000000" + digits + ".json")) << "x";
  }
  ASSERT_TRUE(writer.put({}).has_value());
  const auto refused = writer.put({});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().cause, HasSubstr("is full"));
  const auto outlook = writer.look();
  EXPECT_EQ(outlook.waiting, kMostWaiting);
  EXPECT_EQ(outlook.lost, 1U);
  EXPECT_THAT(outlook.trouble, HasSubstr("is full"));
}

TEST_F(Outbox, WhatIsNoNoticeStopsNothing) {
  const std::string torn = put("torn");
  std::filesystem::resize_file(folder_ / (torn + ".json"), 40);
  const std::string huge = put("huge");
  std::filesystem::resize_file(folder_ / (huge + ".json"), notice::kMostNoticeBytes + 1);
  const std::string link = put("link");
  std::filesystem::remove(folder_ / (link + ".json"));
  std::filesystem::create_symlink("/etc/passwd", folder_ / (link + ".json"));
  const std::string pipe = put("pipe");
  std::filesystem::remove(folder_ / (pipe + ".json"));
  ASSERT_EQ(mkfifo((folder_ / (pipe + ".json")).c_str(), 0600), 0);
  const std::string other = put("other name");
  std::filesystem::rename(folder_ / (other + ".json"),
                          folder_ / "20261128T135014.123Z-0f1e2d3c4b5a6978.json");
  std::ofstream(folder_ / "foreign.txt") << "x";
  std::filesystem::create_directory(folder_ / "foreign");
  std::ofstream(folder_ / ".new-unfinished") << "x";
  put("good");
  auto queue = Queue::open(folder_);
  ASSERT_TRUE(queue.has_value());
  EXPECT_THAT(objects(*queue), testing::ElementsAre("good"));
  EXPECT_EQ(queue->put_aside(), 7U);
  EXPECT_EQ(count("bad"), 7U);
}

TEST_F(Outbox, OneProcessAlone) {
  Writer writer(folder_);
  EXPECT_FALSE(writer.look().running);
  {
    auto queue = Queue::open(folder_);
    ASSERT_TRUE(queue.has_value());
    EXPECT_TRUE(writer.look().running);
    EXPECT_EQ(Queue::open(folder_).error().code, ErrorCode::conflict);
  }
  EXPECT_FALSE(writer.look().running);
}

TEST_F(Outbox, MarksOutliveTheProcess) {
  const std::string id = put();
  {
    auto queue = Queue::open(folder_);
    ASSERT_TRUE(queue->mark(id, "mail.a", true).has_value());
    ASSERT_TRUE(queue->mark(id, "mail.b", false).has_value());
  }
  auto queue = Queue::open(folder_);
  const auto marks = queue->marks().value();
  EXPECT_EQ(marks.at(id).at("mail.a"), true);
  EXPECT_EQ(marks.at(id).at("mail.b"), false);
  // Kept, it remembers where it was delivered; gone, nothing of it is left.
  ASSERT_TRUE(queue->finish(id, true).has_value());
  EXPECT_EQ(queue->marks().value().at(id).size(), 1U);
  EXPECT_EQ(Writer(folder_).look().kept, 1U);
  std::filesystem::rename(folder_ / "failed" / (id + ".json"), folder_ / (id + ".json"));
  ASSERT_TRUE(queue->finish(id, false).has_value());
  EXPECT_TRUE(queue->marks().value().empty());
  EXPECT_EQ(Writer(folder_).look().waiting, 0U);
}

TEST_F(Outbox, StrayMarksGoAtTheStart) {
  const std::string id = put();
  {
    auto queue = Queue::open(folder_);
    ASSERT_TRUE(queue->mark(id, "mail.a", true).has_value());
    std::filesystem::remove(folder_ / (id + ".json"));
  }
  EXPECT_TRUE(Queue::open(folder_)->marks().value().empty());
}

TEST_F(Outbox, TheReportIsSeenAndNotTrusted) {
  Writer writer(folder_);
  auto queue = Queue::open(folder_);
  notice::Report report;
  report.channels.push_back({.name = "mail.a",
                             .delivered = 7,
                             .failed = 0,
                             .last_delivery = {},
                             .last_error = {},
                             .last_error_time = {}});
  ASSERT_TRUE(queue->write(report).has_value());
  EXPECT_EQ(writer.look().report, report);
  EXPECT_EQ(queue->report(), report);
  std::ofstream(folder_ / "status.json") << "{}";
  EXPECT_THAT(writer.look().trouble, HasSubstr("is not what sekisho-notify writes"));
  std::filesystem::remove(folder_ / "status.json");
  std::filesystem::create_symlink("/etc/passwd", folder_ / "status.json");
  EXPECT_THAT(writer.look().trouble, HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace sekisho::outbox

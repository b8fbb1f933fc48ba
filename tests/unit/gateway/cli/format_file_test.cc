#include "gateway/cli/format_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cli/output.h"

namespace sekisho::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHandWritten = "# All of it\n\n[role]\nsales={name=\"営業\"} # who sells\n";
constexpr const char* kFormatted = "# All of it\n\n[role.sales]  # who sells\nname = \"営業\"\n";

class FormatFile : public testing::Test {
 protected:
  FormatFile() {
    std::string name = (fs::temp_directory_path() / "sekisho-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    file_ = folder_ / "policy.toml";
    put(kHandWritten);
  }
  ~FormatFile() override { fs::remove_all(folder_); }

  void put(std::string_view text) const { std::ofstream(file_, std::ios::binary) << text; }
  std::string contents() const {
    std::ifstream file(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  control::Reply format(Typed more = {}) const {
    more["document"] = {file_};
    return format_file(more);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_))
      names.push_back(entry.path().filename());
    return names;
  }

  fs::path folder_;
  fs::path file_;
};

TEST_F(FormatFile, PrintsAndChangesNothing) {
  const auto reply = format();
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply->find("document")->string(), kFormatted);
  EXPECT_EQ(contents(), kHandWritten);
}

TEST_F(FormatFile, CheckAnswersNoAndNamesTheFile) {
  const auto no = format({{"check", {"true"}}});
  EXPECT_EQ(exit_code(no), kAnsweredNo);
  EXPECT_EQ(*no->find("explanation")->string(), file_.string() + " is not formatted");
  EXPECT_EQ(contents(), kHandWritten);
  put(kFormatted);
  const auto yes = format({{"check", {"true"}}});
  EXPECT_EQ(exit_code(yes), 0);
  EXPECT_EQ(*yes->find("explanation")->string(), file_.string() + " is formatted");
}

TEST_F(FormatFile, WriteKeepsModeAndLinkAndLeavesNothingBeside) {
  ASSERT_EQ(chmod(file_.c_str(), 0640), 0);
  const fs::path link = folder_ / "link.toml";
  fs::create_symlink(file_.filename(), link);
  ASSERT_TRUE(format_file({{"document", {link}}, {"write", {"true"}}}));
  EXPECT_EQ(contents(), kFormatted);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(fs::status(file_).permissions(), fs::perms{0640});
  EXPECT_THAT(files(), testing::UnorderedElementsAre("policy.toml", "link.toml"));
}

TEST_F(FormatFile, WriteReplacesTheFileAsAWhole) {
  const auto inode = [&] {
    struct stat status{};
    EXPECT_EQ(stat(file_.c_str(), &status), 0);
    return status.st_ino;
  };
  const fs::path old = folder_ / "old";
  fs::create_hard_link(file_, old);
  const auto before = inode();
  ASSERT_TRUE(format({{"write", {"true"}}}));
  EXPECT_NE(inode(), before);  // who had it open still reads the old one
  std::ifstream kept(old);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), kHandWritten);
  const auto formatted = inode();
  ASSERT_TRUE(format({{"write", {"true"}}}));
  EXPECT_EQ(inode(), formatted);  // nothing to do: it is not touched
}

TEST_F(FormatFile, MistakesHaveTheirPlaceAndChangeNothing) {
  const std::string bad = "[person.x]\nstate = 7\n";
  put(bad);
  for (const char* flag : {"check", "write"}) {
    const auto reply = format({{flag, {"true"}}});
    ASSERT_FALSE(reply);
    EXPECT_EQ(exit_code(reply), 1);
    EXPECT_TRUE(std::ranges::any_of(reply.error(), [&](const Error& error) {
      return error.place == file_.string() + ":2:9" && error.object == "person.x.state";
    }));
    EXPECT_EQ(contents(), bad);
    EXPECT_THAT(files(), testing::ElementsAre("policy.toml"));
  }
}

TEST_F(FormatFile, RefusesWhatItCannotDo) {
  EXPECT_EQ(format_file({{"document", {"-"}}, {"write", {"true"}}}).error().front().object,
            "--write");
  EXPECT_EQ(format({{"syntax", {"yaml"}}}).error().front().object, "syntax");
  EXPECT_FALSE(format_file({{"document", {folder_ / "none.toml"}}}));
}

TEST_F(FormatFile, JsonByItsName) {
  const fs::path json = folder_ / "policy.json";
  std::ofstream(json) << "{}";
  const auto reply = format_file({{"document", {json}}});
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply->find("document")->string(), "{}\n");
}

}  // namespace
}  // namespace sekisho::cli

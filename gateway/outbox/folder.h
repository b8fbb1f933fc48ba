#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/base/result.h"

// A folder that two processes share, of which neither trusts what the other put there. Inside
// gateway/outbox only.
namespace sekisho::outbox {

// A file descriptor; closed at its end.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// "the folder: cannot be opened: why", from errno.
std::unexpected<Error> failed(const std::filesystem::path& what, std::string_view act);

// Never follows a link in the last component.
Descriptor open_folder(const std::filesystem::path& path);
Descriptor open_folder_in(int folder, const char* name);

// Names in a folder, unsorted, without "." and "..", at most `most` of them.
Result<std::vector<std::string>> names_in(int folder, std::size_t most);

// Why a file was not read: a reason that time does not mend, or one that it may.
enum class Unread { never, later };
// The whole of a regular file of at most `most` bytes; never waits for a pipe, follows no link.
std::expected<std::string, Unread> read_file(int folder, const std::string& name, std::size_t most);

// `name` holds `bytes` afterwards, or is as it was: written aside, synced, renamed. Mode 0640
// whatever the umask. Where `anew`, a `name` that is there already is an error.
Result<void> write_file(const std::filesystem::path& path, int folder, const std::string& name,
                        std::string_view bytes, bool anew);

inline constexpr std::string_view kAside = ".new-";  // begins the names of what is not finished
inline constexpr const char* kLock = "lock";         // held by sekisho-notify
inline constexpr const char* kStatus = "status.json";
inline constexpr const char* kFailed = "failed";  // notices that could not be delivered
inline constexpr const char* kBad = "bad";        // what was no notice
inline constexpr const char* kMarks = "marks";    // which way out is done with which notice
inline constexpr std::string_view kSuffix = ".json";

// The id in "ID.json"; empty where it is none.
std::string_view id_in(std::string_view name);
// The ids of the notices among these names, in order.
std::vector<std::string> ids_in(const std::vector<std::string>& names);

}  // namespace sekisho::outbox

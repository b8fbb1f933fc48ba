#include "gateway/cli/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace sekisho::cli {

namespace {

// Closed and, unless it took its place, removed again.
class Aside {
 public:
  explicit Aside(const std::filesystem::path& file) : name_(file.string() + ".XXXXXX") {
    descriptor_ = mkostemp(name_.data(), O_CLOEXEC);
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() {
    if (descriptor_ < 0) return;
    close(descriptor_);
    if (!in_place_) unlink(name_.c_str());
  }

  bool write(std::string_view contents) const {
    while (!contents.empty()) {
      const ssize_t count = ::write(descriptor_, contents.data(), contents.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      contents.remove_prefix(static_cast<std::size_t>(count));
    }
    return fsync(descriptor_) == 0;
  }
  bool take_rights_of(const struct stat& old) const {
    struct stat own{};
    if (fstat(descriptor_, &own) != 0) return false;
    const bool owned = own.st_uid == old.st_uid && own.st_gid == old.st_gid;
    // After the owner: a change of it takes set-user-id bits away.
    return (owned || fchown(descriptor_, old.st_uid, old.st_gid) == 0) &&
           fchmod(descriptor_, old.st_mode & ALLPERMS) == 0;
  }
  bool take_place_of(const std::filesystem::path& file) {
    in_place_ = rename(name_.c_str(), file.c_str()) == 0;
    return in_place_;
  }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  std::string name_;
  int descriptor_ = -1;
  bool in_place_ = false;
};

}  // namespace

Result<void> replace_file(const std::filesystem::path& path, std::string_view contents) {
  std::error_code unresolved;
  const auto file = std::filesystem::canonical(path, unresolved);
  struct stat old{};
  if (unresolved || stat(file.c_str(), &old) != 0 || !S_ISREG(old.st_mode)) {
    return fail(ErrorCode::invalid, path.string(), "is not a file that can be changed",
                "name a regular file");
  }
  Aside aside(file);
  if (!aside || !aside.take_rights_of(old) || !aside.write(contents) ||
      !aside.take_place_of(file)) {
    return fail(ErrorCode::failed, path.string(),
                std::string("cannot be written: ") + std::strerror(errno),
                "it is as it was; make its folder writable to you, or print to another file");
  }
  return {};
}

}  // namespace sekisho::cli

#include "gateway/outbox/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "gateway/notice/notice.h"

namespace sekisho::outbox {

namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kMode = 0640;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool write_aside(int folder, const std::string& aside, std::string_view bytes) {
  unlinkat(folder, aside.c_str(), 0);  // left by a process that ended in between
  const Descriptor file(
      openat(folder, aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
  return file && fchmod(file.get(), kMode) == 0 && write_all(file.get(), bytes) &&
         fsync(file.get()) == 0;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

std::unexpected<Error> failed(const std::filesystem::path& what, std::string_view act) {
  return fail(ErrorCode::failed, what.string(), std::string(act) + ": " + std::strerror(errno),
              errno == ENOSPC || errno == EDQUOT ? "make room there" : "");
}

Descriptor open_folder(const std::filesystem::path& path) {
  return Descriptor(open(path.c_str(), kFolder));
}

Descriptor open_folder_in(int folder, const char* name) {
  return Descriptor(openat(folder, name, kFolder));
}

Result<std::vector<std::string>> names_in(int folder, std::size_t most) {
  // A descriptor of its own: the position in a directory is shared by its copies.
  const int again = openat(folder, ".", kFolder);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(again < 0 ? nullptr : fdopendir(again),
                                                   closedir);
  if (!stream) {
    auto error = failed("the folder", "cannot be listed");
    if (again >= 0) close(again);
    return error;
  }
  std::vector<std::string> names;
  while (names.size() < most) {
    errno = 0;
    const dirent* const entry = readdir(stream.get());
    if (entry == nullptr && errno != 0) return failed("the folder", "cannot be listed");
    if (entry == nullptr) break;
    const std::string_view name(std::data(entry->d_name));
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

std::expected<std::string, Unread> read_file(int folder, const std::string& name,
                                             std::size_t most) {
  const Descriptor file(
      openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    const bool never = errno == ELOOP || errno == EACCES || errno == ENXIO || errno == EPERM;
    return std::unexpected(never ? Unread::never : Unread::later);
  }
  struct stat about{};
  if (fstat(file.get(), &about) != 0) return std::unexpected(Unread::later);
  if (!S_ISREG(about.st_mode) || about.st_size > static_cast<off_t>(most))
    return std::unexpected(Unread::never);
  std::string bytes(most + 1, '\0');
  std::size_t read = 0;
  while (read < bytes.size()) {
    const ssize_t count = ::read(file.get(), bytes.data() + read, bytes.size() - read);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(Unread::later);
    if (count == 0) break;
    read += static_cast<std::size_t>(count);
  }
  if (read > most) return std::unexpected(Unread::never);
  bytes.resize(read);
  return bytes;
}

Result<void> write_file(const std::filesystem::path& path, int folder, const std::string& name,
                        std::string_view bytes, bool anew) {
  const std::string aside = std::string(kAside) + name;
  const bool written =
      write_aside(folder, aside, bytes) &&
      renameat2(folder, aside.c_str(), folder, name.c_str(), anew ? RENAME_NOREPLACE : 0) == 0;
  if (!written) {
    auto error = failed(path / name, "cannot be written");
    unlinkat(folder, aside.c_str(), 0);
    return error;
  }
  if (fsync(folder) != 0) return failed(path, "cannot be synced");
  return {};
}

std::string_view id_in(std::string_view name) {
  if (!name.ends_with(kSuffix)) return {};
  name.remove_suffix(kSuffix.size());
  return notice::is_id(name) ? name : std::string_view{};
}

std::vector<std::string> ids_in(const std::vector<std::string>& names) {
  std::vector<std::string> ids;
  for (const std::string& name : names) {
    if (const auto id = id_in(name); !id.empty()) ids.emplace_back(id);
  }
  std::ranges::sort(ids);
  return ids;
}

}  // namespace sekisho::outbox

#include "gateway/outbox/queue.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

namespace sekisho::outbox {

namespace {

constexpr std::size_t kMostNames = 20'000;
constexpr std::size_t kMostKept = 200;  // of failed notices, and of files put aside
constexpr std::string_view kDelivered = ".delivered";
constexpr std::string_view kGivenUp = ".failed";

Result<Descriptor> folder_within(const std::filesystem::path& path, int folder, const char* name) {
  if (mkdirat(folder, name, 0750) != 0 && errno != EEXIST)
    return failed(path / name, "cannot be made");
  Descriptor within = open_folder_in(folder, name);
  if (!within) return failed(path / name, "cannot be opened");
  return within;
}

// "ID@CHANNEL.delivered"
struct Mark {
  std::string_view id, channel;
  bool delivered;
};
std::optional<Mark> mark_in(std::string_view name) {
  const auto at = name.find('@');
  if (at == std::string_view::npos || !notice::is_id(name.substr(0, at))) return std::nullopt;
  const bool delivered = name.ends_with(kDelivered);
  if (!delivered && !name.ends_with(kGivenUp)) return std::nullopt;
  const std::size_t suffix = delivered ? kDelivered.size() : kGivenUp.size();
  if (name.size() < at + 1 + suffix) return std::nullopt;
  return Mark{name.substr(0, at), name.substr(at + 1, name.size() - at - 1 - suffix), delivered};
}

std::string file_of(const std::string& id) {
  return id + std::string(kSuffix);
}

bool exists(const Descriptor& folder, const std::string& name) {
  struct stat about{};
  return fstatat(folder.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

Result<Queue> Queue::open(const std::filesystem::path& path) {
  Queue queue(path);
  queue.folder_ = open_folder(path);
  if (!queue.folder_) return failed(path, "cannot be opened");
  const int folder = queue.folder_.get();
  queue.lock_ = Descriptor(
      openat(folder, kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640));
  if (!queue.lock_ || fchmod(queue.lock_.get(), 0640) != 0)
    return failed(path / kLock, "cannot be opened");
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (fcntl(queue.lock_.get(), F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES) return failed(path / kLock, "cannot be locked");
    return fail(ErrorCode::conflict, path.string(), "another sekisho-notify has it",
                "stop that one, or give this one another outbox");
  }
  for (const auto& [name, into] : {std::pair(kFailed, &queue.failed_), std::pair(kBad, &queue.bad_),
                                   std::pair(kMarks, &queue.marks_)}) {
    auto within = folder_within(path, folder, name);
    if (!within) return std::unexpected(std::move(within.error()));
    *into = *std::move(within);
  }
  queue.watch_ = Descriptor(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!queue.watch_ ||
      inotify_add_watch(queue.watch_.get(), path.c_str(), IN_MOVED_TO | IN_CREATE) < 0)
    return failed(path, "cannot be watched");
  queue.forget_strays();
  return queue;
}

Result<std::vector<notice::Notice>> Queue::arrivals(
    const std::function<bool(const std::string&)>& known) {
  alignas(inotify_event) std::array<char, 4096> events;
  while (::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  auto names = names_in(folder_.get(), kMostNames);
  if (!names) return std::unexpected(std::move(names.error()));
  std::ranges::sort(*names);
  std::vector<notice::Notice> fresh;
  for (const std::string& name : *names) {
    if (name.starts_with('.') || name == kLock || name == kStatus || name == kFailed ||
        name == kBad || name == kMarks || stuck_.contains(name))
      continue;
    const std::string id(id_in(name));
    if (!id.empty() && known(id)) continue;
    if (id.empty()) {
      set_aside(name);
      continue;
    }
    const auto text = read_file(folder_.get(), name, notice::kMostNoticeBytes);
    if (!text && text.error() == Unread::later) continue;
    auto notice = text ? notice::read_notice(*text, name)
                       : fail(ErrorCode::invalid, name, "is no file that can be read");
    if (notice && notice->id == id)
      fresh.push_back(*std::move(notice));
    else
      set_aside(name);
  }
  return fresh;
}

void Queue::set_aside(const std::string& name) {
  ++put_aside_;
  if (renameat(folder_.get(), name.c_str(), bad_.get(), name.c_str()) != 0) {
    stuck_.insert(name);
    return;
  }
  keep_few(bad_, kMostKept);
}

// The first by name go, which of notices are the oldest.
void Queue::keep_few(const Descriptor& folder, std::size_t most) {
  auto names = names_in(folder.get(), kMostNames);
  if (!names || names->size() <= most) return;
  std::ranges::sort(*names);
  names->resize(names->size() - most);
  for (const std::string& name : *names) {
    if (unlinkat(folder.get(), name.c_str(), 0) != 0)
      unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR);
  }
}

Result<Queue::Marks> Queue::marks() const {
  const auto names = names_in(marks_.get(), kMostNames);
  if (!names) return std::unexpected(names.error());
  Marks marks;
  for (const std::string& name : *names) {
    if (const auto mark = mark_in(name))
      marks[std::string(mark->id)][std::string(mark->channel)] = mark->delivered;
  }
  return marks;
}

Result<void> Queue::mark(const std::string& id, const std::string& channel, bool delivered) {
  const std::string name = id + "@" + channel + std::string(delivered ? kDelivered : kGivenUp);
  const Descriptor file(openat(marks_.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640));
  if (!file || fsync(marks_.get()) != 0) return failed(path_ / kMarks / name, "cannot be written");
  return {};
}

// First the notice and then its marks: who ends in between has sent nothing twice.
Result<void> Queue::finish(const std::string& id, bool keep) {
  const std::string name = file_of(id);
  const int done = keep ? renameat(folder_.get(), name.c_str(), failed_.get(), name.c_str())
                        : unlinkat(folder_.get(), name.c_str(), 0);
  if (done != 0 && errno != ENOENT) return failed(path_ / name, "cannot be taken out");
  if (fsync(folder_.get()) != 0) return failed(path_, "cannot be synced");
  forget_marks(id, keep);
  if (keep) keep_few(failed_, kMostKept);
  return {};
}

// Where a notice is kept, its deliveries stay known: put back, it goes where it failed alone.
void Queue::forget_marks(const std::string& id, bool failures_alone) {
  const auto names = names_in(marks_.get(), kMostNames);
  if (!names) return;
  for (const std::string& name : *names) {
    const auto mark = mark_in(name);
    if (mark && mark->id == id && !(failures_alone && mark->delivered))
      unlinkat(marks_.get(), name.c_str(), 0);
  }
}

void Queue::forget_strays() {
  const auto names = names_in(marks_.get(), kMostNames);
  if (!names) return;
  for (const std::string& name : *names) {
    const auto mark = mark_in(name);
    const std::string file = mark ? file_of(std::string(mark->id)) : std::string();
    if (!mark || (!exists(folder_, file) && !exists(failed_, file)))
      unlinkat(marks_.get(), name.c_str(), 0);
  }
}

notice::Report Queue::report() const {
  const auto text = read_file(folder_.get(), kStatus, notice::kMostReportBytes);
  if (!text) return {};
  return notice::read_report(*text, kStatus).value_or(notice::Report{});
}

Result<void> Queue::write(const notice::Report& report) {
  return write_file(path_, folder_.get(), kStatus, notice::write_report(report), false);
}

}  // namespace sekisho::outbox
